//! The simulated event source mappings: each rule of Lambda's, on small handlers.

use std::cell::Cell;
use std::convert::Infallible;
use std::time::Duration;

use lambda_runtime::LambdaEvent;
use powertools::testing::{End, EventSource, Happening, History, Stream};
use serde_json::{Value, json};

mod brokers;
mod faults;
mod fifo;
mod functions;
mod histories;
mod kafka;
mod pipes;
mod sqs;
mod streams;

const SECOND: Duration = Duration::from_secs(1);

/// The event of a delivery.
type Event = LambdaEvent<Value>;

/// The records of an event from SQS.
fn records(event: &Event) -> &[Value] {
    event.payload["Records"].as_array().unwrap()
}

/// The ids of an event's messages.
fn ids(event: &Event) -> Vec<&str> {
    records(event).iter().map(|message| message["messageId"].as_str().unwrap()).collect()
}

/// The sequence numbers of an event's records.
fn numbers(event: &Event) -> Vec<&str> {
    fn number(record: &Value) -> Option<&str> {
        let kinesis = record["kinesis"]["sequenceNumber"].as_str();
        kinesis.or_else(|| record["dynamodb"]["SequenceNumber"].as_str())
    }
    records(event).iter().filter_map(number).collect()
}

/// The reply that reports these.
fn failed<T: Into<Value>>(ids: impl IntoIterator<Item = T>) -> Value {
    let items = ids.into_iter().map(|id| json!({ "itemIdentifier": id.into() }));
    json!({ "batchItemFailures": items.collect::<Vec<_>>() })
}

/// What each delivery had: when, and what records.
fn deliveries(history: &History) -> Vec<(Duration, String)> {
    let ids = |records: &[powertools::testing::Received]| {
        records.iter().map(|record| record.id.as_str()).collect::<Vec<_>>().join(" ")
    };
    history.deliveries().map(|delivery| (delivery.at, ids(delivery.records))).collect()
}

/// How the invocations ended, in the order in which they did.
fn ends(history: &History) -> Vec<&End> {
    let ends = history.steps().iter().filter_map(|step| match &step.what {
        Happening::Ended { end, .. } => Some(end),
        _ => None,
    });
    ends.collect()
}

/// Delivers all of a source, and says how many of its batches the function had at once.
async fn most_at_once(source: EventSource<Stream>) -> (usize, History) {
    let (running, largest) = (Cell::new(0), Cell::new(0));
    let history = source
        .run(async |_: Event| {
            running.set(running.get() + 1);
            tokio::task::yield_now().await;
            largest.set(largest.get().max(running.get()));
            running.set(running.get() - 1);
            Ok::<_, Infallible>(())
        })
        .await;
    (largest.get(), history)
}
