//! What EventBridge Pipes sends: the records alone, those of Kinesis flat.

use powertools::batch::{
    self, Change, Error, KafkaMessage, KeyValue, KinesisMessage, Message, Record,
};
use powertools::events::{
    Avro, DynamoDbEvent, Json, KafkaEvent, KinesisEvent, NaturalKey, Schemas, SqsEvent, Text,
    natural,
};
use powertools::testing::events::{self, KafkaRecord, KinesisRecord, SqsMessage};
use serde_json::{Value, json};

fn read<T: serde::de::DeserializeOwned>(event: &Value) -> T {
    let from_text = serde_json::from_str(&event.to_string()).unwrap();
    let _: T = serde_json::from_value(event.clone()).unwrap();
    from_text
}

#[tokio::test]
async fn the_bare_records_of_a_pipe_are_a_batch() {
    let event = events::sqs("orders.fifo")
        .message(SqsMessage::from(json!(1)).id("m-1").group("a"))
        .message(SqsMessage::from(json!(2)).id("m-2").group("b"));
    let event: SqsEvent = read(&event.build_piped());
    assert_eq!(event.records[1].order().as_deref(), Some("b"));
    let run =
        batch::sqs(event).run(async |n: Message<u8>| if n.body == 2 { Err("no") } else { Ok(()) });
    let reply = serde_json::to_value(run.await.into_reply().unwrap()).unwrap();
    assert_eq!(reply, json!({ "batchItemFailures": [{ "itemIdentifier": "m-2" }] }));

    let keys = json!({ "id": 1 });
    let event = events::dynamodb("orders").insert(keys.clone(), keys);
    let event: DynamoDbEvent = read(&event.build_piped());
    let run = batch::dynamodb(event).run(async |change: Change<Value>| {
        if change.new == Some(json!({ "id": 1 })) { Ok(()) } else { Err("another image") }
    });
    assert!(run.await.is_done());
}

#[tokio::test]
async fn a_flat_record_of_kinesis_has_all_that_another_has() {
    let event = events::kinesis("clicks")
        .record(KinesisRecord::json("a", json!(1)).sequence_number("41"))
        .record(KinesisRecord::json("b", json!(2)).sequence_number("42"));
    let events = [event.clone().build(), event.build_piped()];
    let [nested, flat]: [KinesisEvent; 2] = events.each_ref().map(read);
    for (nested, flat) in std::iter::zip(&nested.records, &flat.records) {
        assert_eq!(natural(flat), natural(nested));
        assert_eq!(flat.sequence_number(), nested.sequence_number());
        assert_eq!(flat.partition_key(), nested.partition_key());
        assert_eq!(flat.data().unwrap(), nested.data().unwrap());
        assert_eq!(flat.arrived_at(), nested.arrived_at());
    }
    let run = batch::kinesis(flat)
        .run(async |n: KinesisMessage<u8>| if n.body == 2 { Err("no") } else { Ok(()) });
    let reply = serde_json::to_value(run.await.into_reply().unwrap()).unwrap();
    let id = "shardId-000000000000:42";
    assert_eq!(reply, json!({ "batchItemFailures": [{ "itemIdentifier": id }] }));
}

#[tokio::test]
async fn bare_records_of_another_source_are_refused() {
    let event = events::kinesis("clicks").record(KinesisRecord::json("a", json!(1)));
    let event: SqsEvent = read(&event.build_piped());
    let run = batch::sqs(event).run(async |_: Message<u8>| Ok::<_, String>(()));
    let error = run.await.into_reply().unwrap_err();
    assert!(matches!(error, Error::SourceUnexpected { index: 0, .. }), "{error}");

    let event: SqsEvent = read(&json!([{}, 7]));
    let run = batch::sqs(event).run(async |_: Message<u8>| Ok::<_, String>(()));
    let error = run.await.into_reply().unwrap_err();
    assert!(matches!(error, Error::IdentifierMissing { index: 0 }), "{error}");
}

/// Its guide does not say what a pipe does with records that are not reported behind one that is.
#[tokio::test]
async fn each_record_that_was_not_done_is_reported_to_a_pipe() {
    let ids = |reply: Value| -> Vec<String> {
        let failures = reply["batchItemFailures"].as_array().unwrap().clone();
        failures.iter().map(|item| item["itemIdentifier"].as_str().unwrap().to_owned()).collect()
    };
    let clicks = (1..=4).fold(events::kinesis("clicks"), |clicks, n| {
        clicks.record(KinesisRecord::json("a", json!(n)).sequence_number(n.to_string()))
    });
    let reply = async |event: &Value| {
        let run = batch::kinesis(read::<KinesisEvent>(event))
            .run(async |n: KinesisMessage<u8>| if n.body == 2 { Err("no") } else { Ok(()) });
        ids(serde_json::to_value(run.await.into_reply().unwrap()).unwrap())
    };
    assert_eq!(reply(&clicks.clone().build()).await, ["2"]);
    let piped = ["shardId-000000000000:2", "shardId-000000000000:3", "shardId-000000000000:4"];
    assert_eq!(reply(&clicks.build_piped()).await, piped);

    let keys = json!({ "id": 1 });
    let changes = events::dynamodb("orders").insert(keys.clone(), keys.clone());
    let changes = changes.insert(keys.clone(), keys).build_piped();
    let run = batch::dynamodb(read::<DynamoDbEvent>(&changes))
        .run(async |_: Change<Value>| Err::<(), _>("no"));
    let reply = ids(serde_json::to_value(run.await.into_reply().unwrap()).unwrap());
    assert_eq!(reply, [0, 1].map(|n| changes[n]["eventID"].as_str().unwrap()));
}

#[tokio::test]
async fn a_flat_record_of_a_topic_has_all_that_another_has() {
    let topic = events::kafka("orders")
        .record(KafkaRecord::json(json!(7)).key("a").header("kind", "o"))
        .record(
            KafkaRecord::new("\x04hi")
                .key("\x02k")
                .value_schema("AVRO", "12")
                .key_schema("AVRO", "13"),
        )
        .record(KafkaRecord::new("7").value_schema("JSON", "14"))
        .record(KafkaRecord::tombstone().key("b"));
    let schemas = Schemas::new().schema(12, r#""string""#).schema(13, r#""string""#);
    let [mapped, piped] = [topic.clone().build(), topic.build_piped()];
    let mapped = read::<KafkaEvent>(&mapped).with_schemas(&schemas).await;
    let piped = read::<KafkaEvent>(&piped).with_schemas(&schemas).await;
    assert_eq!(piped.records.len(), 4);
    let seen = |record: &powertools::events::KafkaRecord| {
        let place = (record.partition().to_owned(), record.topic().map(str::to_owned));
        let times = (record.offset(), record.timestamp(), natural(record));
        let data = (record.key().unwrap(), record.value().unwrap(), record.header("kind"));
        let values = [record.key_as::<Avro<String>>(), record.value_as()];
        let json = record.value_as::<Json<u8>>();
        (place, times, data, format!("{values:?} {json:?}"))
    };
    for (mapped, piped) in std::iter::zip(&mapped.records, &piped.records) {
        assert_eq!(seen(piped), seen(mapped));
    }
    // The mapping removed the ids from the data.
    let of_avro = &piped.records[1];
    assert_eq!(of_avro.value_as::<Avro<String>>().unwrap().unwrap().as_str(), "hi");
    assert_eq!(of_avro.key_as::<Avro<String>>().unwrap().unwrap().as_str(), "k");
    let other = piped.records[2].value_as::<Avro<String>>().unwrap_err();
    assert_eq!(other.error_type(), "Powertools.RecordFormatUnexpected");
}

/// Both delete the key.
#[tokio::test]
async fn a_value_of_a_topic_that_is_absent_is_a_tombstone_like_null() {
    let topic = events::kafka("orders").record(KafkaRecord::tombstone().key("b"));
    for [event, with_null] in [topic.clone().build(), topic.build_piped()].map(|event| {
        let mut with_null = event.clone();
        let record = match &mut with_null {
            Value::Array(records) => &mut records[0],
            event => &mut event["records"]["orders-0"][0],
        };
        assert!(record.get("value").is_none(), "{record}");
        record["value"] = Value::Null;
        [event, with_null]
    }) {
        for event in [event, with_null] {
            let event: KafkaEvent = read(&event);
            assert_eq!(event.records[0].value().unwrap(), None);
            let run = batch::kafka(event.clone()).run(async |record: KeyValue<Text, u8>| {
                assert_eq!((record.key.as_deref(), record.value), (Some("b"), None));
                Ok::<_, String>(())
            });
            assert!(run.await.is_done());
            let run = batch::kafka(event).run(async |_: KafkaMessage<u8>| Ok::<_, String>(()));
            assert!(!run.await.is_done(), "a value that is needed");
        }
    }
}

/// It is damaged: what it was is not known, and no key is to be deleted for it.
#[tokio::test]
async fn a_value_of_a_topic_that_is_no_string_is_no_tombstone() {
    let topic = events::kafka("orders").record(KafkaRecord::tombstone().key("b"));
    for member in ["value", "key"] {
        for other in
            [json!(7), json!(-1), json!(u64::MAX), json!(0.5), json!(true), json!([]), json!({})]
        {
            for mut event in [topic.clone().build(), topic.clone().build_piped()] {
                let record = match &mut event {
                    Value::Array(records) => &mut records[0],
                    event => &mut event["records"]["orders-0"][0],
                };
                record[member] = other.clone();
                let run = batch::kafka(read::<KafkaEvent>(&event));
                let run = run.run(async |_: KeyValue<Text, u8>| Ok::<_, String>(()));
                assert!(!run.await.is_done(), "{member}: {other}");
            }
        }
    }
}

#[tokio::test]
async fn flat_records_of_a_topic_are_a_batch_by_their_partitions() {
    let flat = |cluster: (&str, &str), source: &str, partition: u32, offset: u64| {
        let mut record = json!({
            "eventSource": source,
            "eventSourceKey": format!("orders-{partition}"),
            "topic": "orders",
            "partition": partition,
            "offset": offset,
            "timestamp": 1_545_084_650_987_u64,
            "timestampType": "CREATE_TIME",
            "key": "aw==",
            "value": "Nw==",
            "headers": [{ "kind": [111] }],
        });
        record[cluster.0] = json!(cluster.1);
        record
    };
    for (cluster, source) in [
        (("eventSourceArn", "arn:aws:kafka:us-east-1:123456789012:cluster/c/1"), "aws:kafka"),
        (("bootstrapServers", "b-1:9092"), "SelfManagedKafka"),
    ] {
        let records = [(1, 9), (0, 5), (1, 8), (0, 4)];
        let records = records.map(|(partition, offset)| flat(cluster, source, partition, offset));
        let event: KafkaEvent = read(&json!(records));
        let places: Vec<_> = event
            .records
            .iter()
            .map(|record| (record.partition(), record.offset().unwrap()))
            .collect();
        assert_eq!(places, [("orders-1", 8), ("orders-1", 9), ("orders-0", 4), ("orders-0", 5)]);
        let record = &event.records[0];
        assert_eq!((record.topic(), record.header("kind")), (Some("orders"), Some(b"o".to_vec())));
        let expected = [cluster.1, "orders-1", "8", "1545084650987"].map(Some);
        assert_eq!(natural(record), NaturalKey::new(expected));
        let run = batch::kafka(event).run(
            async |n: KafkaMessage<u8>| {
                if n.body == 7 { Ok(()) } else { Err("another value") }
            },
        );
        assert!(run.await.is_done());
    }
    // Pipes reads no partial response of a topic.
    let record = || flat(("eventSourceArn", "arn"), "aws:kafka", 0, 1);
    let event: KafkaEvent = read(&json!([record()]));
    let run = batch::kafka(event).run(async |_: KafkaMessage<u8>| Err::<(), _>("no"));
    assert!(matches!(run.await.into_reply(), Err(Error::Incomplete { .. })));

    let mut other = record();
    other["eventSource"] = json!("aws:mq");
    let event: KafkaEvent = read(&json!([record(), other]));
    let run = batch::kafka(event).run(async |_: KafkaMessage<u8>| Ok::<_, String>(()));
    assert!(matches!(run.await.into_reply(), Err(Error::SourceUnexpected { .. })));
    let mut of_the_guide = record();
    of_the_guide["partition"] = json!("0");
    let event: KafkaEvent = read(&json!([of_the_guide]));
    assert_eq!(event.records[0].partition(), "orders-0");
    let nameless: KafkaEvent = read(&json!([{ "offset": 1 }, 7]));
    let run = batch::kafka(nameless).run(async |_: KafkaMessage<u8>| Ok::<_, String>(()));
    assert!(matches!(run.await.into_reply(), Err(Error::IdentifierMissing { index: 0 })));
    assert!(serde_json::from_value::<KafkaEvent>(json!([])).is_err(), "no pipe sends it");
}
