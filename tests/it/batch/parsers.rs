//! The parsers of events, on anything.

use powertools::batch;
use powertools::events::{DynamoDbEvent, KafkaEvent, KinesisEvent, SqsEvent};
use powertools::testing::events::{self, SqsMessage};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Bytes that are anything, and bytes that are nearly an event.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let source = prop::sample::select(vec!["aws:sqs", "aws:kinesis", "aws:dynamodb", "aws:kafka"]);
    let nearly = (source, any::<proptest::sample::Index>(), any::<u8>(), 0..4_usize).prop_map(
        |(source, at, byte, change)| {
            let mut text = example(source).to_string().into_bytes();
            let at = at.index(text.len());
            match change {
                0 => text[at] = byte,
                1 => text.truncate(at),
                2 => {
                    text.remove(at);
                }
                _ => text.insert(at, byte),
            }
            text
        },
    );
    prop_oneof![proptest::collection::vec(any::<u8>(), 0..64), nearly, json().prop_map(to_bytes)]
}

fn to_bytes(value: Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// A record with members of every source, which names this one.
fn example(source: &str) -> Value {
    let mut event = events::sqs("q.fifo")
        .message(SqsMessage::from(json!({ "order": 7 })).id("m-1").group("g"))
        .build();
    let record = &mut event["Records"][0];
    record["kinesis"] = json!({ "sequenceNumber": "1", "partitionKey": "k", "data": "MQ==",
        "approximateArrivalTimestamp": 1.5 });
    record["dynamodb"] = json!({ "SequenceNumber": "1", "Keys": { "id": { "S": "a" } },
        "NewImage": { "id": { "S": "a" } } });
    record["eventSource"] = source.into();
    event["eventSource"] = source.into();
    event["records"] =
        json!({ "t-0": [{ "offset": 1, "value": "MQ==", "headers": [{ "h": [1] }] }] });
    event
}

/// JSON with the names of events and any values.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!("aws:sqs")),
        Just(json!("arn:aws:sqs:r:1:q.fifo")),
    ];
    let name = prop_oneof![
        Just("Records"),
        Just("records"),
        Just("messageId"),
        Just("body"),
        Just("attributes"),
        Just("messageAttributes"),
        Just("eventSource"),
        Just("eventSourceARN"),
        Just("kinesis"),
        Just("sequenceNumber"),
        Just("partitionKey"),
        Just("data"),
        Just("dynamodb"),
        Just("Keys"),
        Just("NewImage"),
        Just("SequenceNumber"),
        Just("offset"),
        Just("value"),
        Just("headers"),
        Just("window"),
        Just("S"),
        Just("userIdentity"),
        Just("approximateArrivalTimestamp"),
    ];
    let value = leaf.prop_recursive(5, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name.clone(), inner), 0..6).prop_map(|members| {
                Value::Object(members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
            }),
        ]
    });
    (value.clone(), value).prop_map(|(one, other)| json!({ "Records": [one], "records": other }))
}

/// Every value of the records of an event.
fn ask(event: &[u8]) {
    if let Ok(event) = serde_json::from_slice::<SqsEvent>(event) {
        for record in &event.records {
            let _ = (record.attribute("x"), record.group_id(), record.receive_count());
            let _ = (record.message_attribute("x"), record.sent_at(), record.is_last_attempt());
        }
        run(batch::sqs(event).concurrency(2).run(fail::<batch::Message<Value>>));
    }
    if let Ok(event) = serde_json::from_slice::<KinesisEvent>(event) {
        for record in &event.records {
            let _ = (record.data(), record.arrived_at());
        }
        run(batch::kinesis(event).concurrency(2).run(fail::<batch::KinesisMessage<Value>>));
    }
    if let Ok(event) = serde_json::from_slice::<DynamoDbEvent>(event) {
        for record in &event.records {
            let _ = (record.keys::<Value>(), record.is_expiry(), record.created_at());
        }
        run(batch::dynamodb(event).concurrency(2).run(fail::<batch::Change<Value>>));
    }
    if let Ok(event) = serde_json::from_slice::<KafkaEvent>(event) {
        for record in &event.records {
            let _ = (record.key(), record.header("h"), record.timestamp());
        }
        run(batch::kafka(event).concurrency(2).run(fail::<batch::KafkaMessage<Value>>));
    }
}

async fn fail<R>(_: R) -> Result<(), &'static str> {
    Err("no")
}

/// A batch is reported whole, or refused.
fn run<S: batch::Source>(batch: impl Future<Output = batch::Report<S>>) {
    let report = futures_util::FutureExt::now_or_never(batch).expect("nothing waits");
    let records = report.records().len();
    match report.into_reply() {
        Ok(reply) => {
            let reply = serde_json::to_value(reply).unwrap();
            let failures = reply["batchItemFailures"].as_array().unwrap();
            assert_eq!(failures.is_empty(), records == 0);
        }
        Err(error) => assert!(error.error_type().starts_with("Powertools.Batch")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_panics_and_nothing_is_lost(event in bytes()) {
        ask(&event);
    }

    #[test]
    fn an_event_is_the_same_from_bytes_and_from_values(event in json()) {
        // Not through text: a float that is read again may be its neighbour.
        let direct = serde_json::from_slice::<SqsEvent>(&to_bytes(event.clone()));
        let value = serde_json::from_value::<SqsEvent>(event);
        prop_assert_eq!(direct.is_ok(), value.is_ok());
        if let (Ok(direct), Ok(value)) = (direct, value) {
            for (one, other) in direct.records.iter().zip(&value.records) {
                prop_assert_eq!(one.message_id(), other.message_id());
                prop_assert_eq!(one.body(), other.body());
                prop_assert_eq!(one.group_id(), other.group_id());
            }
        }
    }
}
