//! Random events of every format: what was put into a builder is found by the parser of its text, and what is
//! changed on the way is a value or an error, and no record that is lost.

use std::collections::BTreeMap;

use powertools::custom_resource;
use powertools::events::*;
use powertools::testing::events::{self, KafkaRecord, KinesisRecord, SqsMessage};
use proptest::prelude::*;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};

/// Replaces values anywhere in an event.
pub(crate) fn change(value: &mut Value, places: &mut impl Iterator<Item = (bool, Value)>) {
    let Some((replaced, other)) = places.next() else { return };
    match value {
        _ if replaced => *value = other,
        Value::Object(members) => members.values_mut().for_each(|value| change(value, places)),
        Value::Array(list) => list.iter_mut().for_each(|value| change(value, places)),
        _ => {}
    }
}

/// What is put into an event by [`change`].
pub(crate) fn odd() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!(null),
        json!(7),
        json!("x"),
        json!([]),
        json!({}),
        json!(true),
        json!(1e30),
    ])
}

/// Reads an event from its text.
fn read<T: DeserializeOwned>(event: &Value) -> Option<T> {
    serde_json::from_str(&event.to_string()).ok()
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..20).prop_map(String::from_iter)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..40)
}

fn item() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    let value = prop_oneof![
        value.clone(),
        prop::collection::vec(value.clone(), 0..3).prop_map(Value::from),
        prop::collection::btree_map("[a-z]{1,3}", value, 0..3).prop_map(|members| json!(members)),
    ];
    prop::collection::btree_map("[a-z]{1,3}", value, 1..4).prop_map(|members| json!(members))
}

proptest! {
    #[test]
    fn messages_of_a_queue_survive(sent in prop::collection::vec((text(), text(), text()), 1..4)) {
        let queue = sent.iter().fold(events::sqs("q.fifo"), |queue, (body, group, value)| {
            let message = SqsMessage::from(body.as_str()).group(group).message_attribute("a", value);
            queue.message(message)
        });
        for event in [queue.clone().build(), queue.build_piped()] {
            let event: SqsEvent = read(&event).unwrap();
            prop_assert_eq!(event.records.len(), sent.len());
            for (record, (body, group, value)) in event.records.iter().zip(&sent) {
                prop_assert_eq!(record.body(), Some(body.as_str()));
                let found = record.group_id();
                prop_assert_eq!(found.as_deref(), Some(group.as_str()));
                let attribute = record.message_attribute("a").unwrap();
                prop_assert_eq!(attribute.string_value.as_deref(), Some(value.as_str()));
            }
        }
    }

    #[test]
    fn records_of_a_stream_survive(sent in prop::collection::vec((text(), bytes()), 1..4)) {
        let stream = sent.iter().fold(events::kinesis("s"), |stream, (key, data)| {
            stream.record(KinesisRecord::new(key, data.clone()))
        });
        for event in [stream.clone().build(), stream.build_piped()] {
            let event: KinesisEvent = read(&event).unwrap();
            prop_assert_eq!(event.records.len(), sent.len());
            for (record, (key, data)) in event.records.iter().zip(&sent) {
                prop_assert_eq!(record.partition_key(), Some(key.as_str()));
                prop_assert_eq!(&record.stream_data().unwrap(), data);
            }
        }
    }

    #[test]
    fn changes_of_items_survive(sent in prop::collection::vec((item(), item()), 1..4)) {
        let table = sent.iter().fold(events::dynamodb("t"), |table, (old, new)| {
            table.modify(json!({ "id": new["id"] }), old.clone(), new.clone())
        });
        for event in [table.clone().build(), table.build_piped()] {
            let event: DynamoDbEvent = read(&event).unwrap();
            prop_assert_eq!(event.records.len(), sent.len());
            for (record, (old, new)) in event.records.iter().zip(&sent) {
                let found = [record.old_image::<Value>(), record.new_image()].map(|image| image.unwrap().unwrap());
                prop_assert_eq!(&found, &[old.clone(), new.clone()]);
            }
        }
    }

    #[test]
    fn records_of_a_topic_survive(
        sent in prop::collection::vec((0..3_u32, prop::option::of(bytes()), prop::option::of(bytes()), bytes()), 1..8),
    ) {
        let mut expected: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let topic = sent.iter().fold(events::kafka("t"), |topic, (partition, key, value, header)| {
            expected.entry(format!("t-{partition}")).or_default().push((key.clone(), value.clone(), header.clone()));
            let record = value.clone().map_or_else(KafkaRecord::tombstone, KafkaRecord::new);
            let record = key.clone().into_iter().fold(record, KafkaRecord::key);
            topic.record(record.partition(*partition).header("h", header.clone()))
        });
        let event: KafkaEvent = read(&topic.build()).unwrap();
        let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for record in &event.records {
            let read = (record.key().unwrap(), record.value().unwrap(), record.header("h").unwrap());
            found.entry(record.partition().to_owned()).or_default().push(read);
        }
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn changes_of_documents_survive(sent in prop::collection::vec((any::<i64>(), item()), 1..4)) {
        let stream = sent.iter().fold(events::document_db("d", "c"), |stream, (id, document)| {
            stream.change("replace", *id, document.clone())
        });
        let event: DocumentDbEvent = read(&stream.build()).unwrap();
        prop_assert_eq!(event.records.len(), sent.len());
        for (record, (id, document)) in event.records.iter().zip(&sent) {
            prop_assert_eq!(record.document_key().unwrap(), Some(json!({ "_id": id })));
            let found: Option<Value> = record.full_document().unwrap();
            prop_assert_eq!(found.as_ref(), Some(document));
        }
    }

    #[test]
    fn keys_of_objects_survive(sent in prop::collection::vec((text(), any::<u64>()), 1..4), argument in text()) {
        let notice = sent.iter().fold(events::s3("b"), |notice, (key, size)| notice.created(key, *size));
        let event: S3Notification = read(&notice.build()).unwrap();
        prop_assert_eq!(event.records.len(), sent.len());
        for (record, (key, size)) in event.records.iter().zip(&sent) {
            let found = record.key();
            prop_assert_eq!(found.as_deref(), Some(key.as_str()));
            prop_assert_eq!(record.size(), Some(*size));
        }
        let key = &sent[0].0;
        let job: S3BatchEvent = read(&events::s3_batch("b", key).argument("a", &argument).build()).unwrap();
        let found = job.tasks[0].key();
        prop_assert_eq!(found.as_deref(), Some(key.as_str()));
        prop_assert_eq!(&job.job.user_arguments["a"], &argument);
        let detail = json!({ "bucket": { "name": "b" }, "object": { "key": key, "size": 7 } });
        let event = events::event_bridge("aws.s3", "Object Created", detail).build();
        let event: EventBridge<S3Detail> = read(&event).unwrap();
        prop_assert_eq!(event.detail.key(), Some(key.as_str()));
    }

    #[test]
    fn messages_and_details_survive(sent in prop::collection::vec(text(), 1..4), detail in item(), name in text()) {
        let logs = sent.iter().fold(events::cloudwatch_logs("g"), |logs, text| logs.message(text));
        let event: CloudWatchLogsEvent = read(&logs.build()).unwrap();
        let found: Vec<_> = event.logs.events.iter().map(|event| &event.message).collect();
        prop_assert_eq!(found, sent.iter().collect::<Vec<_>>());

        let notice = events::sns("t", &sent[0]).subject(&name).attribute("a", &name);
        let event: SnsEvent = read(&notice.build()).unwrap();
        let notice = &event.records[0];
        prop_assert_eq!((&*notice.message, notice.attribute("a")), (&*sent[0], Some(name.as_str())));

        let event: EventBridge<Value> = read(&events::event_bridge(&name, "d", detail.clone()).build()).unwrap();
        prop_assert_eq!((event.source, event.detail), (name, detail));
    }

    #[test]
    fn arguments_and_payloads_survive(sent in item(), other in item()) {
        let resolver = events::appsync_resolver("Query", "f").arguments(sent.clone()).source(other.clone());
        let event: AppSyncResolver = read(&resolver.build()).unwrap();
        prop_assert_eq!((event.arguments, event.source), (sent.clone(), Some(other.clone())));
        let channel = events::appsync_events("/a").message(sent.clone()).message(other.clone());
        let event: AppSyncEvents = read(&channel.build()).unwrap();
        let found: Vec<_> = event.events.into_iter().map(|event| event.payload).collect();
        prop_assert_eq!(found, [sent.clone(), other.clone()]);
    }
}

/// Returns how many records the list has that is at this place.
fn listed(event: &Value, place: &str) -> Option<usize> {
    event.pointer(place)?.as_array().map(Vec::len)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn changed_events_lose_no_record(places in prop::collection::vec((prop::bool::weighted(0.1), odd()), 60)) {
        let changed = |mut event: Value| {
            change(&mut event, &mut places.clone().into_iter());
            event
        };
        let queue = events::sqs("q").message("1").message("2");
        let stream = events::kinesis("s").record(KinesisRecord::new("a", "1")).record(KinesisRecord::new("b", "2"));
        let table = events::dynamodb("t").insert(json!({ "id": 1 }), json!({ "id": 1 }));
        let table = table.remove(json!({ "id": 2 }), json!({ "id": 2 }));
        for (place, event) in [("/Records", changed(queue.clone().build())), ("", changed(queue.build_piped()))] {
            if let Some(read) = read::<SqsEvent>(&event) {
                prop_assert_eq!(Some(read.records.len()), listed(&event, place));
            }
        }
        for (place, event) in [("/Records", changed(stream.clone().build())), ("", changed(stream.build_piped()))] {
            if let Some(read) = read::<KinesisEvent>(&event) {
                prop_assert_eq!(Some(read.records.len()), listed(&event, place));
            }
        }
        for (place, event) in [("/Records", changed(table.clone().build())), ("", changed(table.build_piped()))] {
            if let Some(read) = read::<DynamoDbEvent>(&event) {
                prop_assert_eq!(Some(read.records.len()), listed(&event, place));
            }
        }
        let topic = events::kafka("t").record(KafkaRecord::new("1")).record(KafkaRecord::new("2").partition(1));
        let event = changed(topic.build());
        if let Some(read) = read::<KafkaEvent>(&event) {
            let lists = event["records"].as_object().unwrap().values();
            prop_assert_eq!(read.records.len(), lists.map(|list| list.as_array().unwrap().len()).sum::<usize>());
        }
        let event = changed(events::s3("b").created("k", 1).removed("l").build());
        if let Some(read) = read::<S3Notification>(&event) {
            prop_assert_eq!(read.records.len(), listed(&event, "/Records").unwrap_or(0));
            prop_assert!(read.records.iter().all(|record| record.key().is_none_or(|key| !key.is_empty())));
        }
        let event = changed(events::s3_batch("b", "k").build());
        if let Some(read) = read::<S3BatchEvent>(&event) {
            prop_assert_eq!(Some(read.tasks.len()), listed(&event, "/tasks"));
        }
        let event = changed(events::sns("t", "x").build());
        if let Some(read) = read::<SnsEvent>(&event) {
            prop_assert_eq!(Some(read.records.len()), listed(&event, "/Records"));
        }
        let _ = read::<CloudWatchLogsEvent>(&changed(events::cloudwatch_logs("g").message("m").build()));
        let _ = read::<EventBridge<IgnoredAny>>(&changed(events::schedule("s").build()));
        let _ = read::<custom_resource::Event>(&changed(events::custom_resource("http://localhost/").build()));
        let _ = read::<AppSyncAuthorizer>(&changed(events::appsync_authorizer("t")));
    }

    /// What the data of a subscription decompresses to is read, or an error.
    #[test]
    fn changed_log_events_are_a_value_or_an_error(places in prop::collection::vec((prop::bool::weighted(0.1), odd()), 20)) {
        let mut logs = json!({
            "messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logStream": "s", "subscriptionFilters": ["f"],
            "logEvents": [{ "id": "1", "timestamp": 1, "message": "a" }, { "id": "2", "timestamp": 2, "message": "b" }],
        });
        change(&mut logs, &mut places.into_iter());
        if let Some(read) = read::<CloudWatchLogs>(&logs).filter(|read| !read.is_control_message) {
            prop_assert_eq!(Some(read.events.len()), listed(&logs, "/logEvents"));
        }
    }
}
