//! Data in Avro whose reader has another schema than its writer.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use apache_avro::schema::{Name, NamespaceRef, Schema};
use apache_avro::types::Value as Datum;
use apache_avro::writer::datum::GenericDatumWriter;
use apache_avro::{AvroSchema, AvroSchemaComponent, Decimal, Uuid};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::FutureExt;
use powertools::batch::{self, KafkaMessage, RecordError};
use powertools::events::{Avro, KafkaData, KafkaEvent, ParseError, Schemas};
use powertools::testing::events::{self, KafkaRecord};
use powertools::testing::invocation;
use powertools_tests::vectors::{avro_resolution, kafka_values};
use proptest::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Value, json};

use super::{outcomes, parse};

thread_local! {
    static READER: RefCell<Schema> = const { RefCell::new(Schema::Null) };
}

/// A type whose schema is that of the test.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct With<T>(T);

impl<T> AvroSchemaComponent for With<T> {
    fn get_schema_in_ctxt(_: &mut HashSet<Name>, _: NamespaceRef<'_>) -> Schema {
        READER.with_borrow(Schema::clone)
    }
}

/// Any value, as JSON. Bytes are strings of the code points up to 255.
#[derive(Debug, PartialEq, Serialize)]
struct Dynamic(Value);

impl<'de> Deserialize<'de> for Dynamic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Dynamic;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Dynamic, E> {
                Ok(Dynamic(Value::Null))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Dynamic, E> {
                Ok(Dynamic(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Dynamic, E> {
                Ok(Dynamic(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Dynamic, E> {
                Ok(Dynamic(value.into()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Dynamic, E> {
                Ok(Dynamic(value.into()))
            }

            fn visit_bytes<E>(self, value: &[u8]) -> Result<Dynamic, E> {
                Ok(Dynamic(value.iter().copied().map(char::from).collect::<String>().into()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Dynamic, A::Error> {
                let mut list = Vec::new();
                while let Some(Dynamic(item)) = items.next_element()? {
                    list.push(item);
                }
                Ok(Dynamic(list.into()))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Dynamic, A::Error> {
                let mut map = serde_json::Map::new();
                while let Some((key, Dynamic(value))) = entries.next_entry()? {
                    map.insert(key, value);
                }
                Ok(Dynamic(map.into()))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Payment {
    Charge { id: String, cents: i64 },
    Dispute { id: String, cents: i64 },
    Refund { id: String, cents: i64, reason: String },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Paid<T> {
    value: T,
}

fn event(writer: &str, data: &[u8]) -> KafkaEvent {
    let record = KafkaRecord::new(data).value_schema("AVRO", "7");
    let schemas = Schemas::new().schema(7, writer);
    let event = parse::<KafkaEvent>(events::kafka("orders").record(record).build());
    event.with_schemas(&schemas).now_or_never().unwrap()
}

/// Reads data by the schema of a type.
fn read<T>(writer: &str, data: &[u8]) -> Result<T, String>
where
    Avro<T>: KafkaData,
{
    let read = event(writer, data).records[0].value_as::<Avro<T>>();
    read.map(|value| value.expect("it has one").0).map_err(|error| {
        assert!(matches!(error, ParseError::Data { .. }), "{error:?}");
        error.source().map(ToString::to_string).unwrap_or_default()
    })
}

/// Reads data by the schema of a reader.
fn read_as<T>(writer: &str, reader: &str, data: &[u8]) -> Result<T, String>
where
    Avro<With<T>>: KafkaData,
{
    READER.set(Schema::parse_str(reader).unwrap());
    read::<With<T>>(writer, data).map(|value| value.0)
}

fn bytes(text: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap()
}

#[test]
fn schemas_resolve_as_the_specification_defines() {
    let (mut resolved, mut refused) = (0, 0);
    for case in avro_resolution() {
        let name = &case["name"];
        let [writer, reader] = ["writer", "reader"].map(|schema| case[schema].to_string());
        let data = bytes(&case["data"]);
        let of_records = reader.contains("Dispute");
        let read = if of_records {
            read_as::<Paid<Payment>>(&writer, &reader, &data).map(|value| json!(value))
        } else {
            read_as::<Dynamic>(&writer, &reader, &data).map(|value| value.0)
        };
        match (case.get("expected"), read) {
            (Some(expected), read) => {
                assert_eq!(read.as_ref(), Ok(expected), "{name}");
                resolved += 1;
            }
            (None, Ok(read)) => panic!("{name}: {read}"),
            (None, Err(_)) => refused += 1,
        }
    }
    assert_eq!((resolved, refused), (67, 32));
}

#[test]
fn every_type_is_read_with_the_schema_of_its_writer() {
    #[derive(Deserialize)]
    struct Everything {
        amount: Decimal,
        at: i64,
        day: i32,
        id: Uuid,
        large: i64,
        choice: Option<Choice>,
        map: BTreeMap<String, String>,
        tree: Tree,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Choice {
        Number(i64),
        Text(String),
    }

    #[derive(Deserialize)]
    struct Tree {
        parts: Vec<Tree>,
    }

    let case = kafka_values().into_iter().find(|case| case["name"] == "every type").unwrap();
    let (schema, data) = (case["schema"].as_str().unwrap(), bytes(&case["data"]));
    let all: Everything = read_as(schema, schema, &data).unwrap();
    assert_eq!(all.amount, Decimal::from((-1234_i16).to_be_bytes()));
    assert_eq!((all.at, all.day, all.large), (1_767_225_600_123, 20_000, 1 << 62));
    assert_eq!(all.id.to_string(), "b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63");
    assert_eq!(all.choice, Some(Choice::Text("s".to_owned())));
    assert_eq!((all.map["a"].as_str(), all.tree.parts.len()), ("1", 1));
    // The whole value, whatever its types are.
    let all: Dynamic = read_as(schema, schema, &data).unwrap();
    assert_eq!(all.0.as_object().unwrap().len(), 17);
    assert_eq!(all.0["fixed"], "abcd");
}

#[test]
fn derived_types_take_the_plain_value_of_a_logical_type() {
    #[derive(Debug, PartialEq, Deserialize, AvroSchema)]
    struct Booking {
        at: i64,
        day: i32,
        id: String,
        trace: Uuid,
    }

    let writer = r#"{"type": "record", "name": "Booking", "fields": [
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "trace", "type": {"type": "string", "logicalType": "uuid"}}]}"#;
    let id = "B7B4A7F0-9c96-4e4a-a687-fb5de9ef0c63";
    let data = [&[20, 8, 72][..], id.as_bytes(), &[72], id.as_bytes()].concat();
    let expected =
        Booking { at: 10, day: 4, id: id.to_owned(), trace: Uuid::try_parse(id).unwrap() };
    assert_eq!(read::<Booking>(writer, &data), Ok(expected));
}

/// What `apache-avro` writes of a type that derives `AvroSchema` is that value.
#[test]
fn derived_types_are_read_as_they_are_written() {
    #[derive(Debug, PartialEq, Serialize, Deserialize, AvroSchema)]
    struct All {
        small: u8,
        large: u64,
        larger: i128,
        largest: u128,
        char: char,
        #[avro(with)]
        #[serde(with = "apache_avro::serde::bytes")]
        bytes: Vec<u8>,
        #[avro(with = apache_avro::serde::fixed::get_schema_in_ctxt::<6>)]
        #[serde(with = "apache_avro::serde::fixed")]
        fixed: [u8; 6],
        trace: Uuid,
        wait: Duration,
        symbol: Symbol,
        #[serde(rename = "union")]
        bare: Vec<Bare>,
        records: Vec<Records>,
        adjacent: Adjacent,
        internal: Internal,
        optional: Option<String>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, AvroSchema)]
    enum Symbol {
        Small,
        Large,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, AvroSchema)]
    #[avro(repr = "bare_union")]
    enum Bare {
        Nothing,
        Number(i64),
        Text(String),
        Point { x: i32, y: i32 },
        Size { x: i32, y: i32 },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, AvroSchema)]
    #[avro(repr = "union_of_records")]
    enum Records {
        Created,
        Renamed(String),
        Moved { to: String },
        Placed(i32, i32),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, AvroSchema)]
    #[serde(tag = "kind", content = "value")]
    #[avro(repr = "record_tag_content")]
    enum Adjacent {
        Number(i64),
        Text(String),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, AvroSchema)]
    #[serde(tag = "kind")]
    #[avro(repr = "record_internally_tagged")]
    enum Internal {
        Here { at: Option<i64> },
        There { from: Option<i64> },
    }

    let all = || All {
        small: 255,
        large: u64::MAX,
        larger: i128::MIN,
        largest: u128::MAX,
        char: 'ä',
        bytes: vec![0, 255],
        fixed: *b"abcdef",
        trace: Uuid::from_u128(7),
        wait: Duration::new(u64::MAX, 999_999_999),
        symbol: Symbol::Large,
        bare: vec![
            Bare::Nothing,
            Bare::Number(-1),
            Bare::Text("a".to_owned()),
            Bare::Point { x: 1, y: 2 },
            Bare::Size { x: 1, y: 2 },
        ],
        records: vec![
            Records::Created,
            Records::Renamed("a".to_owned()),
            Records::Moved { to: "b".to_owned() },
            Records::Placed(1, 2),
        ],
        adjacent: Adjacent::Text("a".to_owned()),
        internal: Internal::There { from: Some(7) },
        optional: Some("a".to_owned()),
    };
    let schema = All::get_schema();
    let writer = GenericDatumWriter::builder(&schema).build().unwrap();
    let data = writer.write_ser_to_vec(&all()).unwrap();
    assert_eq!(read::<All>(&serde_json::to_string(&schema).unwrap(), &data), Ok(all()));
}

#[test]
fn a_big_decimal_is_its_digits() {
    let schema = r#"{"type": "bytes", "logicalType": "big-decimal"}"#;
    // -1,234 with two digits behind the point, and 1 with a negative scale.
    let read = |data: &[u8]| read_as::<String>(schema, schema, data);
    assert_eq!(read(&[8, 4, 0xfb, 0x2e, 4]).as_deref(), Ok("-12.34"));
    assert_eq!(read(&[6, 2, 1, 5]).as_deref(), Ok("1000"));
    // A scale of -10,000, which could be one that fills the memory with zeros; a length behind the end; bytes
    // that are left.
    for invalid in [&[10, 2, 1, 0x9f, 0x9c, 1][..], &[6, 20, 1, 5], &[8, 2, 1, 5, 0]] {
        assert!(read(invalid).is_err(), "{invalid:?}");
    }
}

/// The defaults of a writer have no meaning for its data, and `apache-avro` takes this one for a mistake.
#[test]
fn a_default_of_the_writer_is_not_checked() {
    let reader = json!({"type": "record", "name": "T", "fields": [{"name": "value", "type": {
        "type": "fixed", "name": "F", "size": 12, "logicalType": "duration"}}]});
    let mut writer = reader.clone();
    writer["fields"][0]["default"] = json!("\0".repeat(12));
    assert!(Schema::parse(&writer).is_err());
    let read: Paid<apache_avro::Duration> =
        read_as(&writer.to_string(), &reader.to_string(), &[7; 12]).unwrap();
    assert_eq!(read.value, apache_avro::Duration::from([7; 12]));
}

const UNION: &str = r#"[
    {"type": "record", "name": "Charge", "fields": [{"name": "id", "type": "string"}, {"name": "cents", "type": "long"}]},
    {"type": "record", "name": "Refund", "fields": [
        {"name": "id", "type": "string"}, {"name": "cents", "type": "long"}, {"name": "reason", "type": "string"}]}]"#;

/// A refund of `o-1`.
const REFUND: &[u8] = b"\x02\x06o-1\x14\x08lost";

#[test]
fn a_branch_of_records_is_the_variant_at_its_place() {
    #[derive(Debug, PartialEq, Deserialize)]
    enum Either {
        Charge { id: String, cents: i64 },
        Refund { id: String, cents: i64, reason: String },
    }

    let refund = || Either::Refund { id: "o-1".into(), cents: 10, reason: "lost".into() };
    assert_eq!(read_as(UNION, UNION, REFUND), Ok(refund()));
    assert_eq!(
        read_as(UNION, UNION, b"\x00\x06o-1\x14"),
        Ok(Either::Charge { id: "o-1".into(), cents: 10 })
    );
    // Null is no variant of an `Option`.
    let optional = UNION.replacen('[', r#"["null", "#, 1);
    assert_eq!(read_as(UNION, &optional, REFUND), Ok(Some(refund())));
    assert_eq!(read_as::<Option<Either>>(r#"["null"]"#, &optional, &[0]), Ok(None));
    // As `derive(AvroSchema)` writes a variant with one value.
    #[derive(Debug, PartialEq, Deserialize, AvroSchema)]
    #[avro(repr = "union_of_records")]
    enum Event {
        Created(String),
        Renamed(String),
        Deleted,
    }
    let writer = r#"[{"type": "record", "name": "Deleted", "fields": []},
        {"type": "record", "name": "Renamed", "fields": [{"name": "field_0", "type": "string"}]}]"#;
    assert_eq!(read::<Event>(writer, b"\x02\x04hi"), Ok(Event::Renamed("hi".into())));
    assert_eq!(read::<Event>(writer, b"\x00"), Ok(Event::Deleted));
}

/// Serde lists aliases among the variants, sorted by their names.
#[test]
fn an_alias_of_a_variant_moves_no_other() {
    #[derive(Debug, PartialEq, Deserialize)]
    enum Named {
        Refund {
            id: String,
            cents: i64,
            reason: String,
        },
        #[serde(alias = "Bill")]
        Charge {
            id: String,
            cents: i64,
        },
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is not read")]
    enum Placed {
        #[serde(alias = "Billed")]
        Charged {
            id: String,
            cents: i64,
        },
        Refunded {
            id: String,
            cents: i64,
            reason: String,
        },
    }

    let refund = Named::Refund { id: "o-1".into(), cents: 10, reason: "lost".into() };
    assert_eq!(read_as(UNION, UNION, REFUND), Ok(refund));
    let charge = Named::Charge { id: "o-1".into(), cents: 10 };
    assert_eq!(read_as(UNION, UNION, b"\x00\x06o-1\x14"), Ok(charge));
    let error = read_as::<Placed>(UNION, UNION, REFUND).unwrap_err();
    assert_eq!(error, "the enum has 3 variants and aliases, and its union 2 branches");
}

#[test]
fn an_enum_beside_null_is_one_of_its_symbols_or_of_one_record() {
    #[derive(Debug, PartialEq, Deserialize)]
    enum Color {
        Red,
        Green,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    enum Event {
        Created { id: i32 },
    }

    let color = r#"["null", {"type": "enum", "name": "Color", "symbols": ["Red", "Green"]}]"#;
    assert_eq!(read_as(color, color, &[2, 2]), Ok(Some(Color::Green)));
    assert_eq!(read_as(color, color, &[2, 2]), Ok(Color::Green));
    assert_eq!(read_as::<Option<Color>>(color, color, &[0]), Ok(None));
    assert!(read_as::<Color>(color, color, &[0]).is_err());
    for name in ["Created", "OrderCreated"] {
        let record = format!(
            r#"["null", {{"type": "record", "name": "{name}", "fields": [{{"name": "id", "type": "int"}}]}}]"#
        );
        assert_eq!(read_as(&record, &record, &[2, 14]), Ok(Some(Event::Created { id: 7 })));
    }
}

#[test]
fn items_that_are_left_are_an_error() {
    let schema = r#"{"type": "array", "items": "int"}"#;
    assert_eq!(read_as::<[i32; 2]>(schema, schema, &[4, 2, 4, 0]), Ok([1, 2]));
    assert!(read_as::<[i32; 2]>(schema, schema, &[6, 2, 4, 6, 0]).is_err());
}

/// Serde would take the first type whose fields are there.
#[test]
fn a_type_that_cannot_tell_the_records_of_a_union_apart_is_an_error() {
    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "it is not read")]
    enum Untagged {
        Charge { id: String, cents: i64 },
        Refund { id: String, cents: i64, reason: String },
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is not read")]
    struct Charge {
        id: String,
        cents: i64,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is not read")]
    enum Shifted {
        Other { id: String, cents: i64 },
        More { id: String, cents: i64 },
        Refund { id: String, cents: i64 },
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is not read")]
    enum Swapped {
        Refund { id: String, cents: i64 },
        Other { id: String, cents: i64 },
    }

    let error = read_as::<Untagged>(UNION, UNION, REFUND).unwrap_err();
    assert!(error.contains("an enum with a variant for each branch"), "{error}");
    assert!(read_as::<Charge>(UNION, UNION, REFUND).is_err());
    assert!(read_as::<Option<Charge>>(UNION, UNION, REFUND).is_err());
    assert!(read_as::<BTreeMap<String, Dynamic>>(UNION, UNION, REFUND).is_err());
    let error = read_as::<Shifted>(UNION, UNION, REFUND).unwrap_err();
    assert_eq!(error, "the enum has 3 variants and aliases, and its union 2 branches");
    let error = read_as::<Swapped>(UNION, UNION, REFUND).unwrap_err();
    assert_eq!(error, "the variant Refund is not at the place of its branch");
    // What is not read is not told apart.
    #[derive(Debug, PartialEq, Deserialize)]
    struct Ignores {}
    let reader = json!({"type": "record", "name": "T", "fields": [
        {"name": "value", "type": serde_json::from_str::<Value>(UNION).unwrap()}]});
    let reader = reader.to_string();
    assert_eq!(read_as(&reader, &reader, REFUND), Ok(Ignores {}));
}

/// With each branch tried in turn, 2^31 steps.
#[test]
fn a_list_by_a_union_takes_as_many_steps_as_it_has_values() {
    #[derive(Debug, Deserialize)]
    struct Node {
        next: Option<Box<Node>>,
    }

    let schema = r#"{"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}"#;
    let list = |nodes: usize| [vec![2; nodes - 1], vec![0]].concat();
    let mut node: Node = read_as(schema, schema, &list(32)).unwrap();
    let mut nodes = 1;
    while let Some(next) = node.next {
        node = *next;
        nodes += 1;
    }
    assert_eq!(nodes, 32);
    let error = read_as::<Node>(schema, schema, &list(33)).unwrap_err();
    assert_eq!(error, "its values are nested too deeply");
}

/// A few bytes would become any size.
#[test]
fn defaults_cannot_make_a_record_larger_than_the_memory_allows() {
    let schema = |fields: Value| {
        let item = json!({"type": "record", "name": "T", "fields": fields});
        json!({"type": "array", "items": item}).to_string()
    };
    let writer = schema(json!([{"name": "flag", "type": "boolean"}]));
    let text = json!({"name": "text", "type": "string", "default": "x".repeat(10_000)});
    let reader = schema(json!([text]));
    let items = |block: &[u8], count| [block, &vec![1; count], &[0]].concat();
    let few: Vec<Text> = read_as(&writer, &reader, &items(&[0xb0, 0x09], 600)).unwrap();
    assert_eq!((few.len(), few[0].text.len()), (600, 10_000));
    // 160 MB.
    let many = items(&[0x80, 0xfa, 0x01], 16_000);
    let error = read_as::<Vec<Text>>(&writer, &reader, &many).unwrap_err();
    assert_eq!(error, "the defaults of its fields are larger than one record may be");
}

#[derive(Debug, Deserialize)]
struct Text {
    text: String,
}

/// What a batch reserves holds for the defaults too.
#[tokio::test]
async fn memory_is_reserved_for_defaults() {
    #[derive(Deserialize, AvroSchema)]
    #[expect(dead_code, reason = "it is not read")]
    struct Row {
        #[avro(default = r#"{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8}"#)]
        numbers: HashMap<String, i64>,
    }

    let writer = r#"{"type": "array", "items": {"type": "record", "name": "Row", "fields": [
        {"name": "flag", "type": "boolean"}]}}"#;
    // 60,000 rows, whose defaults have nine values each.
    let data = [&[0xc0, 0xa9, 0x07][..], &vec![1; 60_000], &[0]].concat();
    let record = KafkaRecord::new(data).value_schema("AVRO", "7");
    let event = parse::<KafkaEvent>(events::kafka("orders").record(record).build());
    let event = event.with_schemas(&Schemas::new().schema(7, writer)).await;
    let handler = async |_: KafkaMessage<Avro<Vec<Row>>>| Ok::<_, RecordError>(());
    let run = async |memory| {
        let invocation = invocation().memory_mb(memory).build();
        let run = batch::kafka(event.clone()).partial_response().run(handler);
        outcomes(&invocation.scope(run).await)
    };
    assert_eq!([run(128).await, run(1_024).await], ["f", "s"]);
}

#[test]
fn a_field_that_may_be_one_of_several_is_an_error() {
    let record =
        |fields: Value| json!({"type": "record", "name": "T", "fields": fields}).to_string();
    let long = |name: &str, aliases: &[&str]| json!({"name": name, "type": "long", "aliases": aliases, "default": 7});
    let writer = record(json!([long("a", &[]), long("b", &[])]));
    let read =
        |fields: Value| read_as::<Dynamic>(&writer, &record(fields), &[2, 4]).map(|read| read.0);
    assert_eq!(read(json!([long("c", &["b"])])), Ok(json!({"c": 2})));
    // A name takes precedence over an alias, also of another field.
    assert_eq!(read(json!([long("a", &["b"])])), Ok(json!({"a": 1})));
    assert_eq!(read(json!([long("b", &[]), long("c", &["b"])])), Ok(json!({"b": 2, "c": 7})));
    let error = read(json!([long("c", &["a", "b"])])).unwrap_err();
    assert_eq!(error, "T.c: the writer has several fields that are aliases of it");
    let error = read(json!([long("c", &["a"]), long("d", &["a"])])).unwrap_err();
    assert_eq!(error, "T.d: another field is read from the same one");
}

#[test]
fn an_error_names_the_field_and_both_types_and_no_value() {
    let record = |fields: Value| {
        let lines = json!({"type": "record", "name": "Line", "fields": fields});
        json!({"type": "record", "name": "Order", "fields": [
            {"name": "id", "type": "string"},
            {"name": "lines", "type": {"type": "array", "items": lines}}]})
        .to_string()
    };
    let decimal = |scale| {
        json!([{"name": "amount", "type": {
            "type": "bytes", "logicalType": "decimal", "precision": 9, "scale": scale}}])
    };
    let data = b"\x0csecret\x02\x02\x64\x00";
    let error = |reader: &str| read_as::<Dynamic>(&record(decimal(4)), reader, data).unwrap_err();
    assert_eq!(
        error(&record(decimal(2))),
        "Order.lines[].amount: the writer's decimal(9, 4) of bytes does not fit the reader's \
         decimal(9, 2) of bytes"
    );
    assert_eq!(
        error(&record(json!([{"name": "cents", "type": "long"}]))),
        "Order.lines[].cents: the writer does not have it, and it has no default"
    );
    assert_eq!(
        error(&record(json!([{"name": "amount", "type": ["null", "string"]}]))),
        "Order.lines[].amount: the writer's decimal(9, 4) of bytes fits no branch of [null, string]"
    );
    assert_eq!(
        error(&record(decimal(4)).replace("Order", "Invoice")),
        "Invoice: the writer's record Order does not fit the reader's record Invoice"
    );
    let wrong: Result<Vec<Dynamic>, _> = read_as(r#""string""#, r#""string""#, b"\x0csecret");
    assert_eq!(wrong.unwrap_err(), "invalid type: string, expected an array");
    let wrong: Result<u8, _> = read_as(r#""long""#, r#""long""#, &[0x80, 0x80, 0x7a]);
    assert_eq!(wrong.unwrap_err(), "invalid value: integer, expected u8");
}

/// A value of a random schema.
#[derive(Clone, Debug)]
enum Shape {
    Null,
    Boolean(bool),
    Int(i32),
    Long(i64),
    Double(i32),
    Text(String),
    Bytes(Vec<u8>),
    Fixed([u8; 3]),
    Enum(u32),
    Array(Box<Shape>, usize),
    Map(Box<Shape>, usize),
    Optional(Box<Shape>, bool),
    Record(Vec<Shape>),
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        Just(Shape::Null),
        any::<bool>().prop_map(Shape::Boolean),
        any::<i32>().prop_map(Shape::Int),
        any::<i64>().prop_map(Shape::Long),
        any::<i32>().prop_map(Shape::Double),
        ".{0,4}".prop_map(Shape::Text),
        prop::collection::vec(any::<u8>(), 0..4).prop_map(Shape::Bytes),
        any::<[u8; 3]>().prop_map(Shape::Fixed),
        (0..3_u32).prop_map(Shape::Enum),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            (inner.clone(), 0..3_usize)
                .prop_map(|(shape, count)| Shape::Array(shape.into(), count)),
            (inner.clone(), 0..3_usize).prop_map(|(shape, count)| Shape::Map(shape.into(), count)),
            (inner.clone(), any::<bool>()).prop_map(|(shape, is_some)| {
                // Null is in each optional type already, and a union is in no union.
                match shape {
                    Shape::Null | Shape::Optional(..) => shape,
                    shape => Shape::Optional(shape.into(), is_some),
                }
            }),
            prop::collection::vec(inner, 0..4).prop_map(Shape::Record),
        ]
    })
}

impl Shape {
    /// Returns the schema, the value for the writer of `apache-avro`, and what is read. `names` counts the
    /// types that have one.
    fn describe(&self, names: &mut usize) -> (Value, Datum, Value) {
        let mut name = |prefix: &str| {
            *names += 1;
            format!("{prefix}{names}")
        };
        let latin1 = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect::<String>();
        match self {
            Self::Null => (json!("null"), Datum::Null, Value::Null),
            Self::Boolean(value) => (json!("boolean"), Datum::Boolean(*value), json!(value)),
            Self::Int(value) => (json!("int"), Datum::Int(*value), json!(value)),
            Self::Long(value) => (json!("long"), Datum::Long(*value), json!(value)),
            Self::Double(value) => {
                let value = f64::from(*value) / 8.0;
                (json!("double"), Datum::Double(value), json!(value))
            }
            Self::Text(value) => (json!("string"), Datum::String(value.clone()), json!(value)),
            Self::Bytes(value) => {
                (json!("bytes"), Datum::Bytes(value.clone()), json!(latin1(value)))
            }
            Self::Fixed(value) => {
                let schema = json!({"type": "fixed", "name": name("F"), "size": 3});
                (schema, Datum::Fixed(3, value.to_vec()), json!(latin1(value)))
            }
            Self::Enum(index) => {
                let symbols = ["A", "B", "C"];
                let symbol = symbols[*index as usize];
                let schema = json!({"type": "enum", "name": name("E"), "symbols": symbols});
                (schema, Datum::Enum(*index, symbol.to_owned()), json!(symbol))
            }
            Self::Array(item, count) => {
                let (schema, datum, value) = item.describe(names);
                let datum = Datum::Array(vec![datum; *count]);
                (json!({"type": "array", "items": schema}), datum, json!(vec![value; *count]))
            }
            Self::Map(item, count) => {
                let (schema, datum, value) = item.describe(names);
                let keys = || (0..*count).map(|key| format!("k{key}"));
                let datum = Datum::Map(keys().map(|key| (key, datum.clone())).collect());
                let value: serde_json::Map<_, _> = keys().map(|key| (key, value.clone())).collect();
                (json!({"type": "map", "values": schema}), datum, value.into())
            }
            Self::Optional(shape, is_some) => {
                let (schema, datum, value) = shape.describe(names);
                let (datum, value) = match is_some {
                    true => (Datum::Union(1, datum.into()), value),
                    false => (Datum::Union(0, Datum::Null.into()), Value::Null),
                };
                (json!(["null", schema]), datum, value)
            }
            Self::Record(fields) => {
                let name = name("R");
                let (mut schemas, mut data, mut values) = (Vec::new(), Vec::new(), json!({}));
                for (place, field) in fields.iter().enumerate() {
                    let (schema, datum, value) = field.describe(names);
                    let field = format!("f{place}");
                    schemas.push(json!({"name": field, "type": schema}));
                    values[&field] = value;
                    data.push((field, datum));
                }
                let schema = json!({"type": "record", "name": name, "fields": schemas});
                (schema, Datum::Record(data), values)
            }
        }
    }
}

/// Writes a value by `apache-avro`.
fn write(schema: &Value, datum: Datum) -> Vec<u8> {
    let schema = Schema::parse(schema).unwrap();
    let writer = GenericDatumWriter::builder(&schema).build().unwrap();
    writer.write_value_to_vec(datum).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_value_is_read_back_by_the_schema_of_its_writer(shape in shape()) {
        let (schema, datum, expected) = shape.describe(&mut 0);
        let text = schema.to_string();
        let read: Dynamic = read_as(&text, &text, &write(&schema, datum)).unwrap();
        prop_assert_eq!(read.0, expected);
    }

    /// The reader has the fields in another order, without some of them and with others.
    #[test]
    fn fields_are_added_removed_and_moved(
        fields in prop::collection::vec((shape(), any::<bool>()), 1..6),
        moved in any::<prop::sample::Index>(),
        added in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
    ) {
        let record = Shape::Record(fields.iter().map(|(shape, _)| shape.clone()).collect());
        let (schema, datum, mut expected) = record.describe(&mut 0);
        let data = write(&schema, datum);
        let mut reader = schema.clone();
        let list = reader["fields"].as_array_mut().unwrap();
        let mut kept = fields.iter().map(|(_, is_kept)| *is_kept);
        list.retain(|field| {
            let is_kept = kept.next().unwrap();
            if !is_kept {
                expected.as_object_mut().unwrap().remove(field["name"].as_str().unwrap());
            }
            is_kept
        });
        if !list.is_empty() {
            let by = moved.index(list.len());
            list.rotate_left(by);
        }
        for (place, index) in added.iter().enumerate() {
            let name = format!("added{place}");
            let default = json!({"n": [1, null], "e": "B"});
            let schema = json!({"type": "record", "name": format!("Added{place}"), "fields": [
                {"name": "n", "type": {"type": "array", "items": ["null", "long"]}},
                {"name": "e", "type": {"type": "enum", "name": format!("Size{place}"), "symbols": ["A", "B"]}},
                {"name": "d", "type": "double", "default": 0.5}]});
            let place = index.index(list.len() + 1);
            list.insert(place, json!({"name": name, "type": schema, "default": default}));
            expected[name] = json!({"n": [1, null], "e": "B", "d": 0.5});
        }
        let read: Dynamic = read_as(&schema.to_string(), &reader.to_string(), &data).unwrap();
        prop_assert_eq!(read.0, expected);
    }
}
