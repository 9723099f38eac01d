//! A topic of Kafka.

use std::cell::Cell;
use std::convert::Infallible;

use powertools::testing::events::{self, KafkaRecord};
use powertools::testing::{End, EventSource, Stream};
use serde_json::{Value, json};

use super::{Event, deliveries, ends, failed, most_at_once};

#[tokio::test]
async fn each_partition_continues_at_its_lowest_reported_offset() {
    let first = Cell::new(true);
    let history = source("0 1 0 1 2 0 1 2")
        .run(async |_: Event| {
            let reported = if first.take() {
                vec![item("orders-0", 2), item("orders-0", 1), item("orders-1", 2)]
            } else {
                vec![]
            };
            Ok::<_, Infallible>(failed(reported))
        })
        .await;
    let batches: Vec<_> = deliveries(&history).into_iter().map(|(_, batch)| batch).collect();
    assert_eq!(batches[1..], ["orders-0@1 orders-0@2 orders-1@2"]);
    let before = ["orders-0@0", "orders-1@0", "orders-1@1", "orders-2@0", "orders-2@1"];
    assert_eq!(history.done()[..5], before);
    assert_eq!(history.done().len(), 8);
    assert_eq!(
        ends(&history)[0],
        &End::Replied(["orders-0@1", "orders-0@2", "orders-1@2"].map(str::to_owned).to_vec())
    );
}

#[tokio::test]
async fn the_event_has_the_records_by_partition() {
    source("0 1 0")
        .run(async |event: Event| {
            let records = event.payload["records"].as_object().unwrap();
            assert_eq!(records.keys().collect::<Vec<_>>(), ["orders-0", "orders-1"]);
            assert_eq!(records["orders-0"][1]["offset"], 1);
            Ok::<_, Infallible>(())
        })
        .await;
}

#[tokio::test]
async fn an_unknown_identifier_delivers_the_whole_batch_again() {
    let wrong = [
        json!("orders-0"),
        json!(""),
        Value::Null,
        item("orders-0", 9),
        item("orders-1", 0),
        json!({ "partition": "orders-0" }),
    ];
    for wrong in wrong {
        let history = source("0 0")
            .maximum_retry_attempts(1)
            .on_failure_destination(true)
            .run(async |_: Event| Ok::<_, Infallible>(failed([wrong.clone()])))
            .await;
        assert!(matches!(ends(&history)[..], [End::Unreadable(_), End::Unreadable(_)]), "{wrong}");
        assert_eq!(history.sent_to_destination(), ["orders-0@0", "orders-0@1"]);
    }
}

#[tokio::test]
async fn with_a_destination_a_batch_is_retried_10_times() {
    let history = source("0")
        .on_failure_destination(true)
        .run(async |_: Event| Err::<(), _>("no database"))
        .await;
    assert_eq!(history.deliveries().count(), 11);
    assert_eq!(history.sent_to_destination(), ["orders-0@0"]);
}

#[tokio::test]
async fn offsets_of_a_partition_are_done_in_their_order_whatever_dies() {
    for seed in 0..50 {
        let source = source("0 1 2 1 0 1 1 1 2 0 1 0 2 2 2 1")
            .pollers(1 + (seed % 3) as usize)
            .seed(seed)
            .irregular_batches()
            .crashes(0.2)
            .timeouts(0.2)
            .duplicates(0.2);
        let effects = source.effects();
        let history = source
            .run(async |event: Event| {
                let partitions = event.payload["records"].as_object().unwrap();
                for record in partitions.values().flat_map(|list| list.as_array().unwrap()) {
                    effects.record(format!("{} {}", record["partition"], record["offset"]));
                    tokio::task::yield_now().await;
                }
                Ok::<_, Infallible>(())
            })
            .await;
        assert_eq!(history.done().len(), 16);
        for partition in ["0 ", "1 ", "2 "] {
            let effects = history.first_effects();
            assert!(
                effects.iter().filter(|name| name.starts_with(partition)).is_sorted(),
                "{effects:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_failure_holds_up_the_partitions_of_its_poller_only() {
    for (pollers, others_first) in [(1, false), (2, true)] {
        let source = source("0 1 2 0 1 2").pollers(pollers).max_invocations(20);
        let history = source
            .run(async |event: Event| {
                let records = event.payload["records"].as_object().unwrap();
                if records.contains_key("orders-0") { Err("no database") } else { Ok(()) }
            })
            .await;
        // Partitions 0 and 2 have the same one.
        let others = if others_first { vec!["orders-1@0", "orders-1@1"] } else { vec![] };
        assert_eq!(history.done(), others, "{history}");
    }
}

#[tokio::test]
async fn pollers_have_a_batch_with_the_function_each() {
    for (pollers, most) in [(1, 1), (2, 2), (9, 3)] {
        let (largest, history) = most_at_once(source("0 1 2 0 1 2").pollers(pollers)).await;
        assert_eq!(largest, most);
        assert_eq!(history.done().len(), 6);
    }
}

/// A topic with a record for each of these partitions.
fn source(partitions: &str) -> EventSource<Stream> {
    let records = partitions.split(' ').fold(events::kafka("orders"), |records, partition| {
        records.record(KafkaRecord::new("x").partition(partition.parse().unwrap()))
    });
    EventSource::kafka(records)
}

fn item(partition: &str, offset: u64) -> Value {
    json!({ "partition": partition, "offset": offset })
}
