//! Order within a group, a key or a partition, and what a failure stops.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use powertools::batch::{self, Change, KafkaMessage, KinesisMessage, Message};
use powertools::events::{KinesisEvent, SqsEvent, SqsRecord};
use powertools::testing::events::{self, SqsMessage};
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::{Log, changes, fifo, messages, outcomes, reported, stream, topic};

/// Succeeds unless the record is one of `bad`, and notes that it ran.
async fn work(log: &Log, bad: &str, name: &str) -> Result<(), &'static str> {
    log.write(name);
    sleep(Duration::from_millis(10)).await;
    if bad.split(' ').any(|bad| bad == name) { Err("no") } else { Ok(()) }
}

#[tokio::test(start_paused = true)]
async fn a_failed_group_stops_and_the_others_go_on() {
    for concurrency in [1, 2, 8] {
        let log = Log::default();
        let report = batch::sqs(fifo("A1 B1 A2 B2 A3 C1"))
            .concurrency(concurrency)
            .run(|name: Message<String>| {
                let log = log.clone();
                async move { work(&log, "A2", &name.body).await }
            })
            .await;
        assert_eq!(outcomes(&report), "ssfsns", "at {concurrency}");
        assert!(!log.text().contains("A3"));
        assert_eq!(reported(report), ["A2", "A3"]);
    }
}

#[tokio::test(start_paused = true)]
async fn one_at_a_time_is_the_order_of_the_batch() {
    let log = Log::default();
    let batch = batch::sqs(fifo("A1 B1 A2 B2 A3 C1"));
    let report = batch.run(async |name: Message<String>| work(&log, "", &name.body).await).await;
    assert!(report.is_done());
    assert_eq!(log.text(), "A1 B1 A2 B2 A3 C1");
}

#[tokio::test]
async fn a_group_continues_after_a_message_that_fails_for_the_last_time() {
    let event = |count| {
        let mut event = events::sqs("orders.fifo");
        for name in ["A1", "A2", "B1"] {
            let message = SqsMessage::from(json!(name)).id(name).group(&name[..1]);
            event = event.message(message.receive_count(count));
        }
        super::parse::<SqsEvent>(event.build())
    };
    let run = async |count, stop| {
        let mut batch = batch::sqs(event(count)).max_receive_count(3);
        if stop {
            batch = batch.stop_at_first_failure();
        }
        let handler = async |name: Message<String>| {
            if name.body == "A1" { Err("poison") } else { Ok(()) }
        };
        batch.run(handler).await
    };
    assert_eq!(outcomes(&run(2, false).await), "fns");
    let last = run(3, false).await;
    assert_eq!(outcomes(&last), "fss");
    assert_eq!(reported(last), ["A1"]);
    assert_eq!(outcomes(&run(3, true).await), "fnn");
}

#[tokio::test(start_paused = true)]
async fn a_group_is_handled_one_after_the_other_whatever_the_concurrency() {
    let log = Log::default();
    let report = batch::sqs(fifo("A1 A2 B1 B2 A3"))
        .concurrency(8)
        .run(async |name: Message<String>| {
            log.write(format!("{}(", name.body));
            // Those of A take longer.
            let long = if name.body.starts_with('A') { 30 } else { 10 };
            sleep(Duration::from_millis(long)).await;
            log.write(format!("){}", name.body));
            Ok::<_, String>(())
        })
        .await;
    assert!(report.is_done());
    assert_eq!(log.text(), "A1( B1( )B1 B2( )B2 )A1 A2( )A2 A3( )A3");
}

#[tokio::test]
async fn a_standard_queue_has_no_order_even_with_groups() {
    use powertools::testing::events::{SqsMessage, sqs};
    let message = |n: u64| SqsMessage::from(json!(n)).id(format!("m-{n}")).group("tenant");
    let event = sqs("orders").message(message(0)).message(message(1)).build();
    let both = Notify::new();
    let report = batch::sqs(super::parse::<SqsEvent>(event))
        .concurrency(2)
        .run(async |n: Message<u64>| {
            // The first waits for the second.
            if n.body == 0 {
                both.notified().await
            } else {
                both.notify_one()
            }
            Ok::<_, String>(())
        })
        .await;
    assert!(report.is_done());
}

#[tokio::test(start_paused = true)]
async fn concurrency_is_a_limit_and_is_reached() {
    for concurrency in [0, 1, 3, 100] {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let report = batch::sqs(messages(10))
            .concurrency(concurrency)
            .run(async |_: SqsRecord| {
                most.fetch_max(1 + now.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
                sleep(Duration::from_millis(10)).await;
                now.fetch_sub(1, Ordering::Relaxed);
                Ok::<_, String>(())
            })
            .await;
        assert!(report.is_done());
        assert_eq!(most.into_inner(), concurrency.clamp(1, 10));
    }
}

#[tokio::test(start_paused = true)]
async fn fifo_can_stop_at_the_first_failure_of_the_whole_batch() {
    let log = Log::default();
    let report = batch::sqs(fifo("A1 B1 A2 B2"))
        .stop_at_first_failure()
        .run(async |name: Message<String>| work(&log, "B1", &name.body).await)
        .await;
    assert_eq!(log.text(), "A1 B1");
    assert_eq!(reported(report), ["B1", "A2", "B2"]);
}

#[tokio::test]
async fn messages_of_a_fifo_queue_without_a_group_keep_their_order() {
    let event = json!({ "Records": [
        { "messageId": "1", "body": "1", "eventSourceARN": "arn:aws:sqs:r:1:q.fifo" },
        { "messageId": "2", "body": "2", "eventSourceARN": "arn:aws:sqs:r:1:q.fifo" },
    ] });
    let report = batch::sqs(super::parse::<SqsEvent>(event))
        .concurrency(2)
        .run(async |_: SqsRecord| Err::<(), _>("no"))
        .await;
    assert_eq!(outcomes(&report), "fn");
}

#[tokio::test(start_paused = true)]
async fn a_stream_stops_at_its_first_failure_and_reports_that_one() {
    let log = Log::default();
    let report = batch::kinesis(stream("A1 B1 C1 A2"))
        .run(async |name: KinesisMessage<String>| work(&log, "B1 A2", &name.body).await)
        .await;
    assert_eq!(outcomes(&report), "sfnn");
    assert_eq!(log.text(), "A1 B1");
    assert_eq!(reported(report), ["B1"]);

    let log = Log::default();
    let report = batch::dynamodb(changes("A1 B1 C1 A2"))
        .run(|change: Change<Item>| {
            let log = log.clone();
            async move { work(&log, "B1 A2", &change.new.as_ref().unwrap().name).await }
        })
        .await;
    assert_eq!(outcomes(&report), "sfnn");
    assert_eq!(reported(report), ["B1"]);
}

#[derive(serde::Deserialize)]
struct Item {
    name: String,
}

#[tokio::test(start_paused = true)]
async fn a1_a2_b1_at_concurrency_2_where_b1_fails_while_a1_runs_and_a2_must_still_run() {
    let log = Log::default();
    let report = batch::kinesis(stream("A1 A2 B1"))
        .concurrency(2)
        .run(|name: KinesisMessage<String>| {
            let log = log.clone();
            async move {
                log.write(&name.body);
                if name.body == "B1" {
                    return Err("no");
                }
                sleep(Duration::from_millis(10)).await;
                Ok(())
            }
        })
        .await;
    assert_eq!(log.text(), "A1 B1 A2");
    assert_eq!(outcomes(&report), "ssf");
    assert_eq!(reported(report), ["B1"]);
}

#[tokio::test(start_paused = true)]
async fn no_record_starts_after_the_first_failure_of_a_stream() {
    let log = Log::default();
    let report = batch::kinesis(stream("A1 B1 C1 D1 A2 E1"))
        .concurrency(3)
        .run(|name: KinesisMessage<String>| {
            let log = log.clone();
            async move {
                let long = if name.body == "B1" { 5 } else { 10 };
                log.write(&name.body);
                sleep(Duration::from_millis(long)).await;
                if name.body == "B1" { Err("no") } else { Ok(()) }
            }
        })
        .await;
    assert_eq!(log.text(), "A1 B1 C1");
    assert_eq!(outcomes(&report), "sfsnnn");
    assert_eq!(reported(report), ["B1"]);
}

#[tokio::test(start_paused = true)]
async fn the_checkpoint_is_the_earliest_of_two_failures_whichever_came_first() {
    let report = batch::kinesis(stream("A1 B1 C1"))
        .concurrency(3)
        .run(async |name: KinesisMessage<String>| {
            sleep(Duration::from_millis(if name.body == "C1" { 1 } else { 10 })).await;
            if name.body == "A1" { Ok(()) } else { Err("no") }
        })
        .await;
    assert_eq!(outcomes(&report), "sff");
    assert_eq!(reported(report), ["B1"]);
}

#[tokio::test]
async fn the_position_decides_and_not_the_sequence_number() {
    let numbers = "49999999999999999999999999999999999999999999999999999999";
    let longer = "149999999999999999999999999999999999999999999999999999999";
    let event = powertools::testing::events::kinesis("s")
        .record(powertools::testing::events::KinesisRecord::new("A", "1").sequence_number(numbers))
        .record(powertools::testing::events::KinesisRecord::new("A", "2").sequence_number(longer))
        .build();
    let report = batch::kinesis(super::parse::<KinesisEvent>(event))
        .run(async |n: KinesisMessage<u64>| if n.body == 2 { Err("no") } else { Ok(()) })
        .await;
    // As a string it is the smaller one.
    assert_eq!(reported(report), [longer]);
}

#[tokio::test(start_paused = true)]
async fn records_of_a_key_are_handled_one_after_the_other() {
    let log = Log::default();
    let report = batch::dynamodb(changes("A1 A2 B1 A3"))
        .concurrency(4)
        .run(|change: Change<Item>| {
            let log = log.clone();
            async move { work(&log, "", &change.new.as_ref().unwrap().name).await }
        })
        .await;
    assert!(report.is_done());
    assert_eq!(log.text(), "A1 B1 A2 A3");
}

#[tokio::test(start_paused = true)]
async fn a_failed_partition_stops_and_every_record_of_it_that_did_not_succeed_is_reported() {
    for concurrency in [1, 4] {
        let log = Log::default();
        let report = batch::kafka(topic("A1 A2 A3 B1 B2"))
            .partial_response()
            .concurrency(concurrency)
            .run(|name: KafkaMessage<String>| {
                let log = log.clone();
                async move { work(&log, "A2", &name.body).await }
            })
            .await;
        assert_eq!(outcomes(&report), "sfnss");
        let failed = |offset| json!({ "partition": "orders-A", "offset": offset });
        assert_eq!(reported(report), [failed(2), failed(3)]);
    }
}

#[tokio::test]
async fn a_partition_is_handled_by_its_offsets() {
    let log = Log::default();
    let report = batch::kafka(topic("A10 A2 B7 A1 B3"))
        .run(async |name: KafkaMessage<String>| {
            log.write(&name.body);
            Ok::<_, String>(())
        })
        .await;
    assert!(report.is_done());
    assert_eq!(log.text(), "A1 A2 A10 B3 B7");
}

#[tokio::test]
async fn ten_thousand_and_one_records_of_one_group_are_processed() {
    let names: Vec<_> = (0..10_001).map(|n| format!("A{n}")).collect();
    for concurrency in [1, 16] {
        let report = batch::sqs(fifo(&names.join(" ")))
            .concurrency(concurrency)
            .run(
                async |name: Message<String>| {
                    if name.body == "A10000" { Err("no") } else { Ok(()) }
                },
            )
            .await;
        assert_eq!(reported(report), ["A10000"]);
    }
}
