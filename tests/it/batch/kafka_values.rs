//! Keys and values of Kafka with schemas, on what real serialisers wrote.

use std::collections::HashSet;
use std::error::Error as StdError;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use apache_avro::AvroSchema;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use powertools::batch::{self, KafkaMessage, KeyValue, RecordError};
use powertools::events::{
    ANY_MESSAGE, Avro, Json, KafkaData, KafkaEvent, NoSource, ParseError, Proto, SchemaId,
    SchemaSource, Schemas, Text,
};
use powertools::testing::events::{self, KafkaRecord};
use powertools::testing::{ManualClock, invocation};
use powertools_tests::vectors::kafka_values;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{outcomes, parse};

/// What the reader knows.
#[derive(Debug, PartialEq, Deserialize, serde::Serialize, AvroSchema)]
struct Order {
    id: String,
    /// The writers have an `int`.
    cents: i64,
    #[avro(default = "null")]
    note: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ProtoOrder {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(int64, tag = "2")]
    cents: i64,
    #[prost(string, repeated, tag = "3")]
    tags: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Customer {
    #[prost(string, tag = "1")]
    name: String,
}

fn bytes(text: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap()
}

fn cases(format: &str) -> Vec<Value> {
    let cases = kafka_values().into_iter().filter(|case| case["format"] == format);
    let cases: Vec<_> = cases.collect();
    assert!(cases.len() > 1);
    cases
}

/// The record of a case, with its headers.
fn record(case: &Value) -> KafkaRecord {
    let mut record = KafkaRecord::new(bytes(&case["data"]));
    for (name, value) in case["headers"].as_object().into_iter().flatten() {
        record = record.header(name, bytes(value));
        if name == "__key_schema_id" {
            record = record.key(bytes(&case["data"]));
        }
    }
    record
}

fn event(record: KafkaRecord) -> KafkaEvent {
    parse(events::kafka("orders").record(record).build())
}

/// The id of a case's schema: in front of the data, or in a header.
fn id(case: &Value) -> Option<SchemaId> {
    if let Some(number) = case["id"].as_u64() {
        return Some(u32::try_from(number).unwrap().into());
    }
    let header = case["headers"].as_object().and_then(|headers| headers.values().next());
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let uuid = header.map(|header| {
        let guid = hex(&bytes(header)[1..17]);
        [&guid[..8], &guid[8..12], &guid[12..16], &guid[16..20], &guid[20..]].join("-")
    });
    let uuid = uuid.or_else(|| case["id"].as_str().map(str::to_owned))?;
    Some(uuid.as_str().into())
}

fn schema(case: &Value) -> &str {
    case["schema"].as_str().unwrap()
}

/// Reads the value of a record.
fn value<T: KafkaData>(event: &KafkaEvent) -> Result<T, ParseError> {
    event.records[0].value_as().map(|value| value.expect("it has one"))
}

#[tokio::test]
async fn avro_is_read_with_the_schema_of_its_writer_and_resolved_to_the_readers() {
    let mut read = 0;
    for case in cases("avro") {
        let (Some(id), Some(expected)) = (id(&case), case.get("expected")) else { continue };
        let schemas = Schemas::new().schema(id, schema(&case));
        let event = event(record(&case)).with_schemas(&schemas).await;
        let record = &event.records[0];
        let of_key: Option<Avro<Order>> = match case["headers"].get("__key_schema_id") {
            Some(_) => record.key_as().unwrap(),
            None => record.value_as().unwrap(),
        };
        let order = of_key.expect("it has one");
        assert_eq!(serde_json::to_value(&order.0).unwrap(), *expected, "{}", case["name"]);
        read += 1;
    }
    assert_eq!(read, 11);
}

#[tokio::test]
async fn a_mapping_with_a_registry_names_the_schema_and_removes_its_id() {
    for case in cases("avro") {
        let Some(expected) = case.get("expected").filter(|_| id(&case).is_none()) else { continue };
        for id in ["12", "B7B4A7F0-9c96-4e4a-a687-fb5de9ef0c63"] {
            let schemas = Schemas::new().schema(id, schema(&case));
            let data = bytes(&case["data"]);
            let record = KafkaRecord::new(data.clone())
                .value_schema("AVRO", id)
                .key(data)
                .key_schema("AVRO", id.to_lowercase());
            let event = event(record).with_schemas(&schemas).await;
            let [key, value] = [event.records[0].key_as(), event.records[0].value_as()];
            for order in [key, value] {
                let order: Avro<Order> = order.unwrap().unwrap();
                assert_eq!(serde_json::to_value(&order.0).unwrap(), *expected, "{}", case["name"]);
            }
        }
    }
}

#[tokio::test]
async fn every_type_of_avro_is_read_to_its_end_and_no_part_of_it_alone() {
    let case = cases("avro").into_iter().find(|case| case["name"] == "every type").unwrap();
    let data = bytes(&case["data"]);
    let schemas = Schemas::new().schema(7, schema(&case));

    #[derive(Debug, Deserialize, AvroSchema)]
    #[serde(rename = "Everything")]
    struct Reader {
        text: String,
        list: Vec<i64>,
    }

    let read = async |data: Vec<u8>| {
        let record = KafkaRecord::new(data).value_schema("AVRO", "7");
        value::<Avro<Reader>>(&event(record).with_schemas(&schemas).await)
    };
    let reader = read(data.clone()).await.unwrap();
    assert_eq!((reader.text.as_str(), reader.list.len()), ("ä€😀", 103));
    for length in 0..data.len() {
        let error = read(data[..length].to_vec()).await.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.RecordDataInvalid", "{length}");
    }
    let error = read([&data[..], &[0]].concat()).await.unwrap_err();
    assert!(chain(&error).ends_with("bytes follow that are not read"), "{}", chain(&error));
}

#[tokio::test]
async fn data_that_claims_more_than_it_has_is_an_error() {
    let list = r#"{"type": "array", "items": "null"}"#;
    let tree = r#"{"type": "record", "name": "Tree", "fields": [
        {"name": "parts", "type": {"type": "array", "items": "Tree"}}]}"#;
    // Nine million nulls; a string and a block that are longer than memory; a tree of 10,000 levels.
    let cases = [
        (list, vec![0x80, 0xd5, 0xca, 0x08, 0]),
        (r#""string""#, vec![0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        (r#""bytes""#, vec![1]),
        (list, vec![0xff; 12]),
        (tree, vec![2; 10_000]),
        (r#"["null", "long"]"#, vec![4, 0]),
    ];
    for (schema, data) in cases {
        let schemas = Schemas::new().schema(7, schema);
        let record = KafkaRecord::new(data.clone()).value_schema("AVRO", "7");
        let error = value::<Avro<Vec<Option<i64>>>>(&event(record).with_schemas(&schemas).await);
        let error = error.map(|_| ()).unwrap_err();
        assert_eq!(error.error_type(), "Powertools.RecordDataInvalid", "{schema}");
    }
}

#[tokio::test]
async fn an_unknown_schema_or_none_is_the_failure_of_its_record() {
    let case = &cases("avro")[0];
    let failure = async |record, schemas: &Schemas| {
        let read = value::<Avro<Order>>(&event(record).with_schemas(schemas).await);
        let error = read.unwrap_err();
        // A schema may be registered later. An id that is not there stays away.
        assert_eq!(error.is_retryable(), matches!(error, ParseError::SchemaUnknown { .. }));
        (error.error_type(), chain(&error))
    };
    let (name, text) = failure(record(case), &Schemas::new()).await;
    assert_eq!(name, "Powertools.RecordSchemaUnknown");
    assert!(text.starts_with("no schema has the id 1:"), "{text}");
    let never_resolved = value::<Avro<Order>>(&event(record(case))).unwrap_err();
    assert_eq!(never_resolved.error_type(), "Powertools.RecordSchemaUnknown");

    let bare = KafkaRecord::new(bytes(&case["data"])[5..].to_vec());
    let (name, _) = failure(bare, &Schemas::new()).await;
    assert_eq!(name, "Powertools.RecordSchemaMissing");
    let (name, text) = failure(record(case), &Schemas::new().schema(1, "{")).await;
    assert_eq!(name, "Powertools.RecordDataInvalid");
    assert!(text.contains("the writer's schema is invalid"), "{text}");

    let json = KafkaRecord::new("{}").value_schema("JSON", "1");
    let (name, text) = failure(json, &Schemas::new()).await;
    assert_eq!(name, "Powertools.RecordFormatUnexpected");
    assert_eq!(text, "the record is delivered as JSON, and the handler takes AVRO");
}

/// A registry that is down for some ids, and counts requests.
#[derive(Default)]
struct Registry {
    requests: Arc<AtomicUsize>,
    down: Mutex<HashSet<SchemaId>>,
}

impl SchemaSource for Registry {
    async fn schema(
        &self,
        id: &SchemaId,
    ) -> Result<Option<String>, Box<dyn StdError + Send + Sync>> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if self.down.lock().unwrap().contains(id) {
            Err("no route to host".into())
        } else {
            Ok(Some(r#""string""#.to_owned()))
        }
    }
}

#[tokio::test]
async fn a_registry_is_asked_once_for_a_schema_and_failures_are_those_of_their_records() {
    let text = |id: u8| KafkaRecord::new([&[0, 0, 0, 0, id], &b"\x04hi"[..]].concat());
    let event = || {
        let records = [1, 2, 1, 3].into_iter().fold(events::kafka("t"), |records, id| {
            records.record(text(id).key("\0\0\0\0\x09key"))
        });
        parse::<KafkaEvent>(records.build())
    };
    let registry = Registry::default();
    registry.down.lock().unwrap().insert(2.into());
    let requests = registry.requests.clone();
    let schemas = Schemas::from_source(registry).schema(3, r#""string""#);
    let handler = async |record: KafkaMessage<Avro<String>>| {
        assert_eq!(record.body.as_str(), "hi");
        Ok::<_, RecordError>(())
    };
    let run = async || {
        let event = event().with_schemas(&schemas).await;
        batch::kafka(event).partial_response().stop_at_first_failure().run(handler).await
    };
    let report = run().await;
    assert_eq!(outcomes(&report), "sfnn");
    let error = report.records().nth(1).unwrap().1.error().unwrap().to_string();
    assert_eq!(error, "the schema with the id 2 could not be looked up: no route to host");
    let _ = run().await;
    // 1 and 2, and 2 again. Bytes in front of a key are no id unless that is known.
    assert_eq!(requests.load(Ordering::Relaxed), 3);
}

/// Senders choose ids, and must not fill the memory.
#[tokio::test]
async fn up_to_1000_ids_without_a_schema_are_kept() {
    struct Empty(Arc<AtomicUsize>);

    impl SchemaSource for Empty {
        async fn schema(
            &self,
            _: &SchemaId,
        ) -> Result<Option<String>, Box<dyn StdError + Send + Sync>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(None)
        }
    }

    let asked = Arc::new(AtomicUsize::new(0));
    let schemas = Schemas::from_source(Empty(asked.clone()));
    let records = (0..1_010_u32).fold(events::kafka("t"), |records, id| {
        records.record(KafkaRecord::new([&[0][..], &id.to_be_bytes()].concat()))
    });
    let event: KafkaEvent = parse(records.build());
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
    let requests = async || {
        let invocation = invocation().clock(&clock).build();
        let _ = invocation.scope(event.clone().with_schemas(&schemas)).await;
        asked.swap(0, Ordering::Relaxed)
    };
    assert_eq!([requests().await, requests().await], [1_010, 10]);
    clock.advance(Duration::from_secs(30));
    assert_eq!([requests().await, requests().await], [1_010, 10], "old ones make room");
}

/// A registry with trouble about every id but 10.
struct Troubled;

impl SchemaSource for Troubled {
    async fn schema(
        &self,
        id: &SchemaId,
    ) -> Result<Option<String>, Box<dyn StdError + Send + Sync>> {
        match id {
            SchemaId::Number(10) => Ok(Some(r#""string""#.to_owned())),
            SchemaId::Number(11) => panic!("no connection"),
            _ => pending().await,
        }
    }
}

/// Half of the time is for the records.
#[tokio::test(start_paused = true)]
async fn a_registry_that_panics_or_hangs_is_the_failure_of_the_records_that_need_it() {
    // The schema of 12 is known, though more lookups hang than are made at the same time.
    let records = (10..30).fold(events::kafka("t"), |records, id| {
        let data = [&[0, 0, 0, 0, id], &b"\x04hi"[..]].concat();
        records.record(KafkaRecord::new(data).partition(id.into()))
    });
    let schemas = Schemas::from_source(Troubled).schema(12, r#""string""#);
    let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + Duration::from_secs(1));
    let invocation = invocation().clock(&clock).remaining(Duration::from_secs(10)).build();
    let start = Instant::now();
    let read = async {
        let event = parse::<KafkaEvent>(records.build()).with_schemas(&schemas).await;
        assert_eq!(start.elapsed(), Duration::from_secs(5));
        let handler = async |_: KafkaMessage<Avro<String>>| Ok::<_, RecordError>(());
        batch::kafka(event).partial_response().run(handler).await
    };
    let report = invocation.scope(read).await;
    assert_eq!(outcomes(&report), format!("sfs{}", "f".repeat(17)));
    let failures: Vec<_> =
        report.records().filter_map(|(_, outcome)| Some(outcome.error()?.to_string())).collect();
    assert_eq!(
        failures[..2],
        [
            "the schema with the id 11 could not be looked up: the source panicked: no connection",
            "the schema with the id 13 could not be looked up: there was no answer in time",
        ]
    );
}

#[test]
fn protobuf_is_read_with_and_without_a_header() {
    for case in cases("protobuf") {
        let name = case["name"].as_str().unwrap();
        let event = event(record(&case));
        let index: Vec<u32> = serde_json::from_value(case["index"].clone()).unwrap_or_default();
        if name.contains("second") || name.contains("a nested") {
            let customer: Proto<Customer, ANY_MESSAGE> = value(&event).unwrap();
            assert_eq!((customer.name.as_str(), &customer.indexes), ("Ada", &index), "{name}");
            if !name.contains("nested") {
                let second: Proto<Customer, 1> = value(&event).unwrap();
                assert_eq!((second.name.as_str(), &second.indexes), ("Ada", &index), "{name}");
            }
        } else if !name.contains("twice") {
            let order: Proto<ProtoOrder> = value(&event).unwrap();
            assert_eq!(order.indexes, index, "{name}");
            let expected = if name.contains("empty") {
                ProtoOrder::default()
            } else {
                let tags = ["a", "b"].map(str::to_owned).to_vec();
                ProtoOrder { id: "o-1".to_owned(), cents: 900, tags }
            };
            assert_eq!(order.message, expected, "{name}");
        } else {
            let error = value::<Proto<Customer, ANY_MESSAGE>>(&event).map(|_| ());
            assert!(error.is_err() == name.contains("twice"), "{name}");
        }
    }
}

/// The fields of the other message may be the same.
#[test]
fn another_message_of_the_schema_is_an_error() {
    let glue = "b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63";
    let message = b"\x0a\x03Ada";
    let written = |id: &str, front: &[u8]| {
        event(KafkaRecord::new([front, message].concat()).value_schema("PROTOBUF", id))
    };
    let is_first = |event: &KafkaEvent| value::<Proto<Customer>>(event).is_ok();
    let is_third = |event: &KafkaEvent| value::<Proto<Customer, 2>>(event).is_ok();
    for (id, front, expected) in [
        ("7", &[0][..], (true, false)),
        ("7", &[2, 0], (true, false)),
        ("7", &[2, 2], (false, false)),
        ("7", &[2, 4], (false, true)),
        // Inside of the first one, and of the third.
        ("7", &[4, 0, 0], (false, false)),
        ("7", &[4, 4, 0], (false, false)),
        (glue, &[0], (true, false)),
        (glue, &[1], (false, false)),
        (glue, &[2], (false, true)),
    ] {
        let event = written(id, front);
        assert_eq!((is_first(&event), is_third(&event)), expected, "{front:?}");
    }
    // A registry is unknown.
    let bare = event(KafkaRecord::new(message));
    assert!(is_first(&bare) && is_third(&bare));

    let error = value::<Proto<Customer>>(&written("7", &[4, 2, 0])).unwrap_err();
    assert_eq!((error.error_type(), error.is_retryable()), ("Powertools.RecordDataInvalid", false));
    let text = chain(&error);
    assert!(text.ends_with("it is the message [1, 0] of its schema, and [0] is read"), "{text}");
}

#[test]
fn protobuf_from_a_mapping_has_indexes_and_no_id() {
    let message = b"\x0a\x03Ada";
    let read = |id: &str, front: &[u8]| {
        let record = KafkaRecord::new([front, message].concat()).value_schema("PROTOBUF", id);
        let read: Result<Proto<Customer, ANY_MESSAGE>, _> = value(&event(record));
        read.map(|read| (read.message.name, read.indexes))
    };
    let glue = "b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63";
    for (id, front, indexes) in [
        ("7", &[0][..], vec![0]),
        ("7", &[4, 2, 0], vec![1, 0]),
        ("7", &[2, 0x80, 0x02], vec![128]),
        (glue, &[0], vec![0]),
        (glue, &[0x80, 0x01], vec![128]),
    ] {
        assert_eq!(read(id, front).unwrap(), ("Ada".to_owned(), indexes));
    }
    // A negative length, a negative number, more numbers than bytes, and an index that is left.
    for front in [&[1][..], &[2, 1], &[0xfe, 0xff, 0x03], &[0, 0]] {
        let error = read("7", front).unwrap_err();
        assert_eq!(error.error_type(), "Powertools.RecordDataInvalid", "{front:?}");
    }
}

#[test]
fn json_is_read_behind_a_header() {
    for case in cases("json") {
        let read: Json<Value> = value(&event(record(&case))).unwrap();
        assert_eq!(read.0, case["expected"]);
        let plain = value::<Value>(&event(record(&case)));
        assert!(plain.is_err(), "a type of JSON alone takes the data as it is");
    }
    let delivered = KafkaRecord::new("7").value_schema("JSON", "1");
    assert_eq!(value::<Json<u64>>(&event(delivered)).unwrap().0, 7);
    let avro = KafkaRecord::new("7").value_schema("AVRO", "1");
    assert!(matches!(value::<Json<u64>>(&event(avro)), Err(ParseError::FormatUnexpected { .. })));
    let zlib = KafkaRecord::new([&[3, 5][..], &[7; 16], b"no zlib"].concat());
    assert!(matches!(value::<Json<u64>>(&event(zlib)), Err(ParseError::Compression(_))));
}

#[tokio::test]
async fn a_tombstone_has_a_key_and_no_value() {
    let records = events::kafka("customers")
        .record(KafkaRecord::json(json!("Ada")).key("c-1"))
        .record(KafkaRecord::tombstone().key("c-2"))
        .record(KafkaRecord::json(json!("Eve")));
    let seen = Mutex::new(Vec::new());
    let handler = async |record: KeyValue<Text, Json<String>>| {
        let value = record.value.as_ref().map(|value| value.0.clone());
        seen.lock().unwrap().push((record.key.as_ref().map(|key| key.0.clone()), value));
        assert_eq!(record.topic(), Some("customers"));
        Ok::<_, RecordError>(())
    };
    let report = batch::kafka(parse::<KafkaEvent>(records.build())).run(handler).await;
    assert!(report.is_done());
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        seen.into_inner().unwrap(),
        [(some("c-1"), some("Ada")), (some("c-2"), None), (None, some("Eve"))]
    );

    let tombstone = event(KafkaRecord::tombstone());
    let handler = async |_: KafkaMessage<Json<String>>| Ok::<_, RecordError>(());
    let report = batch::kafka(tombstone).run(handler).await;
    assert_eq!(outcomes(&report), "f");
}

/// A message of every type, with all its causes.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn changed_bytes_are_a_value_or_an_error(
        place in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let cases = kafka_values();
        let case = &cases[place.index(cases.len())];
        let mut data = bytes(&case["data"]);
        for (index, byte) in changes {
            if !data.is_empty() {
                let index = index.index(data.len());
                data[index] = byte;
            }
        }
        if let Some(cut) = cut {
            data.truncate(cut.index(data.len() + 1));
        }
        let schema = case["schema"].as_str().unwrap_or("\"string\"");
        let schemas = Schemas::<NoSource>::new().schema(7, schema);
        for format in [None, Some("AVRO"), Some("PROTOBUF"), Some("JSON")] {
            let mut record = KafkaRecord::new(data.clone());
            if let Some(format) = format {
                record = record.value_schema(format, "7");
            }
            let event = futures_util::FutureExt::now_or_never(event(record).with_schemas(&schemas)).unwrap();
            let _ = value::<Avro<Order>>(&event);
            let _ = value::<Proto<ProtoOrder>>(&event);
            let _ = value::<Json<Value>>(&event);
        }
    }
}
