//! The lines of records: whose keys they have, what they say of the record, and what is kept of one
//! that fails.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use futures_util::FutureExt;
use lambda_runtime::Error;
use powertools::batch::{self, Message, RecordError};
use powertools::events::{SqsEvent, SqsRecord};
use powertools::logging::{self as logs, Level, observe};
use powertools::{Invocation, testing};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Lines, logging, start};

const SECOND: Duration = Duration::from_secs(1);

/// A batch of this many messages, from `m-0` on, with their numbers in them.
fn messages(count: usize) -> SqsEvent {
    let records: Vec<_> = (0..count)
        .map(|number| {
            json!({
                "messageId": format!("m-{number}"),
                "body": number.to_string(),
                "attributes": { "ApproximateReceiveCount": "2" },
            })
        })
        .collect();
    serde_json::from_value(json!({ "Records": records })).unwrap()
}

/// The lines with this message, each by its record.
fn by_record(lines: &[Value], message: &str) -> Vec<(String, Value)> {
    let lines = lines.iter().filter(|line| line["message"] == message);
    let mut lines: Vec<_> =
        lines.map(|line| (line["record"].as_str().unwrap().to_owned(), line.clone())).collect();
    lines.sort_by(|(a, _), (b, _)| a.cmp(b));
    lines
}

#[tokio::test(start_paused = true)]
async fn keys_and_correlation_ids_stay_with_their_record_at_any_concurrency() {
    for concurrency in [1, 3] {
        let (lines, _guard) = start(logging());
        let work = async {
            logs::append("event", "e-1");
            logs::set_correlation_id("corr-e");
            let handle = async |number: Message<u64>| {
                tracing::info!("begun");
                sleep(SECOND * 2).await;
                logs::append("order", number.body);
                if number.body > 0 {
                    logs::set_correlation_id(format!("corr-{}", number.body));
                }
                let guard = logs::append_scoped("event", number.body);
                sleep(SECOND).await;
                let spawned = Invocation::carry(async { tracing::info!("in a task") });
                tokio::spawn(spawned).await.unwrap();
                drop(guard);
                tracing::info!("done");
                Ok::<_, Error>(())
            };
            let report = batch::sqs(messages(3)).concurrency(concurrency).run(handle).await;
            assert!(report.is_done());
            tracing::info!("behind");
        };
        testing::invocation().build().scope(work).await;
        let lines = lines.json();
        for (number, (record, line)) in by_record(&lines, "begun").iter().enumerate() {
            assert_eq!(*record, format!("m-{number}"));
            assert_eq!((line.get("order"), &line["correlation_id"]), (None, &json!("corr-e")));
            assert_eq!(line["event"], "e-1");
        }
        for (number, (_, line)) in by_record(&lines, "in a task").iter().enumerate() {
            assert_eq!((&line["order"], &line["event"]), (&json!(number), &json!(number)));
        }
        for (number, (_, line)) in by_record(&lines, "done").iter().enumerate() {
            let id = if number > 0 { format!("corr-{number}") } else { "corr-e".to_owned() };
            assert_eq!((&line["order"], &line["event"]), (&json!(number), &json!("e-1")));
            assert_eq!(line["correlation_id"], id);
        }
        let behind = lines.last().unwrap();
        assert_eq!((behind.get("order"), behind.get("record")), (None, None), "{behind}");
        assert_eq!(behind["correlation_id"], "corr-e");
    }
}

#[tokio::test]
async fn a_record_is_on_each_of_its_lines() {
    let (lines, _guard) = start(logging());
    let event = json!({ "Records": [{
        "messageId": "m-1",
        "body": "1",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders.fifo",
        "attributes": { "ApproximateReceiveCount": "3", "MessageGroupId": "ada" },
    }] });
    let event: SqsEvent = serde_json::from_value(event).unwrap();
    let handle = async |_: SqsRecord| {
        tracing::info!("x");
        tracing::info!(record = "mine", "y");
        logs::append("group", "mine");
        tracing::info!("z");
        Err::<(), Error>("no".into())
    };
    let work = async { batch::sqs(event).run(handle).await };
    assert!(!testing::invocation().build().scope(work).await.is_done());
    let lines = lines.json();
    let of = |line: &Value| json!([line["record"], line["attempt"], line["group"]]);
    let [x, y, z, failed] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!(of(x), json!(["m-1", 3, "ada"]));
    assert_eq!(of(y), json!(["mine", 3, "ada"]));
    assert_eq!(of(z), json!(["m-1", 3, "mine"]));
    assert_eq!(of(failed), json!(["m-1", 3, "mine"]));
}

/// A value whose creation logs.
struct Noted;

impl Default for Noted {
    fn default() -> Self {
        tracing::info!("noted");
        Self
    }
}

#[test]
fn the_value_of_a_record_can_log_when_it_is_created() {
    let (sender, written) = mpsc::channel();
    thread::spawn(move || {
        let (lines, _guard) = start(logging());
        let handle = async |_: SqsRecord| {
            let _: &Noted = Invocation::current().unwrap().record_local();
            Ok::<_, Error>(())
        };
        let work = async { batch::sqs(messages(1)).run(handle).await };
        let report = testing::invocation().build().scope(work).now_or_never();
        assert!(report.is_some_and(|report| report.is_done()));
        sender.send(lines.messages()).unwrap();
    });
    // What is not there by then never comes: the thread waits for itself.
    assert_eq!(written.recv_timeout(10 * SECOND), Ok(vec!["noted".to_owned()]));
}

#[derive(Debug, thiserror::Error, powertools::LambdaError)]
#[error("the card was declined")]
#[error_type = "Declined"]
struct Declined(#[source] std::num::ParseIntError);

/// Handles three messages, the second of which fails, and logs at DEBUG.
async fn second_of_three(lines: &Lines) -> Vec<Value> {
    let handle = async |number: Message<u64>| {
        tracing::debug!("kept of {}", number.body);
        sleep(SECOND).await;
        match number.body {
            1 => Err(RecordError::from(Declined("x".parse::<u8>().unwrap_err()))),
            _ => Ok(()),
        }
    };
    let work = async { batch::sqs(messages(3)).concurrency(3).run(handle).await };
    let report = testing::invocation().build().scope(observe(async {
        tracing::debug!("of the event");
        Ok::<_, Error>(work.await)
    }));
    assert_eq!(report.await.unwrap().into_reply().unwrap().batch_item_failures.len(), 1);
    lines.json()
}

#[tokio::test(start_paused = true)]
async fn a_failed_record_writes_its_buffer_and_its_whole_error() {
    let (lines, _guard) = start(logging().buffer(20 * 1024));
    let lines = second_of_three(&lines).await;
    let [kept, failed] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!((&kept["message"], &kept["record"]), (&json!("kept of 1"), &json!("m-1")));
    assert_eq!((&failed["message"], &failed["level"]), (&json!("a record failed"), &json!("WARN")));
    assert_eq!(failed["exception"], "the card was declined");
    assert_eq!(failed["exception_name"], "Declined");
    assert_eq!(failed["exception_chain"], json!(["invalid digit found in string"]));
}

#[tokio::test(start_paused = true)]
async fn a_failed_record_writes_its_buffer_at_levels_above_that_of_its_line() {
    let (lines, _guard) = start(logging().level(Level::Error).buffer(20 * 1024));
    let lines = second_of_three(&lines).await;
    let messages: Vec<_> = lines.iter().map(|line| &line["message"]).collect();
    assert_eq!(messages, ["kept of 1", "a record failed"], "{lines:#?}");
    for logging in [logging().level(Level::Error), logging().level(Level::Fatal).buffer(20 * 1024)]
    {
        let (lines, _guard) = start(logging);
        assert_eq!(second_of_three(&lines).await, [] as [Value; 0]);
    }
}

#[tokio::test]
async fn an_error_in_a_record_writes_the_lines_of_that_record_only() {
    let (lines, _guard) = start(logging().buffer(20 * 1024));
    let handle = async |number: Message<u64>| {
        tracing::debug!("kept of {}", number.body);
        if number.body == 1 {
            tracing::error!("error");
        }
        Ok::<_, Error>(())
    };
    let work = async { batch::sqs(messages(3)).run(handle).await };
    assert!(testing::invocation().build().scope(work).await.is_done());
    assert_eq!(lines.messages(), ["kept of 1", "error"]);
}

#[tokio::test]
async fn a_handler_that_fails_writes_the_lines_of_all_its_records() {
    let (lines, _guard) = start(logging().buffer(20 * 1024));
    let handle = async |number: Message<u64>| {
        tracing::debug!("kept of {}", number.body);
        Ok::<_, Error>(())
    };
    let work = observe(async {
        tracing::debug!("of the event");
        let _ = batch::sqs(messages(2)).run(handle).await;
        Err::<(), Error>("lost".into())
    });
    testing::invocation().build().scope(work).await.unwrap_err();
    let expected = ["of the event", "kept of 0", "kept of 1", "the handler failed"];
    assert_eq!(lines.messages(), expected);
}

#[tokio::test]
async fn a_later_correlation_id_of_the_event_is_on_the_lines_of_its_records() {
    let (lines, _guard) = start(logging());
    let invocation = testing::invocation().build();
    let work = async {
        let handle = async |_: SqsRecord| {
            tracing::info!("before");
            invocation.clone().sync_scope(|| logs::set_correlation_id("corr-1"));
            tracing::info!("after");
            Ok::<_, Error>(())
        };
        let _ = batch::sqs(messages(1)).run(handle).await;
    };
    invocation.clone().scope(work).await;
    let lines = lines.json();
    assert_eq!(lines[0].get("correlation_id"), None);
    assert_eq!(lines[1]["correlation_id"], "corr-1");
}
