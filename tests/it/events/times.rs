//! Times to the millisecond, which `aws_lambda_events` 1.2.1 reads wrong.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lambda_events::{kafka, kinesis};
use powertools::batch::{FromRecord, KinesisMessage};
use powertools::events::{DynamoDbEvent, DynamoDbRecord, KafkaEvent, KinesisEvent};
use powertools::testing::events;
use serde_json::{Value, json};

fn millis(time: Option<SystemTime>) -> u128 {
    time.unwrap().duration_since(UNIX_EPOCH).unwrap().as_millis()
}

#[test]
fn every_millisecond_of_a_second_is_read() {
    let mut early = 0;
    for milli in 0..1_000_u64 {
        let expected = u128::from(1_545_084_650_000 + milli);
        // JSON numbers drop trailing zeros: .98 and not .980.
        let seconds = format!("1545084650.{milli:03}");
        let seconds = seconds.trim_end_matches('0').trim_end_matches('.');
        let seconds: Value = serde_json::from_str(seconds).unwrap();

        let event =
            json!({ "Records": [{ "kinesis": { "approximateArrivalTimestamp": seconds } }] });
        let event: KinesisEvent = serde_json::from_value(event).unwrap();
        assert_eq!(millis(event.records[0].arrived_at()), expected);

        let event =
            json!({ "Records": [{ "dynamodb": { "ApproximateCreationDateTime": seconds } }] });
        let event: DynamoDbEvent = serde_json::from_value(event).unwrap();
        assert_eq!(millis(event.records[0].created_at()), expected);

        let event = kafka_event(1_545_084_650_000 + milli);
        let ours: KafkaEvent = serde_json::from_value(event.clone()).unwrap();
        assert_eq!(millis(ours.records[0].timestamp()), expected);

        let theirs: kafka::KafkaEvent = serde_json::from_value(event).unwrap();
        let converted = KafkaEvent::from(theirs);
        early += usize::from(millis(converted.records[0].timestamp()) != expected);
    }
    // When this fails, the crate has been fixed, and its records can have natural keys.
    assert!(early > 0, "the times of aws_lambda_events are exact");
}

#[test]
fn a_fraction_of_two_digits_is_read_as_hundredths() {
    let event = json!({ "Records": [{
        "eventSource": "aws:kinesis",
        "kinesis": {
            "approximateArrivalTimestamp": 1_545_084_650.98,
            "data": "eA==",
            "partitionKey": "a",
            "sequenceNumber": "1",
        },
    }] });
    let ours: KinesisEvent = serde_json::from_value(event.clone()).unwrap();
    assert_eq!(millis(ours.records[0].arrived_at()), 1_545_084_650_980);

    let theirs: kinesis::KinesisEvent = serde_json::from_value(event).unwrap();
    let converted = KinesisEvent::from(theirs);
    assert_eq!(millis(converted.records[0].arrived_at()), 1_545_084_650_098, "as documented");
}

fn kafka_event(timestamp: u64) -> Value {
    let record = json!({
        "topic": "t",
        "partition": 0,
        "offset": 0,
        "timestamp": timestamp,
        "timestampType": "CREATE_TIME",
        "headers": [],
    });
    json!({ "eventSource": "aws:kafka", "bootstrapServers": "b", "records": { "t-0": [record] } })
}

#[test]
fn the_time_of_a_change_that_comes_through_kinesis_has_its_precision() {
    let time = |time: u64, precision: Value| {
        let change = json!({ "dynamodb": {
            "ApproximateCreationDateTime": time,
            "ApproximateCreationDateTimePrecision": precision,
            "Keys": { "id": { "N": "1" } },
        } });
        millis(serde_json::from_value::<DynamoDbRecord>(change).unwrap().created_at())
    };
    assert_eq!(time(1_545_084_650_987, json!("MILLISECOND")), 1_545_084_650_987);
    assert_eq!(time(1_545_084_650_987_654, json!("MICROSECOND")), 1_545_084_650_988);
    for precision in ["MILLISECOND", "MICROSECOND"] {
        let keys = json!({ "id": 1 });
        let changes = events::dynamodb("orders").insert(keys.clone(), keys);
        let record = changes.through_kinesis(precision).remove(0);
        let event = events::kinesis("changes").record(record).build();
        let event: KinesisEvent = serde_json::from_value(event).unwrap();
        let change =
            KinesisMessage::<DynamoDbRecord>::from_record(event.records[0].clone()).unwrap();
        assert_eq!(millis(change.body.created_at()), 1_767_225_600_000);
    }
    assert_eq!(
        time(1_545_084_650_987, Value::Null),
        1_545_084_650_987,
        "from before there was one"
    );
}
