//! Batches, by their public rules.

mod aggregated;
mod avro_resolution;
mod bad_data;
mod bad_input;
mod bulk;
mod clock;
mod concurrent;
mod contents;
mod failures;
mod hostile;
mod idempotent;
mod kafka_values;
mod large_bodies;
mod more_sources;
mod order;
mod parsers;
mod records;
mod registry;
mod results;
mod scopes;
mod spawned;
mod vectors;
mod visibility;

use std::sync::{Arc, Mutex};

use powertools::batch::{Error, Outcome, Report, Source};
use powertools::events::{DynamoDbEvent, KafkaEvent, KinesisEvent, SqsEvent};
use powertools::testing::events::{self, KinesisRecord, SqsMessage};
use serde_json::{Value, json};

/// Messages of a standard queue: `m-0` with the body `0` and so on.
pub(crate) fn messages(count: usize) -> SqsEvent {
    let mut event = events::sqs("orders");
    for n in 0..count {
        event = event.message(SqsMessage::from(json!(n)).id(format!("m-{n}")));
    }
    parse(event.build())
}

/// Messages of a FIFO queue, named by their group and a number: `A1 A2 B1`.
fn fifo(names: &str) -> SqsEvent {
    let mut event = events::sqs("orders.fifo");
    for name in names.split(' ') {
        event = event.message(SqsMessage::from(json!(name)).id(name).group(&name[..1]));
    }
    parse(event.build())
}

/// Records of a stream, named by their partition key and a number: `A1 A2 B1`.
fn stream(names: &str) -> KinesisEvent {
    let mut event = events::kinesis("clicks");
    for name in names.split(' ') {
        let record = KinesisRecord::json(&name[..1], json!(name)).sequence_number(name);
        event = event.record(record);
    }
    parse(event.build())
}

/// Changes of items, named by the item and a number: `A1 A2 B1`.
fn changes(names: &str) -> DynamoDbEvent {
    let mut event = events::dynamodb("orders");
    for name in names.split(' ') {
        event = event.insert(json!({ "id": name[..1] }), json!({ "name": name }));
    }
    let mut event = event.build();
    for (record, name) in event["Records"].as_array_mut().unwrap().iter_mut().zip(names.split(' '))
    {
        record["dynamodb"]["SequenceNumber"] = json!(name);
    }
    parse(event)
}

/// Records of a Kafka topic, named by their partition and offset: `A1 A2 B1`, in that order.
fn topic(names: &str) -> KafkaEvent {
    let mut partitions = serde_json::Map::new();
    for name in names.split(' ') {
        let partition = format!("orders-{}", &name[..1]);
        let records = partitions.entry(partition).or_insert_with(|| json!([]));
        records.as_array_mut().unwrap().push(json!({
            "topic": "orders",
            "partition": 0,
            "offset": name[1..].parse::<i64>().unwrap(),
            "timestamp": 1_545_084_650_987_u64,
            "timestampType": "CREATE_TIME",
            "value": base64(json!(name).to_string()),
            "headers": [{ "trace": [-1, 65] }],
        }));
    }
    parse(json!({ "eventSource": "aws:kafka", "records": partitions }))
}

fn base64(data: impl AsRef<[u8]>) -> String {
    let event =
        events::kinesis("s").record(KinesisRecord::new("k", data.as_ref().to_vec())).build();
    event["Records"][0]["kinesis"]["data"].as_str().unwrap().to_owned()
}

fn parse<T: for<'de> serde::Deserialize<'de>>(event: Value) -> T {
    serde_json::from_value(event).unwrap()
}

/// Returns the reported identifiers, as they are serialised.
fn reported<S: Source>(report: Report<S>) -> Vec<Value> {
    let reply = serde_json::to_value(report.into_reply().unwrap()).unwrap();
    assert_eq!(reply.as_object().unwrap().len(), 1);
    let failures = reply["batchItemFailures"].as_array().unwrap();
    failures
        .iter()
        .map(|failure| {
            assert_eq!(failure.as_object().unwrap().len(), 1);
            failure["itemIdentifier"].clone()
        })
        .collect()
}

/// Returns the outcomes, a letter for each: succeeded, failed, permanent, c for stopped, not started.
pub(crate) fn outcomes<S: Source>(report: &Report<S>) -> String {
    let letters = report.records().map(|(_, outcome)| match outcome {
        Outcome::Succeeded => 's',
        Outcome::Failed(_) => 'f',
        Outcome::Permanent(_) => 'p',
        Outcome::Stopped => 'c',
        Outcome::NotStarted => 'n',
        _ => '?',
    });
    letters.collect()
}

fn error<S: Source>(report: Report<S>) -> Error {
    match report.into_reply() {
        Err(error) => error,
        Ok(_) => panic!("there is a reply"),
    }
}

/// Notes of what happened, in order.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn write(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().join(" ")
    }
}
