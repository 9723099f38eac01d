//! A standard queue.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use powertools::testing::events::{self, SqsMessage, SqsMessages};
use powertools::testing::{EventSource, Fate, ManualClock, Sqs};
use serde_json::{Value, json};

use super::{Event, SECOND, deliveries, failed, ids, records};

#[tokio::test]
async fn batches_are_as_full_as_they_can_be() {
    let history = source(5).batch_size(2).run(succeed).await;
    let sizes: Vec<_> = history.deliveries().map(|delivery| delivery.records.len()).collect();
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(history.done(), ["m1", "m2", "m3", "m4", "m5"]);
    assert!(history.unsettled().is_empty());
}

#[tokio::test]
async fn only_failures_are_delivered_again_after_the_visibility_timeout() {
    let first = Cell::new(true);
    let history = source(3)
        .visibility_timeout(70 * SECOND)
        .run(async |_: Event| {
            let failures = if first.take() { vec!["m2"] } else { vec![] };
            Ok::<_, Infallible>(failed(failures))
        })
        .await;
    let expected = [(Duration::ZERO, "m1 m2 m3".to_owned()), (70 * SECOND, "m2".to_owned())];
    assert_eq!(deliveries(&history), expected);
    assert_eq!(history.done(), ["m1", "m3", "m2"]);
}

#[tokio::test]
async fn an_error_or_a_panic_brings_the_whole_batch_again() {
    let count = Cell::new(0);
    let history = source(2)
        .run(async |_: Event| {
            count.set(count.get() + 1);
            match count.get() {
                1 => Err("no database"),
                2 => panic!("a panic of the function under test"),
                _ => Ok(()),
            }
        })
        .await;
    assert_eq!(history.deliveries_of("m1").count(), 3);
    assert_eq!(history.deliveries_of("m2").count(), 3);
    assert_eq!(history.done(), ["m1", "m2"]);
}

#[tokio::test]
async fn messages_show_how_often_and_since_when_they_were_received() {
    let seen = RefCell::new(Vec::new());
    source(1)
        .max_receive_count(2)
        .run(async |event: Event| {
            let attributes = &records(&event)[0]["attributes"];
            let [count, first] = ["ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"]
                .map(|name| attributes[name].as_str().unwrap().to_owned());
            seen.borrow_mut().push((count, first));
            Err::<(), _>("always")
        })
        .await;
    let first = "1767225600000".to_owned();
    assert_eq!(seen.into_inner(), [("1".to_owned(), first.clone()), ("2".to_owned(), first)]);
}

#[tokio::test]
async fn a_message_received_too_often_is_moved_to_the_dead_letter_queue() {
    let history = source(3)
        .max_receive_count(3)
        .run(async |event: Event| {
            let poison = ids(&event).contains(&"m2").then_some("m2");
            Ok::<_, Infallible>(failed(poison))
        })
        .await;
    assert_eq!(history.dead_lettered(), ["m2"]);
    assert_eq!(history.done(), ["m1", "m3"]);
    assert_eq!(history.fate("m2"), Some(Fate::DeadLettered));
    let attempts: Vec<_> = history.deliveries_of("m2").map(|d| d.records.len()).collect();
    assert_eq!(attempts, [3, 1, 1]);
}

#[tokio::test]
async fn without_a_dead_letter_queue_poison_never_ends() {
    let history = source(1).max_invocations(50).run(async |_: Event| Err::<(), _>("always")).await;
    assert_eq!(history.deliveries_of("m1").count(), 50);
    assert_eq!(history.unsettled(), ["m1"]);
    assert_eq!(history.fate("m1"), None);
}

#[tokio::test]
async fn without_the_flag_of_the_mapping_a_reply_is_ignored_and_failures_are_deleted() {
    let history = source(2)
        .report_batch_item_failures(false)
        .run(async |event: Event| Ok::<_, Infallible>(failed(ids(&event))))
        .await;
    assert_eq!(history.done(), ["m1", "m2"]);

    let history = source(1)
        .report_batch_item_failures(false)
        .max_receive_count(2)
        .run(async |_: Event| Err::<(), _>("always"))
        .await;
    assert_eq!(history.dead_lettered(), ["m1"]);
}

#[tokio::test]
async fn a_reply_that_cannot_be_read_brings_the_whole_batch_again() {
    for reply in [
        r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
        r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
        r#"{"batchItemFailures":[{"messageId":"m1"}]}"#,
        r#"{"batchItemFailures":[{"itemIdentifier":"m1"},{"itemIdentifier":"other"}]}"#,
        r#"{"batchItemFailures":["#,
    ] {
        let history = source(2)
            .max_receive_count(1)
            .run_raw(async |_| Ok::<_, Infallible>(reply.as_bytes()))
            .await;
        assert_eq!(history.dead_lettered(), ["m1", "m2"], "{reply}");
    }
}

#[tokio::test]
async fn an_empty_reply_means_that_all_succeeded() {
    for reply in ["", "null", "{}", r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#]
    {
        let history = source(2).run_raw(async |_| Ok::<_, Infallible>(reply.as_bytes())).await;
        assert_eq!(history.done(), ["m1", "m2"], "{reply}");
    }
}

#[tokio::test]
async fn several_batches_are_with_the_function_at_a_time() {
    for (most, expected) in [(1, 1), (3, 3)] {
        let (running, peak) = (Cell::new(0), Cell::new(0));
        source(8)
            .batch_size(1)
            .maximum_concurrency(most)
            .run(async |_: Event| {
                running.set(running.get() + 1);
                peak.set(peak.get().max(running.get()));
                tokio::task::yield_now().await;
                running.set(running.get() - 1);
                Ok::<_, Infallible>(())
            })
            .await;
        assert_eq!(peak.get(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_visibility_ends_is_delivered_again_while_the_function_runs() {
    let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH);
    let history = source(1)
        .clock(&clock)
        .visibility_timeout_changed_later(10 * SECOND)
        .timeout(60 * SECOND)
        .run(async |event: Event| {
            let count = &records(&event)[0]["attributes"]["ApproximateReceiveCount"];
            let work = if count == "1" { 15 * SECOND } else { SECOND };
            tokio::time::sleep(work).await;
            Ok::<_, Infallible>(())
        })
        .await;
    let starts: Vec<_> = history.deliveries().map(|delivery| delivery.at.as_secs()).collect();
    assert_eq!(starts, [0, 10]);
    assert_eq!(history.done(), ["m1"], "settled once");
}

#[tokio::test]
async fn nothing_to_deliver_is_a_history_without_deliveries() {
    let history = EventSource::sqs(events::sqs("orders")).run(succeed).await;
    assert_eq!(history.steps(), []);
}

#[tokio::test]
async fn irregular_batches_come_in_any_size_and_order() {
    let run = |seed| source(40).irregular_batches().seed(seed).run(succeed);
    let history = run(1).await;
    let sizes: Vec<_> = history.deliveries().map(|delivery| delivery.records.len()).collect();
    assert!(sizes.iter().any(|size| *size < 8) && sizes.iter().all(|size| *size <= 10));
    assert!(!history.done().is_sorted());
    assert_eq!(history.done().len(), 40);
}

async fn succeed(_: Event) -> Result<Value, Infallible> {
    Ok(json!({ "batchItemFailures": [] }))
}

fn source(messages: usize) -> EventSource<Sqs> {
    EventSource::sqs(queue(messages))
}

/// The messages `m1`, `m2` and so on.
fn queue(messages: usize) -> SqsMessages {
    (1..=messages).fold(events::sqs("orders"), |queue, n| {
        queue.message(SqsMessage::from(json!({ "order": n })).id(format!("m{n}")))
    })
}

#[tokio::test]
#[should_panic(expected = "the visibility timeout of the queue, 10s, is shorter than the timeout")]
async fn a_visibility_timeout_below_that_of_the_function_is_refused() {
    source(1).visibility_timeout(10 * SECOND).timeout(60 * SECOND).run(succeed).await;
}

#[tokio::test]
#[should_panic(expected = "at most 10000 messages, not 10001")]
async fn a_batch_of_a_standard_queue_has_10_000_messages_at_most() {
    source(1).batch_size(10_001).run(succeed).await;
}

#[tokio::test]
async fn an_empty_string_or_list_is_not_a_reply() {
    for reply in ["[]", "\"\""] {
        let source = source(1).max_receive_count(2);
        let history = source.run_raw(async |_| Ok::<_, Infallible>(reply)).await;
        assert_eq!(history.dead_lettered(), ["m1"], "{reply}");
    }
}

#[tokio::test]
#[should_panic(expected = "batches of more than 10 messages need a batching window")]
async fn a_large_batch_needs_a_batching_window() {
    source(1).batch_size(11).run(succeed).await;
}

#[tokio::test]
#[should_panic(expected = "a whole number of seconds, 300 at most, not 301s")]
async fn a_batching_window_over_5_minutes_is_refused() {
    source(1).batch_window(301 * SECOND).run(succeed).await;
}

#[tokio::test]
async fn a_batching_window_gathers_messages_until_it_ends_or_the_batch_is_full() {
    // m1 and m3 fail once, and become visible again at 30 and 32 seconds.
    let run = async |window: Duration| {
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
        let failures = RefCell::new(vec!["m3", "m1"]);
        let history = source(4)
            .batch_size(2)
            .maximum_concurrency(1)
            .clock(&clock)
            .batch_window(window)
            .run(async |_: Event| {
                clock.advance(2 * SECOND);
                Ok::<_, Infallible>(failed(failures.borrow_mut().pop()))
            })
            .await;
        let deliveries = deliveries(&history);
        deliveries[2..]
            .iter()
            .map(|(at, ids)| format!("{}: {ids}", at.as_secs()))
            .collect::<Vec<_>>()
    };
    assert_eq!(run(Duration::ZERO).await, ["30: m1", "32: m3"]);
    assert_eq!(run(SECOND).await, ["31: m1", "34: m3"]);
    assert_eq!(run(5 * SECOND).await, ["32: m1 m3"]);
}
