//! What the bodies of records may be, and what an error about one names.

use std::convert::Infallible;
use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use powertools::batch::{self, Change, KinesisMessage, Message, RecordError};
use powertools::events::{DynamoDbEvent, KinesisEvent, ParseError, SqsEvent, Text};
use powertools_tests::alone_with;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{base64, outcomes, parse, reported};

/// The largest number of 38 digits, which DynamoDB keeps exactly.
const DIGITS: &str = "99999999999999999999999999999999999999";

fn kinesis(data: impl AsRef<[u8]>) -> KinesisEvent {
    parse(json!({ "Records": [{ "kinesis": {
        "sequenceNumber": "1", "partitionKey": "k", "data": base64(data),
    } }] }))
}

/// Parses the only record as a `T` and returns its error.
async fn kinesis_error<T: DeserializeOwned>(data: impl AsRef<[u8]>) -> Option<RecordError> {
    let run =
        batch::kinesis(kinesis(data)).run(async |_: KinesisMessage<T>| Ok::<_, Infallible>(()));
    let report = run.await;
    let (_, outcome) = report.records().next().unwrap();
    outcome.error().cloned()
}

#[tokio::test]
async fn joined_and_padded_streams_are_read_and_others_refused() {
    let zlib = |data: &[u8]| {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(data).unwrap();
        zlib.finish().unwrap()
    };
    for read in [
        [zlib(b"[1,"), zlib(b"2]")].concat(),
        [zlib(b"[1,2]"), b"\n".to_vec()].concat(),
        [zlib(b"[1,2]"), vec![0; 4]].concat(),
    ] {
        assert!(kinesis_error::<[u8; 2]>(read).await.is_none());
    }
    let error = kinesis_error::<Value>([zlib(b"[1]"), b"[2]".to_vec()].concat()).await.unwrap();
    assert!(error.to_string().contains("3 bytes follow that are not compressed"), "{error}");
}

/// 30 KB that become 32 MB of text are within the limit of a function of 128 MB, but not the half a
/// gigabyte that their values take.
#[tokio::test]
async fn data_whose_values_exhaust_the_memory_is_refused() {
    let text = format!("[{}0]", "0,".repeat((15 << 20) - 1));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(text.as_bytes()).unwrap();
    let bomb = gzip.finish().unwrap();
    assert!(bomb.len() < 40_000, "{} bytes", bomb.len());
    let error = kinesis_error::<Value>(bomb).await.unwrap();
    let error = error.error().downcast_ref::<ParseError>().unwrap();
    assert!(matches!(error, ParseError::OutOfMemory { .. }), "{error}");
}

#[test]
fn records_share_the_memory_while_they_are_processed() {
    alone_with(&[], share_the_memory());
}

/// Each of two records fits without the other.
async fn share_the_memory() {
    let body = format!("[{}0]", "0,".repeat(400_000));
    let record = |n: usize| json!({ "messageId": n.to_string(), "body": body });
    let event: SqsEvent = parse(json!({ "Records": [record(0), record(1)] }));
    let arrived = &tokio::sync::Barrier::new(2);
    let together = batch::sqs(event.clone()).concurrency(2).run(async |_: Message<Value>| {
        tokio::time::timeout(std::time::Duration::from_secs(60), arrived.wait()).await.map(drop)
    });
    tokio::time::pause();
    // The second does not fit beside the first, which waits for it in vain.
    assert_eq!(outcomes(&together.await), "ff");

    let alone = batch::sqs(event).run(async |_: Message<Value>| Ok::<_, Infallible>(()));
    assert_eq!(outcomes(&alone.await), "ss");
}

#[tokio::test]
async fn a_body_of_plain_text_is_sent_to_the_record() {
    let event: SqsEvent = parse(json!({ "Records": [{ "messageId": "m-1", "body": "hello" }] }));
    let report = batch::sqs(event).run(async |_: Message<String>| Ok::<_, Infallible>(())).await;
    let (_, outcome) = report.records().next().unwrap();
    let error = outcome.error().unwrap().to_string();
    assert!(error.contains("take `Text`, and for other formats the record itself"), "{error}");
}

#[tokio::test]
async fn an_error_names_the_path_in_the_body() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "nothing reads it")]
    struct Order {
        items: Vec<u8>,
    }
    let error = kinesis_error::<Order>(r#"{"items":[1,2,"x"]}"#).await.unwrap();
    assert!(error.to_string().contains("at `items[2]`: invalid type: string, expected"), "{error}");
}

fn changes(item: Value) -> DynamoDbEvent {
    parse(json!({ "Records": [{ "dynamodb": {
        "SequenceNumber": "1", "Keys": { "id": { "S": "a" } }, "NewImage": item,
    } }] }))
}

/// Reads an item as a `T`.
fn item<T: DeserializeOwned>(item: Value) -> Result<T, ParseError> {
    changes(item).records[0].new_image().map(Option::unwrap)
}

#[test]
fn a_number_of_38_digits_keeps_them() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Of<T> {
        n: T,
    }
    let image = json!({ "n": { "N": DIGITS }, "nobody": { "N": DIGITS } });
    assert_eq!(item::<Of<String>>(image.clone()).unwrap().n, DIGITS);
    assert_eq!(item::<Of<u128>>(image.clone()).unwrap().n, DIGITS.parse::<u128>().unwrap());
    assert_eq!(item::<Of<Option<u128>>>(image.clone()).unwrap().n, DIGITS.parse().ok());
    let negative = json!({ "n": { "N": format!("-{DIGITS}") } });
    assert_eq!(item::<Of<i128>>(negative).unwrap().n, -DIGITS.parse::<i128>().unwrap());
    // A float is rounded, as its type requires.
    assert_eq!(item::<Of<f64>>(image).unwrap().n, 1e38);
    let set = json!({ "n": { "NS": [DIGITS] } });
    assert_eq!(item::<Of<Vec<u128>>>(set).unwrap().n, [DIGITS.parse::<u128>().unwrap()]);
}

#[test]
fn a_number_that_a_value_would_round_is_an_error_that_names_the_attribute() {
    let nested = |number: &str| json!({ "a": { "L": [{ "M": { "total": { "N": number } } }] } });
    for number in [DIGITS, "123456789012345678901", "0.10000000000000000001"] {
        let error = item::<Value>(nested(number)).unwrap_err();
        let message = RecordError::retry(error).to_string();
        assert!(
            message.contains("new image of the item cannot be read at `a[0].total`"),
            "{message}"
        );
        assert!(message.contains("has more digits than a float"), "{message}");
    }
    for (number, value) in [("7", json!(7)), ("-1.50", json!(-1.5)), ("1E3", json!(1000.0))] {
        assert_eq!(item::<Value>(nested(number)).unwrap(), json!({ "a": [{ "total": value }] }));
    }
    let error = item::<std::collections::HashMap<String, u8>>(json!({ "n": { "N": "300" } }));
    assert!(
        RecordError::retry(error.unwrap_err()).to_string().contains("`n`: the number does not fit")
    );
}

/// The package dynamodb-json 1.4.2 for Python takes such a map for the value of its one member.
#[test]
fn a_map_whose_only_key_is_the_name_of_a_type_stays_a_map() {
    let image = json!({
        "stock": { "M": { "S": { "S": "few" } } },
        "M": { "M": { "M": { "N": "3" } } },
    });
    assert_eq!(item::<Value>(image).unwrap(), json!({ "stock": { "S": "few" }, "M": { "M": 3 } }));
}

#[tokio::test]
async fn attributes_of_every_type_are_read() {
    #[derive(Debug, PartialEq, Deserialize)]
    enum Kind {
        Plain,
        Of(u8),
        With { a: bool },
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Item {
        text: String,
        char: char,
        yes: bool,
        none: Option<u8>,
        unit: (),
        bytes: Bytes,
        tuple: (u8, f32),
        names: Vec<String>,
        by_number: std::collections::BTreeMap<i64, Kind>,
        plain: Kind,
        float: f64,
        size: u64,
    }
    #[derive(Debug, PartialEq)]
    struct Bytes(Vec<u8>);
    impl<'de> Deserialize<'de> for Bytes {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl serde::de::Visitor<'_> for Visitor {
                type Value = Bytes;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("bytes")
                }
                fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                    Ok(Bytes(bytes.to_vec()))
                }
            }
            deserializer.deserialize_bytes(Visitor)
        }
    }
    let image = json!({
        "text": { "S": "a" }, "char": { "S": "c" }, "yes": { "BOOL": true }, "none": { "NULL": true },
        "unit": { "NULL": true }, "bytes": { "B": "AAH/" }, "names": { "SS": ["x", "y"] },
        "tuple": { "L": [{ "N": "1" }, { "N": "0.5" }] },
        "by_number": { "M": { "-3": { "M": { "Of": { "N": "7" } } },
            "4": { "M": { "With": { "M": { "a": { "BOOL": false } } } } } } },
        "plain": { "S": "Plain" }, "float": { "N": "2" }, "size": { "N": "18446744073709551615" },
    });
    let expected = Item {
        text: "a".to_owned(),
        char: 'c',
        yes: true,
        none: None,
        unit: (),
        bytes: Bytes(vec![0, 1, 255]),
        tuple: (1, 0.5),
        names: vec!["x".to_owned(), "y".to_owned()],
        by_number: [(-3, Kind::Of(7)), (4, Kind::With { a: false })].into(),
        plain: Kind::Plain,
        float: 2.0,
        size: u64::MAX,
    };
    assert_eq!(item::<Item>(image.clone()).unwrap(), expected);
    let report = batch::dynamodb(changes(image)).run(async |change: Change<Item>| {
        assert_eq!(change.new, Some(expected_again(&change)));
        Ok::<_, Infallible>(())
    });
    assert!(reported(report.await).is_empty());

    fn expected_again(change: &Change<Item>) -> Item {
        change.new_image().unwrap().unwrap()
    }
}

/// The header of zlib is two characters of text, too.
#[tokio::test]
async fn text_that_starts_as_zlib_does_is_text() {
    for start in ["x ", "x?", "x^", "x}", "x\u{1}", "x\u{5da}"] {
        let text = format!("{start}2 + y");
        let run = batch::kinesis(kinesis(&text)).run(async |read: KinesisMessage<Text>| {
            if *read.body == *text { Ok(()) } else { Err("another text") }
        });
        assert!(run.await.is_done(), "{text:?}");
    }
    // These nine bytes are valid UTF-8, and a whole stream with its checksum.
    let seven = [0x78, 1, 0x33, 7, 0, 0, 0x38, 0, 0x38];
    assert!(kinesis_error::<u8>(seven).await.is_none());
    // A stream with a dictionary, which nobody has.
    let error = kinesis_error::<u8>([0x78, 0xbb, 0, 0, 0, 1]).await.unwrap();
    assert!(!error.to_string().contains("decompressed"), "{error}");
}
