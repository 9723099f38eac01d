//! The values of the records of an event.

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use aws_lambda_events::event::{dynamodb, kafka, kinesis, sqs};
use powertools::batch::{self, Change, KafkaMessage, KinesisMessage, Message};
use powertools::events::{ChangeKind, DynamoDbEvent, KafkaEvent, KinesisEvent, SqsEvent};
use powertools::testing::events::{self, SqsMessage};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{changes, fifo, parse, reported, stream, topic};

fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

#[test]
fn a_message_has_every_value_of_sqs() {
    let message = SqsMessage::from(json!({ "order": "\"7\" \u{e9}" }))
        .id("m-1")
        .group("customer \"1\"")
        .receive_count(3)
        .attribute("SentTimestamp", "1545082649183")
        .message_attribute("trace", "t-1");
    let built = events::sqs("orders.fifo").message(message.clone()).message(message).build();
    let event: SqsEvent = parse(built.clone());
    let record = &event.records[1];
    let raw = &built["Records"][1];

    assert_eq!(record.message_id(), Some("m-1"));
    assert_eq!(record.body(), raw["body"].as_str());
    assert_eq!(record.receipt_handle(), raw["receiptHandle"].as_str());
    assert_eq!(record.md5_of_body(), raw["md5OfBody"].as_str());
    assert_eq!(record.queue_arn(), raw["eventSourceARN"].as_str());
    assert_eq!(record.group_id().as_deref(), Some("customer \"1\""));
    assert_eq!(record.deduplication_id().as_deref(), Some("m-1"));
    assert_eq!(record.receive_count(), Some(3));
    assert_eq!(record.sent_at(), Some(at(1_545_082_649_183)));
    assert_eq!(record.attribute("SenderId").as_deref(), Some("AIDAIENQZJOLO23YVJ4VO"));
    assert_eq!(record.attribute("None"), None);
    let trace = record.message_attribute("trace").unwrap();
    assert_eq!((&*trace.data_type, trace.string_value.as_deref()), ("String", Some("t-1")));
    assert_eq!(record.message_attribute("none"), None);
    assert!(record.is_fifo());
}

#[test]
fn an_empty_message_is_accepted() {
    let odd = json!({ "Records": [{ "messageId": "m", "attributes": null, "messageAttributes": 7 },
        { "messageId": "m", "attributes": { "ApproximateReceiveCount": 1, "SentTimestamp": "x" } }] });
    let event: SqsEvent = parse(odd);
    for record in &event.records {
        assert_eq!(
            (record.body(), record.receipt_handle(), record.queue_arn()),
            (None, None, None)
        );
        assert_eq!(
            (record.receive_count(), record.sent_at(), record.group_id()),
            (None, None, None)
        );
        assert_eq!(record.message_attribute("x"), None);
        assert!(!record.is_fifo() && !record.is_last_attempt());
    }
}

#[test]
fn a_kinesis_record_has_every_value_of_kinesis() {
    let record = &stream("A1").records[0];
    assert_eq!(record.sequence_number(), Some("A1"));
    assert_eq!(record.partition_key(), Some("A"));
    assert_eq!(record.data().unwrap(), br#""A1""#);
    assert_eq!(record.event_id(), Some("shardId-000000000000:A1"));
    assert!(record.stream_arn().unwrap().ends_with(":stream/clicks"));
    let json =
        json!({ "Records": [{ "kinesis": { "approximateArrivalTimestamp": 1545084650.987 } }] });
    let event: KinesisEvent = parse(json);
    let arrived = event.records[0].arrived_at().unwrap();
    assert_eq!(arrived.duration_since(at(0)).unwrap().as_millis(), 1_545_084_650_987);
}

#[tokio::test]
async fn a_change_has_the_images_and_keys_of_its_item() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Order {
        id: String,
        total: u64,
    }
    #[derive(Deserialize)]
    struct Key {
        id: String,
    }
    let key = json!({ "id": "o-1" });
    let order = |total: u64| json!({ "id": "o-1", "total": total });
    let mut event = events::dynamodb("orders")
        .insert(key.clone(), order(5))
        .modify(key.clone(), order(5), order(6))
        .remove(key, order(6))
        .build();
    event["Records"][2]["userIdentity"] =
        json!({ "type": "Service", "principalId": "dynamodb.amazonaws.com" });

    let seen = std::sync::Mutex::new(Vec::new());
    let report = batch::dynamodb(parse::<DynamoDbEvent>(event))
        .run(async |change: Change<Order>| {
            assert_eq!(change.keys::<Key>().unwrap().id, "o-1");
            assert!(change.stream_arn().unwrap().contains(":table/orders/stream/"));
            assert!(change.event_id().is_some() && change.created_at().is_some());
            let total = |image: &Option<Order>| image.as_ref().map(|order| order.total);
            let images = (total(&change.old), total(&change.new));
            seen.lock().unwrap().push((change.kind(), images, change.is_expiry()));
            Ok::<_, Infallible>(())
        })
        .await;
    assert!(report.is_done());
    assert_eq!(
        seen.into_inner().unwrap(),
        [
            (ChangeKind::Insert, (None, Some(5)), false),
            (ChangeKind::Modify, (Some(5), Some(6)), false),
            (ChangeKind::Remove, (Some(6), None), true),
        ]
    );
}

#[tokio::test]
async fn an_image_of_another_type_is_the_failure_of_its_record() {
    #[derive(Deserialize)]
    struct Other {
        #[serde(rename = "other")]
        _other: u64,
    }
    let run = async |_: Change<Other>| Ok::<_, Infallible>(());
    let report = batch::dynamodb(changes("A1")).run(run).await;
    assert_eq!(reported(report), ["A1"]);
}

#[tokio::test]
async fn a_kafka_record_has_every_value_of_kafka() {
    let record = &topic("A7").records[0];
    assert_eq!((record.partition(), record.topic()), ("orders-A", Some("orders")));
    assert_eq!(record.offset(), Some(7));
    assert_eq!(record.timestamp(), Some(at(1_545_084_650_987)));
    assert_eq!(record.value().unwrap().unwrap(), br#""A7""#);
    assert_eq!(record.key().unwrap(), None);
    assert_eq!(record.header("trace").unwrap(), [255, 65]);
    assert_eq!(record.header("none"), None);

    // A tombstone: the key without a value.
    let event = json!({ "records": { "t-0": [{ "offset": 1, "key": "aw==", "value": null }] } });
    let report = batch::kafka(parse::<KafkaEvent>(event))
        .run(async |gone: KafkaMessage<Option<u64>>| {
            assert_eq!((gone.body, gone.key().unwrap().unwrap()), (None, b"k".to_vec()));
            Ok::<_, Infallible>(())
        })
        .await;
    assert!(report.is_done());
}

#[test]
fn members_can_come_in_any_order_and_unknown_ones_are_skipped() {
    let text = r#" { "x" : [ { } , 1 ] , "Records" : [ { "y" : { "body" : "no" } , "body" : "yes" ,
        "a name that is longer than any that is known" : "\u00e9" , "message\u0049d" : "m" } ] } "#;
    let event: SqsEvent = serde_json::from_str(text).unwrap();
    assert_eq!(event.records[0].body(), Some("yes"));
    assert_eq!(event.records[0].message_id(), Some("m"));
}

/// A handler that fails, so that the reply has all that became of the identifiers.
async fn fail<R>(_: R) -> Result<(), &'static str> {
    Err("no")
}

#[tokio::test]
async fn the_types_of_aws_lambda_events_are_accepted() {
    let built = events::sqs("q.fifo")
        .message(SqsMessage::from(json!(1)).id("m").group("g").message_attribute("a", "b"))
        .build();
    let theirs: sqs::SqsEvent = parse(built.clone());
    let (ours, direct) = (SqsEvent::from(theirs), parse::<SqsEvent>(built));
    let (ours, direct) = (&ours.records[0], &direct.records[0]);
    assert_eq!(ours.message_id(), direct.message_id());
    assert_eq!(ours.body(), direct.body());
    assert_eq!(ours.group_id(), direct.group_id());
    assert_eq!(ours.receipt_handle(), direct.receipt_handle());
    assert_eq!(ours.md5_of_body(), direct.md5_of_body());
    assert_eq!(ours.queue_arn(), direct.queue_arn());
    assert_eq!(ours.message_attribute("a"), direct.message_attribute("a"));

    let theirs: kinesis::KinesisEvent = parse(to_json(&[("kinesis", "A1")]));
    let report = batch::kinesis(theirs).run(async |name: KinesisMessage<String>| {
        assert_eq!((name.body.as_str(), name.partition_key()), ("A1", Some("A")));
        Err::<(), _>("no")
    });
    assert_eq!(reported(report.await), ["A1"]);

    let built = events::dynamodb("t").insert(json!({ "id": 7 }), json!({ "id": 7, "n": [1.5] }));
    let theirs: dynamodb::Event = parse(built.build());
    let report = batch::dynamodb(theirs).run(async |change: Change<Value>| {
        assert_eq!(change.new, Some(json!({ "id": 7, "n": [1.5] })));
        assert_eq!((change.kind(), change.old.is_none()), (ChangeKind::Insert, true));
        assert!(change.keys::<Value>().is_ok() && change.created_at().is_some());
        Ok::<_, Infallible>(())
    });
    assert!(report.await.is_done());

    let record = |offset| {
        json!({ "topic": "t", "partition": 0, "offset": offset, "value": "MQ==",
            "timestamp": 1_545_084_650_000_u64, "headers": [{ "h": [-1] }] })
    };
    let records = json!({ "t-0": [record(5), record(4)] });
    let theirs: kafka::KafkaEvent =
        parse(json!({ "eventSource": "aws:kafka", "records": records }));
    let ours = KafkaEvent::from(theirs.clone());
    assert_eq!(ours.records[0].header("h").unwrap(), [255]);
    assert_eq!(ours.records[0].timestamp(), Some(at(1_545_084_650_000)));
    let report = batch::kafka(theirs).partial_response().run(fail::<KafkaMessage<u8>>).await;
    let failed = |offset| json!({ "partition": "t-0", "offset": offset });
    assert_eq!(reported(report), [failed(4), failed(5)]);
}

#[tokio::test]
async fn an_event_of_aws_lambda_events_without_ids_is_rejected() {
    let theirs: sqs::SqsEvent = parse(json!({ "Records": [{ "body": "1" }] }));
    let report = batch::sqs(theirs).run(fail::<Message<u8>>).await;
    assert!(matches!(super::error(report), batch::Error::IdentifierMissing { index: 0 }));
    let theirs: kinesis::KinesisEvent = parse(json!({ "Records": [
        { "kinesis": { "data": "", "approximateArrivalTimestamp": 1.0 } },
    ] }));
    let report = batch::kinesis(theirs).run(fail::<KinesisMessage<u8>>).await;
    assert!(matches!(super::error(report), batch::Error::IdentifierMissing { index: 0 }));
}

#[test]
fn a_clone_of_a_record_is_the_same_record() {
    let event = fifo("A1");
    let body = event.records[0].body().unwrap().as_ptr();
    assert_eq!(event.records[0].clone().body().unwrap().as_ptr(), body, "nothing was copied");
}

fn to_json(records: &[(&str, &str)]) -> Value {
    let names: Vec<_> = records.iter().map(|&(_, name)| name).collect();
    let mut event = events::kinesis("clicks");
    for name in names {
        let record = events::KinesisRecord::json(&name[..1], json!(name));
        event = event.record(record.sequence_number(name));
    }
    event.build()
}
