//! Keys that an event's own source gives.

use aws_lambda_events::alb::AlbTargetGroupRequest;
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use aws_lambda_events::s3::S3Event;
use aws_lambda_events::sns::SnsEvent;
use aws_lambda_events::{dynamodb, kafka, kinesis, sqs};
use powertools::events::{DynamoDbEvent, KafkaEvent, KinesisEvent, NaturalKey, SqsEvent, natural};
use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::testing::event;
use powertools::testing::events::{self, KinesisRecord, SqsMessage};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

#[test]
fn a_message_of_a_queue_has_its_id() {
    let message = |id: &str, receive_count| {
        let message = SqsMessage::from("order").id(id).receive_count(receive_count);
        let event = events::sqs("orders").message(message).build();
        let ours = natural(&read::<SqsEvent>(event.clone()).records[0]);
        assert_eq!(ours, natural(&read::<sqs::SqsEvent>(event).records[0]));
        ours
    };
    assert_eq!(message("m-1", 1), message("m-1", 2));
    assert_ne!(message("m-1", 1), message("m-2", 1));
}

#[test]
fn a_record_of_a_stream_has_its_stream_and_its_id() {
    let record = |stream: &str, number: &str| {
        let record = KinesisRecord::new("a", "click").sequence_number(number);
        let event = events::kinesis(stream).record(record).build();
        let ours = natural(&read::<KinesisEvent>(event.clone()).records[0]);
        assert_eq!(ours, natural(&read::<kinesis::KinesisEvent>(event).records[0]));
        ours
    };
    assert_eq!(record("clicks", "7"), record("clicks", "7"));
    assert_ne!(record("clicks", "7"), record("clicks", "8"));
    assert_ne!(record("clicks", "7"), record("views", "7"), "shards are numbered alike");
}

#[test]
fn a_change_of_an_item_has_its_id() {
    let key = json!({ "id": "a" });
    let event = events::dynamodb("orders")
        .insert(key.clone(), key.clone())
        .modify(key.clone(), key.clone(), key)
        .build();
    let ours: Vec<_> = read::<DynamoDbEvent>(event.clone()).records.iter().map(natural).collect();
    let theirs: Vec<_> = read::<dynamodb::Event>(event).records.iter().map(natural).collect();
    assert_eq!(ours, theirs);
    assert_ne!(ours[0], ours[1]);
    assert!(!ours[0].is_absent());
}

#[test]
fn a_kafka_record_has_its_place() {
    let record = |partition, offset| of_kafka(kafka_event(partition, offset, TIME));
    assert_eq!(record(0, 7), record(0, 7));
    assert_ne!(record(0, 7), record(1, 7));
    assert_ne!(record(0, 7), record(0, 8));
}

/// A topic that was deleted and created again starts at offset 0.
#[test]
fn a_kafka_record_of_a_new_topic_of_the_same_name_has_another_key() {
    let first = of_kafka(kafka_event(0, 0, TIME));
    assert_ne!(first, of_kafka(kafka_event(0, 0, TIME + 1)));
    let expected = [ARN, "t-0", "0", "1790000000123"].map(Some);
    assert_eq!(first, NaturalKey::new(expected), "to the millisecond");
}

#[test]
fn a_kafka_record_of_another_cluster_has_another_key() {
    let of = |arn: Value, servers: &str| {
        let mut event = kafka_event(0, 7, TIME);
        event["eventSourceArn"] = arn;
        event["bootstrapServers"] = json!(servers);
        of_kafka(event)
    };
    assert_ne!(of(json!("arn:1"), "b"), of(json!("arn:2"), "b"));
    assert_eq!(of(json!("arn:1"), "b"), of(json!("arn:1"), "c"), "brokers come and go");
    // Self-managed Kafka has no ARN.
    for no_arn in [Value::Null, json!("")] {
        assert_ne!(of(no_arn.clone(), "b"), of(no_arn.clone(), "c"));
        assert!(of(no_arn, "").is_absent(), "it could be that of any cluster");
    }
}

/// Its times are inexact: 1790000000123 is read as 1790000000122.
#[test]
fn a_kafka_record_of_aws_lambda_events_has_no_key() {
    let theirs: kafka::KafkaEvent = read(kafka_event(0, 7, TIME));
    let converted = KafkaEvent::from(theirs);
    assert!(natural(&converted.records[0]).is_absent());
}

const ARN: &str = "arn:aws:kafka:eu-central-1:123456789012:cluster/c";
const TIME: u64 = 1_790_000_000_123;

fn kafka_event(partition: u32, offset: u32, timestamp: u64) -> Value {
    let record = json!({
        "topic": "t",
        "partition": partition,
        "offset": offset,
        "timestamp": timestamp,
        "timestampType": "CREATE_TIME",
        "headers": [],
    });
    json!({
        "eventSource": "aws:kafka",
        "eventSourceArn": ARN,
        "bootstrapServers": "b",
        "records": { format!("t-{partition}"): [record] },
    })
}

fn of_kafka(event: Value) -> NaturalKey {
    natural(&read::<KafkaEvent>(event).records[0])
}

#[test]
fn an_objects_key_has_its_bucket_key_sequencer_and_event() {
    let named = |sequencer: Value, name: &str| {
        let mut event = events::s3("photos").created("cat.jpg", 7).build();
        event["Records"][0]["s3"]["object"]["sequencer"] = sequencer;
        event["Records"][0]["eventName"] = json!(name);
        let ours = natural(&read::<powertools::events::S3Notification>(event.clone()));
        assert_eq!(ours, natural(&read::<S3Event>(event)));
        ours
    };
    let event = |sequencer: &str| named(json!(sequencer), "ObjectCreated:Put");
    assert_eq!(event("A"), event("A"));
    assert_ne!(event("A"), event("B"), "the object was written again");
    let expected = ["photos", "cat.jpg", "A", "ObjectCreated:Put"].map(Some);
    assert_eq!(event("A"), NaturalKey::new(expected));
    assert_ne!(event("A"), named(json!("A"), "ObjectCreated:Copy"));
    // Of tags and ACLs.
    for name in ["ObjectTagging:Put", "ObjectAcl:Put"] {
        assert!(named(Value::Null, name).is_absent(), "two changes would share a key");
    }
}

#[test]
fn a_notification_has_its_message_id() {
    let event = |id: &str| {
        let event = events::sns("topic", "hello").id(id).build();
        let ours = natural(&read::<powertools::events::SnsEvent>(event.clone()));
        assert_eq!(ours, natural(&read::<SnsEvent>(event)));
        ours
    };
    assert_eq!(event("n-1"), NaturalKey::new([Some("n-1")]));
    assert_ne!(event("n-1"), event("n-2"));
}

#[test]
fn an_event_of_a_bus_has_its_id() {
    let event = |id: &str| {
        let event = events::event_bridge("shop", "OrderPlaced", json!({ "order": 7 })).id(id);
        let event = event.build();
        let ours = natural(&read::<powertools::events::EventBridge>(event.clone()));
        assert_eq!(ours, natural(&read::<EventBridgeEvent>(event)));
        ours
    };
    assert_eq!(event("e-1"), NaturalKey::new([Some("e-1")]));
    assert_ne!(event("e-1"), event("e-2"));
}

#[test]
fn an_event_of_a_schedule_has_the_time_for_which_it_was_scheduled() {
    let event = |id: &str| {
        let mut event = events::event_bridge("aws.scheduler", "Scheduled Event", json!("{}"))
            .id(id)
            .resource("arn:schedule")
            .build();
        event["time"] = json!("2026-01-02T03:00:00Z");
        let ours = natural(&read::<powertools::events::EventBridge>(event.clone()));
        assert_eq!(ours, natural(&read::<EventBridgeEvent>(event.clone())));
        event["resources"] = Value::Null;
        assert!(natural(&read::<EventBridgeEvent>(event)).is_absent());
        ours
    };
    let expected = ["arn:schedule", "2026-01-02T03:00:00Z"].map(Some);
    assert_eq!(event("attempt-1"), NaturalKey::new(expected));
    assert_eq!(event("attempt-1"), event("attempt-2"));
}

#[test]
fn a_request_has_the_key_of_its_client() {
    let expected = NaturalKey::new([Some("k-1")]);
    for header in ["Idempotency-Key", "idempotency-key"] {
        let v1 = events::api_gateway_v1("POST", "/orders").header(header, "k-1").build();
        assert_eq!(natural(&read::<ApiGatewayProxyRequest>(v1)), expected);
        let v2 = events::api_gateway_v2("POST", "/orders").header(header, "k-1").build();
        assert_eq!(natural(&read::<ApiGatewayV2httpRequest>(v2)), expected);
        let url = events::function_url("POST", "/orders").header(header, "k-1").build();
        assert_eq!(natural(&read::<LambdaFunctionUrlRequest>(url)), expected);
        for headers in ["headers", "multiValueHeaders"] {
            let value = if headers == "headers" { json!("k-1") } else { json!(["k-1"]) };
            let alb = json!({
                "httpMethod": "POST",
                "requestContext": { "elb": { "targetGroupArn": "arn" } },
                headers: { header: value },
            });
            assert_eq!(natural(&read::<AlbTargetGroupRequest>(alb)), expected);
        }
    }
    let request = http::Request::post("/orders").header("Idempotency-Key", "k-1").body(()).unwrap();
    assert_eq!(natural(&request), expected);
}

#[tokio::test]
async fn a_request_without_an_identifier_is_rejected() {
    let request = events::api_gateway_v2("POST", "/orders").build();
    let request: ApiGatewayV2httpRequest = read(request);
    assert!(natural(&request).is_absent());

    let records = Idempotency::new(MemoryStore::new()).unwrap();
    let charge = async || Ok::<_, Error>("charged".to_owned());
    let refused = records.run("charge", &natural(&request), charge()).await;
    assert!(matches!(refused, Err(Error::KeyMissing { .. })), "{refused:?}");
}

#[test]
fn a_batch_of_several_records_has_no_key() {
    let event = events::s3("photos").created("a.jpg", 7).created("b.jpg", 7).build();
    assert!(natural(&read::<S3Event>(event)).is_absent());
    assert!(natural(&SnsEvent::default()).is_absent());
}

#[tokio::test]
async fn a_second_delivery_receives_the_stored_result() {
    let records = Idempotency::new(MemoryStore::new()).unwrap();
    let notify = async |id: &str, answer: &'static str| {
        let event = event(read::<SnsEvent>(events::sns("topic", "hello").id(id).build()));
        let work = async { Ok::<_, Error>(answer.to_owned()) };
        records.run("notify", &natural(&event), work).await.unwrap()
    };
    assert_eq!(notify("n-1", "first").await, "first");
    assert_eq!(notify("n-1", "second").await, "first");
    assert_eq!(notify("n-2", "second").await, "second");
}

fn read<T: DeserializeOwned>(event: Value) -> T {
    serde_json::from_value(event).unwrap()
}
