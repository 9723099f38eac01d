//! Attributes on top of each other: who is around whom.

use std::future::pending;
use std::sync::Mutex;
use std::time::Duration;

use powertools::batch::Message;
use powertools::events::SqsEvent;
use powertools::testing::{self, events};
use powertools::{Deadline, batch, deadline};
use serde_json::json;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[idempotent(key = order, with = records)]
#[deadline(reserve = "2s")]
async fn stopped(records: &Records, order: u64) -> Result<(), lambda_runtime::Error> {
    let _ = order;
    pending().await
}

#[tokio::test(start_paused = true)]
async fn an_inner_deadline_releases_the_claim_and_its_error_is_returned() {
    let records = records();
    let invocation = testing::invocation().remaining(10 * SECOND).build();
    let error = invocation.scope(stopped(&records, 7)).await.unwrap_err();
    assert!(error.is::<deadline::Error>(), "{error:?}");
    assert!(records.store().snapshot().is_empty());
}

struct Clicks {
    records: Records,
    runs: u32,
}

impl Clicks {
    #[idempotent(key = order, with = self.records, name = "count")]
    #[deadline(reserve = "2s")]
    async fn count(&mut self, order: u64) -> Result<Duration, lambda_runtime::Error> {
        let _ = order;
        self.runs += 1;
        Ok(Deadline::current().remaining())
    }
}

#[tokio::test]
async fn methods_stack_like_functions() {
    let mut clicks = Clicks { records: records(), runs: 0 };
    let invocation = testing::invocation().remaining(10 * SECOND).build();
    let first = invocation.clone().scope(clicks.count(7)).await.unwrap();
    assert!(first <= 8 * SECOND && first > 7 * SECOND, "{first:?}");
    assert_eq!(invocation.scope(clicks.count(7)).await.unwrap(), first, "it was replayed");
    assert_eq!(clicks.runs, 1);
}

#[deadline(reserve = "1s", or = "accepted".to_owned())]
async fn answers(event: LambdaEvent<u64>, work: Duration) -> Result<String, Error> {
    tokio::time::sleep(work).await;
    Ok(format!("charged {}", event.payload))
}

/// Without a layer, the deadline comes from the event.
#[tokio::test(start_paused = true)]
async fn a_fallback_answers_when_the_time_runs_out() {
    let event = || testing::invocation().remaining(10 * SECOND).event(7);
    assert_eq!(answers(event(), SECOND).await.unwrap(), "charged 7");
    assert_eq!(answers(event(), 60 * SECOND).await.unwrap(), "accepted");
}

#[batch(sqs, concurrency = 3)]
#[idempotent(key = order.body, with = records)]
#[deadline(reserve = "3s")]
async fn charge(
    records: &Records,
    seen: &Mutex<Vec<(u64, Duration)>>,
    order: Message<u64>,
) -> Result<(), lambda_runtime::Error> {
    if order.body == 13 {
        return Err("no such order".into());
    }
    seen.lock().unwrap().push((order.body, Deadline::current().remaining()));
    Ok(())
}

fn orders(orders: &[u64]) -> SqsEvent {
    let mut event = events::sqs("orders");
    for (n, order) in orders.iter().enumerate() {
        event = event.message(events::SqsMessage::from(json!(order)).id(format!("m-{n}")));
    }
    serde_json::from_value(event.build()).unwrap()
}

#[tokio::test]
async fn attributes_below_a_batch_apply_to_each_record() {
    let (records, seen) = (records(), Mutex::default());
    let invocation = testing::invocation().remaining(10 * SECOND);
    let event = invocation.event(orders(&[1, 2, 1, 13]));
    let reply = charge(&records, &seen, event).await.unwrap();
    assert_eq!(
        serde_json::to_value(reply).unwrap(),
        json!({ "batchItemFailures": [{ "itemIdentifier": "m-3" }] })
    );
    let mut seen = seen.into_inner().unwrap();
    seen.sort();
    let charged: Vec<_> = seen.iter().map(|(order, _)| *order).collect();
    assert_eq!(charged, [1, 2], "the second of two equal records was replayed");
    assert!(seen.iter().all(|(_, left)| *left <= 7 * SECOND && *left > 6 * SECOND), "{seen:?}");
    assert_eq!(records.store().snapshot().len(), 2, "the record that failed left none");
}

#[batch(sqs, reserve = "2s", concurrency = 2)]
async fn slow(order: Message<u64>) -> Result<(), lambda_runtime::Error> {
    if order.body == 1 { Ok(()) } else { pending().await }
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_stopped_in_time_for_its_reply() {
    let begin = tokio::time::Instant::now();
    let event = testing::invocation().remaining(10 * SECOND).event(orders(&[1, 2, 3]));
    let reply = slow(event).await.unwrap();
    assert!(begin.elapsed() <= 8 * SECOND, "{:?}", begin.elapsed());
    assert_eq!(
        serde_json::to_value(reply).unwrap()["batchItemFailures"],
        json!([{ "itemIdentifier": "m-1" }, { "itemIdentifier": "m-2" }])
    );
}

/// Each layer would double the future, if it took it by value.
#[tokio::test]
async fn a_stack_does_not_double_the_future() {
    #[idempotent(key = order, with = records)]
    #[deadline]
    async fn stacked(records: &Records, order: u64) -> Result<u64, Failure> {
        let state = [order; 768];
        tokio::task::yield_now().await;
        Ok(state.iter().sum())
    }
    type Failure = lambda_runtime::Error;

    let records = records();
    let size = size_of_val(&stacked(&records, 1));
    assert!(size > 6_000 && size < 9_200, "{size} bytes for 6,144 of the body");
}
