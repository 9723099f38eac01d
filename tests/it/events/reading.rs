//! The types of events deserialise wherever `serde` is used, and accept what AWS leaves out.

use powertools::batch::Record;
use powertools::events::{
    DynamoDbEvent, EventBridge, KafkaEvent, KinesisEvent, S3Notification, SnsEvent, SqsEvent,
    StepFunctionsContext, Text,
};
use powertools::testing::events::{self, KafkaRecord, KinesisRecord, SqsMessage};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// An event of one of several sources, as a function with several triggers takes it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Any {
    EventBridge(EventBridge),
    Kafka(KafkaEvent),
    Sqs(SqsEvent),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Streams {
    Kinesis(KinesisEvent),
    Kafka(KafkaEvent),
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Tagged {
    Sqs(SqsEvent),
    DynamoDb(DynamoDbEvent),
}

#[derive(Deserialize)]
struct Flat<T> {
    #[serde(flatten)]
    event: T,
    trace: u32,
}

fn sqs() -> Value {
    let message = SqsMessage::from(json!({ "order": 7 }))
        .id("m-1")
        .group("g")
        .receive_count(3)
        .message_attribute("kind", "order");
    events::sqs("orders.fifo").message(message).build()
}

fn dynamodb() -> Value {
    let (key, item) = (json!({ "id": 1 }), json!({ "id": 1, "name": "a\"b\u{1}ä" }));
    events::dynamodb("orders").insert(key, item).build()
}

#[test]
fn events_deserialise_inside_an_untagged_enum() {
    let Any::Sqs(event) = read(sqs()) else { panic!("another event") };
    is_the_message(&event);

    let kafka = events::kafka("t").record(KafkaRecord::new("x").header("kind", "order")).build();
    let Any::Kafka(event) = read(kafka.clone()) else { panic!("another event") };
    assert_eq!(event.records[0].header("kind").as_deref(), Some(&b"order"[..]));
    let Streams::Kafka(event) = read(kafka) else { panic!("another event") };
    assert_eq!(event.records[0].value().unwrap().as_deref(), Some(&b"x"[..]));

    let kinesis = events::kinesis("s").record(KinesisRecord::new("k", "x")).build();
    let Streams::Kinesis(event) = read(kinesis) else { panic!("another event") };
    assert_eq!(event.records[0].data().unwrap(), b"x");

    let event = events::event_bridge("shop", "OrderPlaced", json!({ "order": 7 })).build();
    let Any::EventBridge(event) = read(event) else { panic!("another event") };
    assert_eq!(event.detail["order"], 7);
}

#[test]
fn events_deserialise_inside_a_tagged_enum_and_flattened() {
    let mut event = sqs();
    event["type"] = json!("sqs");
    let Tagged::Sqs(event) = read(event) else { panic!("another event") };
    is_the_message(&event);

    let mut event = dynamodb();
    event["type"] = json!("dynamodb");
    let Tagged::DynamoDb(event) = read(event) else { panic!("another event") };
    let item: Option<Value> = event.records[0].new_image().unwrap();
    assert_eq!(item, Some(json!({ "id": 1, "name": "a\"b\u{1}ä" })));
    assert_eq!(event.records[0].order().unwrap(), r#"{"id":{"N":"1"}}"#);

    let mut event = sqs();
    event["trace"] = json!(1);
    let flat: Flat<SqsEvent> = read(event);
    assert_eq!(flat.trace, 1);
    is_the_message(&flat.event);
}

#[test]
fn an_event_of_another_source_is_an_error_and_thus_another_variant() {
    for event in [json!({}), json!([]), json!(null), json!("x"), json!({ "Records": 1 })] {
        assert!(serde_json::from_value::<SqsEvent>(event.clone()).is_err(), "{event}");
        assert!(serde_json::from_value::<Any>(event.clone()).is_err(), "{event}");
        assert!(serde_json::from_value::<S3Notification>(event.clone()).is_err(), "{event}");
        assert!(serde_json::from_value::<SnsEvent>(event).is_err());
    }
}

/// What a record has and what it lacks must not depend on where it is read.
#[test]
fn members_that_are_missing_null_or_unknown_are_accepted() {
    let names = ["attributes", "messageAttributes", "body", "md5OfBody", "eventSourceARN"];
    for name in names {
        for value in [None, Some(Value::Null), Some(json!({})), Some(json!(7))] {
            let mut event = sqs();
            let record = event["Records"][0].as_object_mut().unwrap();
            record.insert("brandNew".to_owned(), json!([{ "a": [1, 2.5, null] }]));
            match value.clone() {
                None => record.remove(name),
                Some(value) => record.insert(name.to_owned(), value),
            };
            for event in read_everywhere::<SqsEvent>(&event) {
                let record = &event.records[0];
                assert_eq!(record.message_id(), Some("m-1"));
                let (receive_count, kind) =
                    (record.receive_count(), record.message_attribute("kind"));
                assert_eq!(receive_count, (name != "attributes").then_some(3), "{value:?}");
                assert_eq!(kind.is_none(), name == "messageAttributes", "{value:?}");
                assert_eq!(record.body().is_none(), name == "body", "{value:?}");
            }
        }
    }
}

#[test]
fn events_of_one_record_are_read_with_what_they_have() {
    let event: S3Notification = read(events::s3("photos").created("red car.jpg", 7).build());
    let record = &event.records[0];
    assert_eq!(record.bucket(), Some("photos"));
    assert_eq!(record.key().as_deref(), Some("red car.jpg"));
    assert_eq!(record.encoded_key(), Some("red+car.jpg"));
    assert_eq!((record.size(), record.version_id()), (Some(7), None));
    assert_eq!(record.event_name(), Some("ObjectCreated:Put"));
    assert!(record.e_tag().is_some() && record.request_id().is_some());

    let event: SnsEvent = read(events::sns("topic", "hello").id("n-1").subject("new").build());
    let record = &event.records[0];
    let [id, subject] = [&record.message_id, &record.subject].map(Option::as_deref);
    assert_eq!((id, subject), (Some("n-1"), Some("new")));
    assert_eq!(record.message, Text("hello".to_owned()));
    assert!(record.topic_arn.as_deref().unwrap().ends_with(":topic"));
    let least: SnsEvent = read(json!({ "Records": [{ "Sns": { "Message": "", "Other": 1 } }] }));
    assert_eq!(least.records[0].message_id, None);

    // What the scheduler sends.
    let event: EventBridge<Value> = read(
        json!({ "source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": "{}" }),
    );
    assert_eq!((event.id, event.detail), (None, json!("{}")));

    let _: StepFunctionsContext = read(json!({ "Task": { "Token": "t" }, "Map": null }));
}

fn is_the_message(event: &SqsEvent) {
    let record = &event.records[0];
    assert_eq!(record.message_id(), Some("m-1"));
    assert_eq!(record.body(), Some(r#"{"order":7}"#));
    assert_eq!(record.receive_count(), Some(3));
    assert_eq!(record.group_id().as_deref(), Some("g"));
    let kind = record.message_attribute("kind").unwrap();
    assert_eq!(kind.string_value.as_deref(), Some("order"));
}

/// Reads `event` from its JSON, from a value, and as an untagged enum does.
fn read_everywhere<T: DeserializeOwned>(event: &Value) -> [T; 3] {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum One<T> {
        It(T),
    }
    let json = event.to_string();
    let One::It(untagged) = serde_json::from_str(&json).unwrap();
    [serde_json::from_str(&json).unwrap(), read(event.clone()), untagged]
}

fn read<T: DeserializeOwned>(event: Value) -> T {
    serde_json::from_value(event).unwrap()
}
