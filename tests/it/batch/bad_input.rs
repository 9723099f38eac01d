//! Events that are not what they should be.

use std::convert::Infallible;
use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use lambda_runtime::Diagnostic;
use powertools::batch::{self, Error, KafkaMessage, KinesisMessage, Message};
use powertools::events::{
    DynamoDbEvent, DynamoDbRecord, KafkaEvent, KafkaRecord, KinesisEvent, KinesisRecord,
    ParseError, SqsEvent, SqsRecord,
};
use serde_json::{Value, json};

use super::{base64, error, messages, outcomes, parse, reported};

async fn must_not_run<R>(_: R) -> Result<(), Infallible> {
    panic!("a record was handled")
}

async fn succeed<R>(_: R) -> Result<(), Infallible> {
    Ok(())
}

#[tokio::test]
async fn an_empty_batch_has_an_empty_reply() {
    assert!(reported(batch::sqs(messages(0)).run(must_not_run::<SqsRecord>).await).is_empty());
    let empty: KinesisEvent = parse(json!({ "Records": [] }));
    let run = batch::kinesis(empty).run(must_not_run::<KinesisRecord>);
    assert!(reported(run.await).is_empty());
    let empty: KafkaEvent = parse(json!({ "eventSource": "aws:kafka", "records": {} }));
    let run = batch::kafka(empty).run(must_not_run::<KafkaRecord>);
    assert!(reported(run.await).is_empty());
}

#[tokio::test]
async fn a_record_without_an_identifier_is_found_before_the_first_one_runs() {
    for id in [Value::Null, json!(""), json!(7), json!({}), json!(1e300)] {
        let event: SqsEvent = parse(json!({ "Records": [
            { "messageId": "m-0", "body": "0" },
            { "messageId": id, "body": "1" },
        ] }));
        let report = batch::sqs(event).run(must_not_run::<SqsRecord>).await;
        assert_eq!(outcomes(&report), "nn");
        assert!(!report.is_done());
        let error = error(report);
        assert!(matches!(error, Error::IdentifierMissing { index: 1 }), "{id}: {error:?}");
        assert!(!error.is_retryable());
        assert_eq!(Diagnostic::from(error).error_type, "Powertools.BatchIdentifierMissing");
    }
}

#[tokio::test]
async fn a_value_that_is_not_a_record_has_no_identifier() {
    for odd in [Value::Null, json!([]), json!("m-0"), json!(true), json!(1), json!({})] {
        let sqs: SqsEvent = parse(json!({ "Records": [odd] }));
        let sqs = batch::sqs(sqs).run(must_not_run::<SqsRecord>).await;
        assert!(matches!(error(sqs), Error::IdentifierMissing { index: 0 }), "{odd}");

        let kinesis: KinesisEvent = parse(json!({ "Records": [{ "kinesis": odd }] }));
        let kinesis = batch::kinesis(kinesis).run(must_not_run::<KinesisRecord>).await;
        assert!(matches!(error(kinesis), Error::IdentifierMissing { index: 0 }), "{odd}");

        let dynamodb: DynamoDbEvent = parse(json!({ "Records": [{ "dynamodb": odd }] }));
        let dynamodb = batch::dynamodb(dynamodb).run(must_not_run::<DynamoDbRecord>).await;
        assert!(matches!(error(dynamodb), Error::IdentifierMissing { index: 0 }), "{odd}");

        let kafka: KafkaEvent = parse(json!({ "records": { "t-0": [odd] } }));
        let kafka = batch::kafka(kafka).run(must_not_run::<KafkaRecord>).await;
        assert!(matches!(error(kafka), Error::IdentifierMissing { index: 0 }), "{odd}");
    }
    // Offsets beyond every integer type, and partitions without a name.
    for records in [json!({ "t-0": [{ "offset": 1e30 }] }), json!({ "": [{ "offset": 1 }] })] {
        let kafka: KafkaEvent = parse(json!({ "records": records }));
        let kafka = batch::kafka(kafka).run(must_not_run::<KafkaRecord>).await;
        assert!(matches!(error(kafka), Error::IdentifierMissing { index: 0 }));
    }
}

#[tokio::test]
async fn an_event_with_a_tumbling_window_is_rejected_with_its_own_error() {
    let window = json!({ "start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:05:00Z" });
    let event = json!({
        "Records": [],
        "window": window,
        "state": {},
        "shardId": "s",
        "isFinalInvokeForWindow": false,
        "isWindowTerminatedEarly": false,
    });
    let kinesis = batch::kinesis(parse::<KinesisEvent>(event.clone()));
    let refused = error(kinesis.run(must_not_run::<KinesisRecord>).await);
    assert!(matches!(refused, Error::TumblingWindow));
    assert_eq!(Diagnostic::from(refused).error_type, "Powertools.BatchTumblingWindow");

    let dynamodb = batch::dynamodb(parse::<DynamoDbEvent>(event));
    let refused = error(dynamodb.run(must_not_run::<DynamoDbRecord>).await);
    assert!(matches!(refused, Error::TumblingWindow));

    let without: KinesisEvent = parse(json!({ "Records": [], "window": null }));
    assert!(!without.has_window);
}

#[tokio::test]
async fn an_event_of_another_source_is_refused() {
    let sns = powertools::testing::events::sns("topic", "hello").build();
    let report = batch::sqs(parse::<SqsEvent>(sns)).run(must_not_run::<SqsRecord>).await;
    let refused = error(report);
    let Error::SourceUnexpected { index: 0, expected, found } = &refused else {
        panic!("{refused:?}")
    };
    assert_eq!((expected.as_str(), found.as_str()), ("aws:sqs", "aws:sns"));
    assert!(!refused.is_retryable());
    assert_eq!(Diagnostic::from(refused).error_type, "Powertools.BatchSourceUnexpected");

    let kafka: KafkaEvent = parse(json!({ "eventSource": "aws:mq", "records": {} }));
    let report = batch::kafka(kafka).run(must_not_run::<KafkaRecord>).await;
    assert!(matches!(error(report), Error::SourceUnexpected { .. }));
    let own: KafkaEvent = parse(json!({ "eventSource": "SelfManagedKafka", "records": {} }));
    assert!(reported(batch::kafka(own).run(must_not_run::<KafkaRecord>).await).is_empty());
}

#[tokio::test]
async fn one_record_of_another_source_refuses_the_event() {
    let record = |source: &str, n: u64| {
        json!({ "messageId": n.to_string(), "body": "1", "eventSource": source,
                "kinesis": { "sequenceNumber": "1" }, "dynamodb": { "SequenceNumber": "1" } })
    };
    let mixed =
        |own: &str| json!({ "Records": [record(own, 0), record("aws:s3", 1), record(own, 2)] });
    let sqs = batch::sqs(parse::<SqsEvent>(mixed("aws:sqs")));
    let refused = error(sqs.run(must_not_run::<SqsRecord>).await);
    assert!(matches!(refused, Error::SourceUnexpected { index: 1, .. }));
    let kinesis = batch::kinesis(parse::<KinesisEvent>(mixed("aws:kinesis")));
    let refused = error(kinesis.run(must_not_run::<KinesisRecord>).await);
    assert!(matches!(refused, Error::SourceUnexpected { index: 1, .. }));
    let dynamodb = batch::dynamodb(parse::<DynamoDbEvent>(mixed("aws:dynamodb")));
    let refused = error(dynamodb.run(must_not_run::<DynamoDbRecord>).await);
    assert!(matches!(refused, Error::SourceUnexpected { index: 1, .. }));
}

#[test]
fn an_event_that_is_not_a_batch_is_not_parsed() {
    for odd in [json!({}), json!(null), json!([]), json!("x"), json!({ "Records": null })] {
        for error in [
            serde_json::from_value::<SqsEvent>(odd.clone()).unwrap_err(),
            serde_json::from_value::<KinesisEvent>(odd.clone()).unwrap_err(),
            serde_json::from_value::<DynamoDbEvent>(odd.clone()).unwrap_err(),
        ] {
            assert!(error.to_string().contains("it has no list `Records`"), "{error}");
        }
        let error = serde_json::from_value::<KafkaEvent>(odd).unwrap_err();
        assert!(error.to_string().contains("it has no object `records`"), "{error}");
    }
    // Its records would be lost.
    let odd = json!({ "records": { "t-0": null } });
    let error = serde_json::from_value::<KafkaEvent>(odd).unwrap_err();
    assert!(error.to_string().contains("`t-0` has no list of records"), "{error}");
}

#[tokio::test]
async fn a_body_of_another_type_fails_only_its_record() {
    let bodies = [
        (json!("{"), "not JSON"),
        (json!("{\"n\":1} x"), "more than JSON"),
        (json!("[true]"), "another type"),
        (json!("{\"n\":\"1\"}"), "a member of another type"),
        (json!(""), "nothing"),
        (Value::Null, "null"),
        (json!({ "n": 1 }), "no text"),
        (json!(1), "a number"),
    ];
    #[derive(serde::Deserialize)]
    struct Order {
        #[serde(rename = "n")]
        _n: u64,
    }
    for (body, what) in bodies {
        let event: SqsEvent = parse(json!({ "Records": [
            { "messageId": "bad", "body": body },
            { "messageId": "good", "body": "{\"n\":1}" },
        ] }));
        let report = batch::sqs(event).run(succeed::<Message<Order>>).await;
        let outcome = report.records().next().unwrap().1.clone();
        assert!(outcome.error().unwrap().error().is::<ParseError>(), "{what}");
        assert_eq!(reported(report), ["bad"], "{what}");
    }
    let event: SqsEvent = parse(json!({ "Records": [{ "messageId": "no body" }] }));
    assert_eq!(reported(batch::sqs(event).run(succeed::<Message<Order>>).await), ["no body"]);
}

#[tokio::test]
async fn data_that_cannot_be_read_is_the_failure_of_its_record() {
    let gzip = |data: &[u8]| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(data).unwrap();
        gzip.finish().unwrap()
    };
    let mut cut = gzip(b"\"a text that is long enough to be cut somewhere\"");
    cut.truncate(30);
    let bad = [
        (json!("%%%"), "not base64"),
        (json!(base64("\"x")), "not JSON"),
        (json!(base64(b"\"\xff\"")), "not UTF-8"),
        (json!(base64([0x1f, 0x8b, 9])), "not gzip"),
        (json!(base64([0x78, 0x9c, 9, 9])), "not zlib"),
        (json!(base64(cut)), "half of gzip"),
        (json!(base64(gzip(b"{"))), "gzip of no JSON"),
        (json!(""), "nothing"),
        (Value::Null, "null"),
        (json!(7), "no text"),
    ];
    for (data, what) in bad {
        let event: KinesisEvent = parse(json!({ "Records": [
            { "kinesis": { "sequenceNumber": "1", "data": data } },
        ] }));
        let report = batch::kinesis(event).run(succeed::<KinesisMessage<String>>).await;
        assert_eq!(reported(report), ["1"], "kinesis: {what}");

        let event: KafkaEvent = parse(json!({ "records": { "t-0": [
            { "offset": 1, "value": data },
        ] } }));
        let batch = batch::kafka(event).partial_response();
        let report = batch.run(succeed::<KafkaMessage<String>>).await;
        assert_eq!(reported(report), [json!({ "partition": "t-0", "offset": 1 })], "kafka: {what}");
    }

    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(b"\"text\"").unwrap();
    for data in [b"\"text\"".to_vec(), gzip(b"\"text\""), zlib.finish().unwrap()] {
        let event: KinesisEvent = parse(json!({ "Records": [
            { "kinesis": { "sequenceNumber": "1", "data": base64(data) } },
        ] }));
        let report = batch::kinesis(event).run(async |text: KinesisMessage<String>| {
            assert_eq!(text.body, "text");
            Ok::<_, Infallible>(())
        });
        assert!(reported(report.await).is_empty());
    }
}

#[tokio::test]
async fn sequence_numbers_are_strings_of_any_length() {
    for number in ["18446744073709551616", &"9".repeat(128), "0", "not even a number"] {
        let event: KinesisEvent = parse(json!({ "Records": [
            { "kinesis": { "sequenceNumber": number, "partitionKey": "k", "data": "!" } },
        ] }));
        let report = batch::kinesis(event).run(succeed::<KinesisMessage<u8>>).await;
        assert_eq!(reported(report), [number]);
    }
}

#[tokio::test]
async fn ten_thousand_and_one_records_are_processed() {
    for concurrency in [1, 100] {
        let report = batch::sqs(messages(10_001))
            .concurrency(concurrency)
            .run(async |n: Message<u64>| if n.body == 10_000 { Err("no") } else { Ok(()) })
            .await;
        assert_eq!(report.records().len(), 10_001);
        assert_eq!(reported(report), ["m-10000"]);
    }
    let report = batch::sqs(messages(10_001)).run(async |_: SqsRecord| Err::<(), _>("no")).await;
    assert_eq!(reported(report).len(), 10_001);
}
