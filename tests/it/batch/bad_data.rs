//! Data that cannot be read, in every source and every layer: it fails alone, with a name that says why.

use std::convert::Infallible;
use std::io::Write;

use apache_avro::AvroSchema;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use powertools::batch::{
    self, ActiveMqMessage, Change, Error, FirehoseMessage, KafkaMessage, KinesisMessage,
    RabbitMqMessage, Report, Source, Transformed,
};
use powertools::events::{
    ActiveMqEvent, Avro, Body, CloudWatchLogs, DocumentDbEvent, DocumentDbRecord, DynamoDbEvent,
    DynamoDbRecord, FirehoseEvent, KafkaEvent, KinesisEvent, ParseError, Proto, RabbitMqEvent,
    Schemas,
};
use powertools::testing::events::{self, KafkaRecord, KinesisRecord};
use serde_json::json;

use super::{base64, error, outcomes, parse, reported};

const JSON: &str = "Powertools.RecordJsonInvalid";
const COMPRESSION: &str = "Powertools.RecordCompressionInvalid";
const DATA: &str = "Powertools.RecordDataInvalid";

async fn succeed<R>(_: R) -> Result<(), Infallible> {
    Ok(())
}

fn gzip(data: impl AsRef<[u8]>) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(data.as_ref()).unwrap();
    gzip.finish().unwrap()
}

fn cut(mut data: Vec<u8>) -> Vec<u8> {
    data.truncate(data.len() - 1);
    data
}

/// Changes a bit of gzip's checksum, which is in front of the length.
fn with_wrong_checksum(mut gzip: Vec<u8>) -> Vec<u8> {
    let place = gzip.len() - 8;
    gzip[place] ^= 1;
    gzip
}

/// What a source may deliver in base64 instead of a list of a number, and the name of the error.
fn faults() -> Vec<(&'static str, String, &'static str)> {
    let good = "[7]";
    let half = &base64(good)[..3];
    vec![
        ("truncated", base64("[7"), JSON),
        ("of another type", base64("[\"7\"]"), JSON),
        ("in a layer that is not expected", base64(json!({ "Message": good }).to_string()), JSON),
        ("compressed twice", base64(gzip(gzip(good))), JSON),
        ("truncated when it was compressed", base64(cut(gzip(good))), COMPRESSION),
        ("compressed, with a wrong checksum", base64(with_wrong_checksum(gzip(good))), COMPRESSION),
        ("compressed after it was truncated", base64(gzip("[7")), JSON),
        ("truncated in its base64", half.to_owned(), "Powertools.RecordBase64Invalid"),
    ]
}

/// Checks that the record in the middle alone failed by this error, and returns the report.
fn fails_alone<S: Source>(report: Report<S>, expected: &str, name: &str, what: &str) -> Report<S> {
    assert_eq!(outcomes(&report), expected, "{what}");
    let errors: Vec<_> = report.records().filter_map(|(_, outcome)| outcome.error()).collect();
    let [error] = errors[..] else { panic!("{what}: {errors:?}") };
    let error = error.error().downcast_ref::<ParseError>().expect(what);
    assert_eq!(error.error_type(), name, "{what}: {error}");
    report
}

/// What a queue delivers is text, and is not decompressed: see `bad_input`.
#[tokio::test]
async fn each_fault_of_data_is_that_of_its_record() {
    type List = [u8; 1];
    for (what, data, name) in faults() {
        let streams = ["1", "2", "3"].iter().fold(events::kinesis("s"), |event, number| {
            event.record(KinesisRecord::json("k", json!([7])).sequence_number(*number))
        });
        let mut event = streams.clone().build();
        event["Records"][1]["kinesis"]["data"] = json!(data);
        let mut piped = streams.build_piped();
        piped[1]["data"] = json!(data);
        // Those behind it come again, with the checkpoint or by their own ids.
        for (event, left) in [(event, 1), (piped, 2)] {
            let event: KinesisEvent = parse(event);
            let report = batch::kinesis(event).run(succeed::<KinesisMessage<List>>).await;
            let report = fails_alone(report, "sfn", name, what);
            assert_eq!(reported(report).len(), left, "{what}");
        }

        let topic = (0..3).fold(events::kafka("t"), |event, partition| {
            event.record(KafkaRecord::json(json!([7])).partition(partition))
        });
        let mut event = topic.clone().build();
        event["records"]["t-1"][0]["value"] = json!(data);
        let mut piped = topic.build_piped();
        piped[1]["value"] = json!(data);
        for event in [event, piped] {
            let event: KafkaEvent = parse(event);
            let batch = batch::kafka(event).partial_response();
            let report = batch.run(succeed::<KafkaMessage<List>>).await;
            let _ = fails_alone(report, "sfs", name, what);
        }

        // A broker delivers the whole batch again.
        let good = ["[7]"; 3];
        let event = good.iter().fold(events::active_mq("q"), |event, data| event.message(data));
        let mut event = event.build();
        event["messages"][1]["data"] = json!(data);
        let event: ActiveMqEvent = parse(event);
        let report = batch::active_mq(event).run(succeed::<ActiveMqMessage<List>>).await;
        let failure = error(fails_alone(report, "sfs", name, what));
        assert!(matches!(failure, Error::Incomplete { unfinished: 1, total: 3, .. }), "{what}");

        let event = good.iter().fold(events::rabbit_mq("q"), |event, data| event.message(data));
        let mut event = event.build();
        event["rmqMessagesByQueue"]["q::/"][1]["data"] = json!(data);
        let event: RabbitMqEvent = parse(event);
        let report = batch::rabbit_mq(event).run(succeed::<RabbitMqMessage<List>>).await;
        let failure = error(fails_alone(report, "sfs", name, what));
        assert!(matches!(failure, Error::Incomplete { unfinished: 1, total: 3, .. }), "{what}");

        let event = good.iter().fold(events::firehose("f"), |event, data| event.record(data));
        let mut event = event.build();
        event["records"][1]["data"] = json!(data);
        let event: FirehoseEvent = parse(event);
        let copy =
            async |it: FirehoseMessage<List>| Ok::<_, Infallible>(Transformed::data(it.body));
        let report = fails_alone(batch::firehose(event).run(copy).await, "sfs", name, what);
        let reply = report.into_reply().unwrap();
        let results: Vec<_> = reply.records.iter().map(|record| record.result).collect();
        assert_eq!(results, ["Ok", "ProcessingFailed", "Ok"], "{what}");
    }
}

/// The number of the aggregate is reported: what succeeded in it comes again with the rest.
#[tokio::test]
async fn each_fault_of_data_in_an_aggregate_is_that_of_an_inner_record() {
    type List = [u8; 1];
    let good = "[7]";
    for (what, data, name) in [
        ("truncated", b"[7".to_vec(), JSON),
        ("of another type", b"[\"7\"]".to_vec(), JSON),
        ("compressed twice", gzip(gzip(good)), JSON),
        ("truncated when it was compressed", cut(gzip(good)), COMPRESSION),
        ("compressed, with a wrong checksum", with_wrong_checksum(gzip(good)), COMPRESSION),
    ] {
        let inner = [good.into(), data, good.into()].map(|data| KinesisRecord::new("k", data));
        let event = events::kinesis("s")
            .record(KinesisRecord::json("k", json!([7])).sequence_number("1"))
            .record(KinesisRecord::aggregated(inner).sequence_number("2"));
        let event: KinesisEvent = parse(event.build());
        let report = batch::kinesis(event).run(succeed::<KinesisMessage<List>>).await;
        assert_eq!(reported(fails_alone(report, "ssfn", name, what)), ["2"], "{what}");
    }
}

fn logs() -> Vec<u8> {
    events::cloudwatch_logs("g").message("hello").compressed()
}

/// Logs and changes of items inside of streams.
#[tokio::test]
async fn each_fault_of_a_layer_in_a_stream_is_that_of_its_record() {
    async fn check<T: Body>(good: Vec<u8>, faults: Vec<(&str, Vec<u8>, &str)>) {
        for (what, data, name) in faults {
            let all = [good.clone(), data, good.clone()];
            let event = all.iter().zip(["1", "2", "3"]).fold(
                events::kinesis("s"),
                |event, (data, number)| {
                    event.record(KinesisRecord::new("k", data.clone()).sequence_number(number))
                },
            );
            let event: KinesisEvent = parse(event.build());
            let report = batch::kinesis(event).run(succeed::<KinesisMessage<T>>).await;
            assert_eq!(reported(fails_alone(report, "sfn", name, what)), ["2"], "{what}");

            let event = all.iter().fold(events::firehose("f"), |event, data| event.record(data));
            let event: FirehoseEvent = parse(event.build());
            let drop_it = async |_: FirehoseMessage<T>| Ok::<_, Infallible>(Transformed::dropped());
            let report = batch::firehose(event).run(drop_it).await;
            let reply = fails_alone(report, "sfs", name, what).into_reply().unwrap();
            assert_eq!(reply.records[1].result, "ProcessingFailed", "{what}");
        }
    }

    let change = events::dynamodb("orders").insert(json!({ "id": 1 }), json!({ "id": 1 })).build();
    let change = change["Records"][0].to_string().into_bytes();
    let wrapped = events::sns("t", String::from_utf8(change.clone()).unwrap()).envelope();
    check::<CloudWatchLogs>(
        logs(),
        vec![
            ("truncated", cut(logs()), COMPRESSION),
            ("compressed twice", gzip(logs()), JSON),
            ("with a wrong checksum", with_wrong_checksum(logs()), COMPRESSION),
            ("of another type", gzip("7"), JSON),
            ("another layer", change.clone(), JSON),
        ],
    )
    .await;
    check::<DynamoDbRecord>(
        change.clone(),
        vec![
            ("truncated", cut(change.clone()), JSON),
            ("compressed twice", gzip(gzip(change.clone())), JSON),
            ("with a wrong checksum", with_wrong_checksum(gzip(change.clone())), COMPRESSION),
            ("of another type", b"7".to_vec(), JSON),
            ("another layer", logs(), JSON),
            ("in another layer", wrapped.to_string().into_bytes(), JSON),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_item_or_a_document_of_another_type_is_the_failure_of_its_change() {
    #[derive(serde::Deserialize)]
    struct Order {
        #[serde(rename = "n")]
        _n: u64,
    }
    let orders = [json!({ "n": 1 }), json!({ "n": "1" }), json!({ "n": 1 })];

    let changes = orders.iter().fold(events::dynamodb("orders"), |event, order| {
        event.insert(json!({ "id": 1 }), order.clone())
    });
    for event in [changes.clone().build(), changes.build_piped()] {
        let event: DynamoDbEvent = parse(event);
        let report = batch::dynamodb(event).run(succeed::<Change<Order>>).await;
        let _ = fails_alone(report, "sfn", "Powertools.RecordItemInvalid", "an image");
    }

    let changes = orders.iter().fold(events::document_db("shop", "orders"), |event, order| {
        event.change("insert", 1, order.clone())
    });
    let event: DocumentDbEvent = parse(changes.build());
    let read = async |change: DocumentDbRecord| change.full_document::<Order>().map(drop);
    let report = fails_alone(batch::document_db(event).run(read).await, "sfn", JSON, "a document");
    assert!(matches!(error(report), Error::Incomplete { unfinished: 2, total: 3, .. }));
}

#[derive(Clone, PartialEq, prost::Message)]
struct Number {
    #[prost(int64, tag = "1")]
    n: i64,
}

#[derive(Debug, serde::Deserialize, AvroSchema)]
struct Text {
    #[serde(rename = "text")]
    _text: String,
}

/// Returns three records, each in a partition of its own.
fn between(good: &[u8], data: Vec<u8>) -> KafkaEvent {
    let all = [good.to_vec(), data, good.to_vec()];
    let event = all.into_iter().zip(0..).fold(events::kafka("t"), |event, (data, partition)| {
        event.record(KafkaRecord::new(data).partition(partition))
    });
    parse(event.build())
}

#[tokio::test]
async fn each_fault_of_a_kafka_value_with_a_schema_is_that_of_its_record() {
    let schema = |kind: &str| {
        json!({ "type": "record", "name": "Text", "fields": [{ "name": "text", "type": kind }] })
            .to_string()
    };
    let glue = |data: &[u8]| {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(data).unwrap();
        [&[3, 5][..], &[0; 15], &[1], &zlib.finish().unwrap()].concat()
    };
    let schemas = Schemas::new()
        .schema(1, schema("string"))
        .schema(2, schema("long"))
        .schema("00000000-0000-0000-0000-000000000001", schema("string"));
    let good = b"\0\0\0\0\x01\x04hi";
    let mut wrong_checksum = glue(b"\x04hi");
    *wrong_checksum.last_mut().unwrap() ^= 1;
    let read = async |data: Vec<u8>| {
        let event = between(good, data).with_schemas(&schemas).await;
        batch::kafka(event).partial_response().run(succeed::<KafkaMessage<Avro<Text>>>).await
    };
    assert_eq!(outcomes(&read(glue(b"\x04hi")).await), "sss");
    for (what, data, name) in [
        ("truncated", good[..7].to_vec(), DATA),
        ("longer than its schema", [&good[..], b"!"].concat(), DATA),
        ("of another type", b"\0\0\0\0\x02\x04".to_vec(), DATA),
        ("without the id of its schema", b"\x04hi".to_vec(), "Powertools.RecordSchemaMissing"),
        ("of an unknown schema", b"\0\0\0\0\x09\x04hi".to_vec(), "Powertools.RecordSchemaUnknown"),
        ("truncated when it was compressed", cut(glue(b"\x04hi")), COMPRESSION),
        ("compressed twice", glue(&glue(b"\x04hi")[18..]), DATA),
        ("compressed, with a wrong checksum", wrong_checksum, COMPRESSION),
    ] {
        let _ = fails_alone(read(data).await, "sfs", name, what);
    }
}

#[tokio::test]
async fn each_fault_of_a_protobuf_message_is_that_of_its_record() {
    let good = b"\0\0\0\0\x01\0\x08\x07";
    for (what, data) in [
        ("truncated", good[..7].to_vec()),
        ("of another type", b"\0\0\0\0\x01\0\x0a\x017".to_vec()),
        ("truncated in front of its data", b"\0\0\0\0\x01\x06\x02".to_vec()),
        ("compressed", [&good[..6], &gzip(b"\x08\x07")].concat()),
    ] {
        let batch = batch::kafka(between(good, data)).partial_response();
        let report = batch.run(succeed::<KafkaMessage<Proto<Number>>>).await;
        let _ = fails_alone(report, "sfs", DATA, what);
    }
}
