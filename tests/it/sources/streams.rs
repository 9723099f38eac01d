//! Streams of Kinesis and DynamoDB.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;

use powertools::testing::events::{self, DynamoDbRecords, KinesisRecord, KinesisRecords};
use powertools::testing::{End, EventSource, History, Stream};
use serde_json::{Value, json};

use super::{Event, deliveries, ends, failed, numbers, records};

#[tokio::test]
async fn a_stream_continues_at_the_lowest_reported_number() {
    let first = Cell::new(true);
    let history = source("1 2 3 4 5")
        .run(async |_: Event| {
            // The order in which they are reported has no meaning.
            let reported = if first.take() { vec!["4", "3"] } else { vec![] };
            Ok::<_, Infallible>(failed(reported))
        })
        .await;
    assert_eq!(batches(&history), ["1 2 3 4 5", "3 4 5"]);
    assert_eq!(history.done(), ["1", "2", "3", "4", "5"]);
}

#[tokio::test]
async fn the_position_decides_which_is_lowest_and_not_the_number() {
    let first = Cell::new(true);
    let history = source("9 10 100000000000000000000000000000000 11")
        .run(async |_: Event| {
            let reported = if first.take() { vec!["11", "10"] } else { vec![] };
            Ok::<_, Infallible>(failed(reported))
        })
        .await;
    assert_eq!(history.done()[0], "9");
    assert_eq!(batches(&history)[1], "10 100000000000000000000000000000000 11");
}

#[tokio::test]
async fn the_next_batch_is_delivered_only_after_this_one_is_done() {
    let count = Cell::new(0);
    let history = source("1 2 3 4")
        .batch_size(2)
        .run(async |_: Event| {
            count.set(count.get() + 1);
            if count.get() < 3 { Err("not yet") } else { Ok(()) }
        })
        .await;
    assert_eq!(batches(&history), ["1 2", "1 2", "1 2", "3 4"]);
    let at: Vec<_> = history.deliveries().map(|delivery| delivery.at.as_secs()).collect();
    assert_eq!(at, [0, 1, 3, 3], "retries wait longer and longer");
}

#[tokio::test]
async fn a_batch_that_fails_too_often_is_given_up_as_a_whole() {
    for (destination, discarded) in [(true, 0), (false, 2)] {
        let history = source("1 2 3")
            .batch_size(2)
            .maximum_retry_attempts(2)
            .on_failure_destination(destination)
            .run(
                async |event: Event| {
                    if numbers(&event).contains(&"1") { Err("poison") } else { Ok(()) }
                },
            )
            .await;
        assert_eq!(batches(&history), ["1 2", "1 2", "1 2", "3"]);
        assert_eq!(history.done(), ["3"]);
        assert_eq!(history.discarded().len(), discarded);
        assert_eq!(history.sent_to_destination().len(), 2 - discarded);
    }
}

#[tokio::test]
async fn retries_are_counted_again_after_the_checkpoint_moved() {
    let count = Cell::new(0);
    let history = source("1 2")
        .maximum_retry_attempts(1)
        .on_failure_destination(true)
        .run(async |_: Event| {
            count.set(count.get() + 1);
            match count.get() {
                1 => Err("all"),
                _ => Ok(failed(["2"])),
            }
        })
        .await;
    assert_eq!(batches(&history), ["1 2", "1 2", "2"]);
    assert_eq!(history.sent_to_destination(), ["2"]);
}

#[tokio::test]
async fn a_failing_batch_is_bisected_down_to_the_poison() {
    let history = source("1 2 3 4 5")
        .bisect_batch_on_function_error(true)
        .maximum_retry_attempts(1)
        .on_failure_destination(true)
        .run(
            async |event: Event| {
                if numbers(&event).contains(&"3") { Err("poison") } else { Ok(()) }
            },
        )
        .await;
    assert_eq!(batches(&history), ["1 2 3 4 5", "1 2 3", "1 2", "3", "3", "4 5"]);
    assert_eq!(history.sent_to_destination(), ["3"]);
    assert_eq!(history.done(), ["1", "2", "4", "5"]);
}

#[tokio::test]
async fn a_batch_is_bisected_at_the_reported_number() {
    let history = source("1 2 3 4 5")
        .bisect_batch_on_function_error(true)
        .maximum_retry_attempts(0)
        .on_failure_destination(true)
        .run(async |event: Event| {
            let poison = numbers(&event).into_iter().find(|number| *number == "2");
            Ok::<_, Infallible>(failed(poison))
        })
        .await;
    assert_eq!(batches(&history), ["1 2 3 4 5", "2 3 4 5", "2 3", "2", "3", "4 5"]);
    assert_eq!(history.sent_to_destination(), ["2"]);
}

#[tokio::test]
async fn shards_go_on_beside_each_other_with_one_batch_each() {
    let running = RefCell::new(Vec::<String>::new());
    let peak = Cell::new(0);
    let history = EventSource::kinesis(keys(60))
        .shards(4)
        .batch_size(3)
        .run(async |event: Event| {
            let shard = records(&event)[0]["eventID"].as_str().unwrap()[..20].to_owned();
            let of_shard = |record: &Value| record["eventID"].as_str().unwrap().starts_with(&shard);
            assert!(records(&event).iter().all(of_shard));
            assert!(!running.borrow().contains(&shard), "two batches of one shard");
            running.borrow_mut().push(shard.clone());
            peak.set(peak.get().max(running.borrow().len()));
            tokio::task::yield_now().await;
            running.borrow_mut().retain(|other| *other != shard);
            Ok::<_, Infallible>(())
        })
        .await;
    assert_eq!(peak.get(), 4);
    assert_eq!(history.done().len(), 60);
    assert!(ends(&history).iter().all(|end| **end == End::Replied(vec![])), "{history}");
}

#[tokio::test]
async fn a_key_is_in_one_shard_and_in_its_order_whatever_dies() {
    for seed in 0..50 {
        let source = EventSource::kinesis(keys(40))
            .shards(3)
            .seed(seed)
            .irregular_batches()
            .crashes(0.2)
            .timeouts(0.1)
            .duplicates(0.2);
        let effects = source.effects();
        let history = source
            .run(async |event: Event| {
                for record in records(&event) {
                    let kinesis = &record["kinesis"];
                    effects.record(format!("{} {}", kinesis["partitionKey"], kinesis["data"]));
                    tokio::task::yield_now().await;
                }
                Ok::<_, Infallible>(())
            })
            .await;
        assert_eq!(history.done().len(), 40);
        for key in 0..12 {
            let of_key = history
                .first_effects()
                .into_iter()
                .filter(|name| name.starts_with(&format!("\"key {key}\"")))
                .collect::<Vec<_>>();
            assert!(of_key.is_sorted(), "{of_key:?}");
        }
    }
}

#[tokio::test]
async fn a_duplicate_is_a_batch_whose_reply_was_lost_and_costs_no_retry() {
    let history = source("1 2 3")
        .batch_size(2)
        .maximum_retry_attempts(0)
        .duplicate_at(1)
        .run(async |_: Event| Ok::<_, Infallible>(()))
        .await;
    assert_eq!(ends(&history)[0], &End::ReplyLost);
    assert_eq!(batches(&history), ["1 2", "1 2", "3"]);
    assert_eq!(history.done(), ["1", "2", "3"]);
}

#[tokio::test]
async fn changes_of_a_table_are_delivered_the_same_way() {
    let history = EventSource::dynamodb(changes())
        .maximum_retry_attempts(1)
        .on_failure_destination(true)
        .run(async |event: Event| {
            let poison = records(&event).iter().find(|record| record["eventName"] == "REMOVE");
            let number = poison.map(|record| record["dynamodb"]["SequenceNumber"].clone());
            Ok::<_, Infallible>(failed(number))
        })
        .await;
    let [insert, modify, remove] = [1, 2, 3].map(|n| format!("1405{n:021}"));
    assert_eq!(history.done(), [insert.as_str(), &modify]);
    assert_eq!(history.sent_to_destination(), [remove.as_str()]);
    assert_eq!(history.deliveries_of(&remove).count(), 2);
}

#[tokio::test]
async fn a_reply_that_cannot_be_read_brings_the_whole_batch_again() {
    for reply in [json!([""]), json!([null]), json!(["1", "7"])] {
        let reply = failed(reply.as_array().unwrap().clone());
        let history = source("1 2")
            .maximum_retry_attempts(1)
            .run(async |_: Event| Ok::<_, Infallible>(reply.clone()))
            .await;
        assert!(matches!(ends(&history)[..], [End::Unreadable(_), End::Unreadable(_)]));
        assert_eq!(history.discarded(), ["1", "2"]);
    }
}

#[tokio::test]
async fn without_the_flag_of_the_mapping_a_reply_is_ignored() {
    let history = source("1 2")
        .report_batch_item_failures(false)
        .run(async |_: Event| Ok::<_, Infallible>(failed(["1"])))
        .await;
    assert_eq!(history.done(), ["1", "2"]);
}

#[tokio::test]
#[should_panic(expected = "only Kinesis and DynamoDB have shards")]
async fn a_topic_has_no_shards() {
    let _ = EventSource::kafka(events::kafka("orders")).shards(2);
}

/// What each delivery had.
fn batches(history: &History) -> Vec<String> {
    deliveries(history).into_iter().map(|(_, batch)| batch).collect()
}

/// A shard with records of these sequence numbers.
fn source(numbers: &str) -> EventSource<Stream> {
    let records = numbers.split(' ').fold(events::kinesis("clicks"), |records, number| {
        records.record(KinesisRecord::new("key", number.to_owned()).sequence_number(number))
    });
    EventSource::kinesis(records)
}

/// Records of twelve keys, whose data grow along each.
fn keys(records: usize) -> KinesisRecords {
    (0..records).fold(events::kinesis("clicks"), |stream, n| {
        stream.record(KinesisRecord::new(format!("key {}", n % 12), vec![u8::try_from(n).unwrap()]))
    })
}

fn changes() -> DynamoDbRecords {
    let (keys, item) = (json!({ "id": 1 }), json!({ "id": 1, "n": 1 }));
    events::dynamodb("orders")
        .insert(keys.clone(), item.clone())
        .modify(keys.clone(), item.clone(), item.clone())
        .remove(keys, item)
}

#[tokio::test]
async fn an_empty_string_or_list_is_a_success() {
    for reply in ["[]", "\"\""] {
        let history = source("1 2").run_raw(async |_| Ok::<_, Infallible>(reply)).await;
        assert_eq!(history.done(), ["1", "2"], "{reply}");
        assert_eq!(history.deliveries().count(), 1, "{reply}");
    }
}

#[tokio::test]
async fn a_shard_with_a_parallelization_factor_has_several_batches_at_once() {
    let records = (1..=8).fold(events::kinesis("clicks"), |records, n| {
        records.record(KinesisRecord::new(format!("key {n}"), "").sequence_number(n.to_string()))
    });
    let history = EventSource::kinesis(records).parallelization_factor(4).run(succeed).await;
    let batches = batches(&history);
    assert!(batches.len() > 1 && batches.len() <= 4, "{history}");
    assert!(batches.iter().all(|batch| batch.split(' ').is_sorted()), "{history}");
    assert_eq!(history.done().len(), 8);
}

#[tokio::test]
async fn a_record_that_is_too_old_is_discarded() {
    let history = source("1")
        .maximum_record_age(std::time::Duration::from_secs(60))
        .run(async |_: Event| Err::<(), _>("not yet"))
        .await;
    assert_eq!(history.discarded(), ["1"]);
    let last = history.deliveries().last().unwrap().at.as_secs();
    assert!((60..=120).contains(&last), "{last}");
}

#[tokio::test]
async fn an_event_has_6_mb_at_most() {
    let body = "x".repeat(1_500_000);
    let records = (1..=6).fold(events::kinesis("clicks"), |records, n| {
        records.record(KinesisRecord::new("key", body.clone()).sequence_number(n.to_string()))
    });
    let largest = Cell::new(0);
    let history = EventSource::kinesis(records)
        .run_raw(async |event| {
            largest.set(largest.get().max(event.payload.len()));
            Ok::<_, Infallible>("null")
        })
        .await;
    assert_eq!(batches(&history), ["1 2 3", "4 5 6"]);
    assert!(largest.get() <= 6 * 1024 * 1024, "{}", largest.get());
}

async fn succeed(_: Event) -> Result<(), Infallible> {
    Ok(())
}
