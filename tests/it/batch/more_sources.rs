//! Amazon MQ, DocumentDB, Firehose transformations and S3 Batch Operations.

use std::convert::Infallible;
use std::future::pending;
use std::mem::take;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use powertools::Invocation;
use powertools::batch::{
    self, ActiveMqMessage, Batch, Error, FirehoseMessage, FirehoseReply, RabbitMqMessage, Record,
    RecordError, Report, Source, SourceReply, Transformed,
};
use powertools::deadline::Deadline;
use powertools::events::{
    ActiveMqEvent, DocumentDbEvent, DocumentDbRecord, FirehoseEvent, FirehoseRecord, HasNaturalKey,
    KafkaEvent, NaturalKey, ParseError, RabbitMqEvent, S3BatchEvent, S3BatchTask, Text, natural,
};
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::testing::events::KafkaRecord;
use powertools::testing::{self, ManualClock, events};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::events::properties::{change, odd};

use super::{error, outcomes, parse};

const SECOND: Duration = Duration::from_secs(1);

/// As the developer guide of Lambda shows them, with all members that have a meaning here.
fn active_mq() -> Value {
    json!({
        "eventSource": "aws:mq",
        "eventSourceArn": "arn:aws:mq:us-east-2:111122223333:broker:test:b-9bcfa592",
        "messages": [
            {
                "messageID": "ID:b-9bcfa592-1.mq.us-east-2.amazonaws.com-37557-1234520418293-4:1:1:1:1",
                "messageType": "jms/text-message",
                "deliveryMode": 1,
                "replyTo": null,
                "type": null,
                "expiration": "60000",
                "priority": 1,
                "correlationId": "myJMSCoID",
                "redelivered": true,
                "destination": { "physicalName": "testQueue" },
                "data": "eyJuIjoxfQ==",
                "timestamp": 1_598_827_811_958_u64,
                "properties": { "index": "1", "other": "x" },
            },
            { "messageID": "ID:2", "destination": null, "data": "%", "properties": null },
            { "messageID": "ID:3" },
        ],
    })
}

fn rabbit_mq() -> Value {
    json!({
        "eventSource": "aws:rmq",
        "eventSourceArn": "arn:aws:mq:us-east-2:111122223333:broker:pizzaBroker:b-9bcfa592",
        "rmqMessagesByQueue": { "pizzaQueue::/": [
            {
                "basicProperties": {
                    "contentType": "text/plain",
                    "contentEncoding": null,
                    "headers": {
                        "header1": { "bytes": [118, 97, -61, -92] },
                        "numberInHeader": 10,
                    },
                    "deliveryMode": 1,
                    "messageId": "m-1",
                    "timestamp": "Jan 1, 1970, 12:33:41 AM",
                    "bodySize": 80,
                },
                "redelivered": false,
                "data": "eyJuIjoxfQ==",
            },
            { "basicProperties": null, "data": "e30=" },
        ] },
    })
}

fn document_db() -> Value {
    json!({
        "eventSourceArn": "arn:aws:rds:us-east-1:123456789012:cluster:canarycluster",
        "events": [{ "event": {
            "_id": { "_data": "0163eeb6e7000000090100000009000041e1" },
            "clusterTime": { "$timestamp": { "t": 1_676_588_775, "i": 9 } },
            "documentKey": { "_id": { "$oid": "63eeb6e7d418cd98afb1c1d7" } },
            "fullDocument": { "_id": { "$oid": "63eeb6e7d418cd98afb1c1d7" }, "anyField": "sampleValue" },
            "ns": { "db": "test_database", "coll": "test_collection" },
            "operationType": "insert",
        } }],
        "eventSource": "aws:docdb",
    })
}

#[derive(Debug, serde::Deserialize)]
struct Order {
    n: u64,
}

#[tokio::test]
async fn a_message_of_active_mq_is_read_and_a_failure_is_that_of_the_batch() {
    let event: ActiveMqEvent = parse(active_mq());
    let record = event.records[0].clone();
    assert!(record.message_id().unwrap().ends_with(":1:1:1:1"));
    assert_eq!(record.message_type(), Some("jms/text-message"));
    assert_eq!(record.correlation_id(), Some("myJMSCoID"));
    assert_eq!(record.queue(), Some("testQueue"));
    assert_eq!(record.property("index").as_deref(), Some("1"));
    assert!(record.is_redelivered() && !event.records[1].is_redelivered());
    let millis = Duration::from_millis(1_598_827_811_958);
    assert_eq!(record.sent_at(), Some(SystemTime::UNIX_EPOCH + millis));
    assert!(!record.natural_key().is_absent());

    let handler = async |order: ActiveMqMessage<Order>| {
        assert_eq!(order.body.n, 1);
        Ok::<_, Infallible>(())
    };
    let report = batch::active_mq(event).run(handler).await;
    assert_eq!(outcomes(&report), "sff");
    let error = error(report);
    let Error::Incomplete { record, unfinished: 2, total: 3, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(record, "ID:2");
    assert!(error.is_retryable());
}

/// A partial response would tell it that all were done.
#[tokio::test]
async fn a_source_that_reads_no_partial_response_never_gets_one() {
    async fn fails<S: Source<Reply: SourceReply<S, Value = ()>>>(event: S) {
        let report = Batch::new(event).run(async |_: S::Record| Err::<(), _>("down")).await;
        assert!(matches!(error(report), Error::Incomplete { .. }));
    }
    fails(parse::<ActiveMqEvent>(active_mq())).await;
    fails(parse::<RabbitMqEvent>(rabbit_mq())).await;
    fails(parse::<DocumentDbEvent>(document_db())).await;
    let topic = events::kafka("orders").record(KafkaRecord::json(json!(1)));
    fails(parse::<KafkaEvent>(topic.clone().build())).await;
    fails(parse::<KafkaEvent>(topic.build_piped())).await;
}

#[tokio::test]
async fn a_message_of_rabbit_mq_is_read_with_its_queue() {
    let event: RabbitMqEvent = parse(rabbit_mq());
    let [one, other] = &event.records[..] else { panic!("{event:?}") };
    assert_eq!((one.queue(), one.virtual_host()), ("pizzaQueue", Some("/")));
    assert_eq!(one.property("contentType").as_deref(), Some("text/plain"));
    assert_eq!(one.header("header1").as_deref(), Some("vaä".as_bytes()));
    assert_eq!((one.header("numberInHeader"), one.header("none")), (None, None));
    assert!(!one.natural_key().is_absent());
    assert!(other.natural_key().is_absent(), "no sender has to set an id");
    assert_eq!(other.property("messageId"), None);

    let handler = async |_: RabbitMqMessage<Order>| Ok::<_, Infallible>(());
    let report = batch::rabbit_mq(event).run(handler).await;
    assert_eq!(outcomes(&report), "sf");
    let Error::Incomplete { record, .. } = error(report) else { panic!("another error") };
    assert_eq!(record, "pizzaQueue::/#1");
}

#[tokio::test]
async fn a_change_of_document_db_is_read_and_nothing_starts_behind_a_failure() {
    let event: DocumentDbEvent = parse(document_db());
    let record = &event.records[0];
    assert_eq!(record.id(), Some("0163eeb6e7000000090100000009000041e1"));
    assert_eq!(record.operation(), Some("insert"));
    assert_eq!(
        (record.database(), record.collection()),
        (Some("test_database"), Some("test_collection"))
    );
    let document: Value = record.full_document().unwrap().unwrap();
    assert_eq!(document["anyField"], "sampleValue");
    let key: Value = record.document_key().unwrap().unwrap();
    assert_eq!(key["_id"]["$oid"], "63eeb6e7d418cd98afb1c1d7");
    assert!(record.update_description::<Value>().unwrap().is_none());
    assert!(matches!(record.full_document::<u64>(), Err(ParseError::Json { .. })));
    assert!(!record.natural_key().is_absent());

    let changes = events::document_db("shop", "orders")
        .change("insert", 1, json!({ "n": 1 }))
        .change("delete", 2, Value::Null)
        .change("update", 1, json!({ "n": 2 }));
    let event: DocumentDbEvent = parse(changes.build());
    let handler = async |change: DocumentDbRecord| match change.operation() {
        Some("delete") => Err("not deleted"),
        _ => Ok(()),
    };
    let report = batch::document_db(event).run(handler).await;
    assert_eq!(outcomes(&report), "sfn");
    assert!(matches!(error(report), Error::Incomplete { unfinished: 2, .. }));
}

#[tokio::test]
async fn events_of_another_source_are_refused() {
    let report = batch::active_mq(parse::<ActiveMqEvent>(
        json!({ "eventSource": "aws:rmq", "messages": [] }),
    ));
    let report = report.run(async |_: ActiveMqMessage<Text>| Ok::<_, Infallible>(())).await;
    assert!(matches!(error(report), Error::SourceUnexpected { .. }));
    let mut event = document_db();
    event["eventSource"] = json!("aws:kinesis");
    let report = batch::document_db(parse::<DocumentDbEvent>(event));
    let report = report.run(async |_: DocumentDbRecord| Ok::<_, Infallible>(())).await;
    assert!(matches!(error(report), Error::SourceUnexpected { .. }));
    for odd in [json!({}), json!(null), json!([]), json!("x"), json!({ "messages": null })] {
        assert!(serde_json::from_value::<ActiveMqEvent>(odd.clone()).is_err());
        assert!(serde_json::from_value::<RabbitMqEvent>(odd.clone()).is_err());
        assert!(serde_json::from_value::<DocumentDbEvent>(odd.clone()).is_err());
        assert!(serde_json::from_value::<FirehoseEvent>(odd.clone()).is_err());
        assert!(serde_json::from_value::<S3BatchEvent>(odd).is_err());
    }
}

/// Transforms by the text: `drop`, `fail`, `panic`, or in upper case.
async fn shout(text: FirehoseMessage<Text>) -> Result<Transformed, RecordError> {
    match text.body.0.as_str() {
        "drop" => Ok(Transformed::dropped()),
        "fail" => Err("as it is written".into()),
        "panic" => panic!("as it is written"),
        "wait" => pending().await,
        text => Ok(Transformed::data(text.to_uppercase()).partition_key("kind", "a \"b\"")),
    }
}

fn firehose(texts: &[&str]) -> FirehoseEvent {
    let records =
        texts.iter().fold(events::firehose("clicks"), |records, text| records.record(text));
    parse(records.build())
}

fn results(reply: &FirehoseReply) -> Vec<&str> {
    reply.records.iter().map(|record| record.result).collect()
}

#[tokio::test]
async fn firehose_receives_a_result_for_each_record_in_their_order() {
    let event = firehose(&["one", "fail", "drop", "panic", "two"]);
    let ids: Vec<_> = event.records.iter().map(|record| json!(record.record_id())).collect();
    assert!(event.records.iter().all(|record| !record.natural_key().is_absent()));
    let reply = batch::firehose(event).concurrency(3).run(shout).await.into_reply().unwrap();
    assert_eq!(results(&reply), ["Ok", "ProcessingFailed", "Dropped", "ProcessingFailed", "Ok"]);
    let reply = serde_json::to_value(&reply).unwrap();
    let records = reply["records"].as_array().unwrap();
    assert_eq!(records.iter().map(|record| record["recordId"].clone()).collect::<Vec<_>>(), ids);
    let keys = json!({ "partitionKeys": { "kind": "a \"b\"" } });
    assert_eq!(
        records[0],
        json!({ "recordId": ids[0], "result": "Ok", "data": "T05F", "metadata": keys })
    );
    assert_eq!(records[1], json!({ "recordId": ids[1], "result": "ProcessingFailed" }));
}

#[tokio::test]
async fn a_reply_to_firehose_stays_within_6_mib_and_loses_no_record() {
    let event = firehose(&["small"; 5]);
    let sizes = Mutex::new([1_usize, 2 << 20, 2 << 20, 2 << 20, 1].into_iter());
    let handler = async |_: FirehoseRecord| {
        let size = sizes.lock().unwrap().next().unwrap();
        Ok::<_, Infallible>(Transformed::data(vec![b'x'; size]))
    };
    let reply = batch::firehose(event).run(handler).await.into_reply().unwrap();
    assert_eq!(results(&reply), ["Ok", "Ok", "Ok", "ProcessingFailed", "Ok"]);
    assert!(serde_json::to_string(&reply).unwrap().len() <= 6 << 20);
}

/// Transforms each text to as many bytes as it says.
async fn expand(size: FirehoseMessage<usize>) -> Result<Transformed, RecordError> {
    Ok(Transformed::data(vec![b'x'; size.body]))
}

#[tokio::test]
async fn what_does_not_fit_into_a_reply_to_firehose_is_sent_again_as_it_arrived() {
    // The third one fits into no reply.
    let sizes = ["1", "3000000", "5000000", "2000000", "1500000", "1"];
    let sent = Mutex::new(Vec::new());
    let put = async |records: Vec<FirehoseRecord>| {
        let data = records.iter().map(|record| String::from_utf8(record.data().unwrap()).unwrap());
        sent.lock().unwrap().push(data.collect::<Vec<_>>());
        records.iter().map(|_| Ok::<_, Infallible>(())).collect()
    };
    let report = batch::firehose(firehose(&sizes)).run(expand).await;
    let reply = report.into_split_reply(put).await.unwrap();
    assert_eq!(results(&reply), ["Ok", "Ok", "ProcessingFailed", "Dropped", "Ok", "Ok"]);
    assert_eq!(*sent.lock().unwrap(), [["2000000"]]);
    let reply = serde_json::to_value(&reply).unwrap();
    assert!(reply.to_string().len() <= 6 << 20);
    assert_eq!(reply["records"][3].as_object().unwrap().len(), 2, "no data");

    let report = batch::firehose(firehose(&["1", "2"])).run(expand).await;
    let put = async |_| -> Vec<Result<(), RecordError>> { panic!("all fit") };
    assert_eq!(results(&report.into_split_reply(put).await.unwrap()), ["Ok", "Ok"]);

    let put = async |_| -> Vec<Result<(), RecordError>> { panic!("the event is refused") };
    let mut report = batch::firehose(firehose(&sizes)).run(expand).await;
    report.fail(&"unknown".into(), "no such record");
    assert!(matches!(report.into_split_reply(put).await, Err(Error::RecordUnknown { .. })));
}

#[tokio::test]
async fn what_was_not_sent_again_is_delivered_as_failed() {
    let sizes = ["4000000", "3000000", "3000001", "3000002"];
    for (answer, expected) in [
        ("ok, error, ok", ["Ok", "Dropped", "ProcessingFailed", "Dropped"]),
        ("ok, ok", ["Ok", "ProcessingFailed", "ProcessingFailed", "ProcessingFailed"]),
        ("panic", ["Ok", "ProcessingFailed", "ProcessingFailed", "ProcessingFailed"]),
    ] {
        let put = async |_| {
            assert_ne!(answer, "panic");
            answer.split(", ").map(|it| if it == "ok" { Ok(()) } else { Err(it) }).collect()
        };
        let report = batch::firehose(firehose(&sizes)).run(expand).await;
        let reply = report.into_split_reply(put).await.unwrap();
        assert_eq!(results(&reply), expected, "{answer}");
    }
}

#[tokio::test]
async fn records_are_sent_again_in_requests_that_firehose_takes() {
    let many: Vec<_> = (0..1_300).map(|_| "10000").collect();
    // Numbers can have spaces around them.
    let large: Vec<_> = (0..7).map(|_| format!("{}4000000", " ".repeat(900_000))).collect();
    let large: Vec<_> = large.iter().map(String::as_str).collect();
    for (sizes, expected) in [(many, vec![500, 345]), (large, vec![4, 2])] {
        let sent = Mutex::new(Vec::new());
        let put = async |records: Vec<FirehoseRecord>| {
            sent.lock().unwrap().push(records.len());
            records.iter().map(|_| Ok::<_, Infallible>(())).collect()
        };
        let report = batch::firehose(firehose(&sizes)).run(expand).await;
        let reply = report.into_split_reply(put).await.unwrap();
        assert_eq!(*sent.lock().unwrap(), expected);
        assert!(!results(&reply).contains(&"ProcessingFailed"));
    }
}

#[tokio::test(start_paused = true)]
async fn sending_again_leaves_time_for_the_reply() {
    let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
    let invocation = testing::invocation().clock(&clock).remaining(10 * SECOND).build();
    let start = tokio::time::Instant::now();
    let work = async {
        // As the guard of `Powertools` does, which ends before the sending.
        let handler = async {
            let batch = batch::firehose(firehose(&["4000000", "3000000"])).reserve(SECOND / 2);
            let report = batch.run(expand).await;
            let put = async |_| pending::<Vec<Result<(), RecordError>>>().await;
            Ok::<_, lambda_runtime::Error>(report.into_split_reply(put).await?)
        };
        Deadline::current().run(SECOND / 2, handler).await
    };
    let reply = invocation.scope(work).await.unwrap();
    assert_eq!(results(&reply), ["Ok", "ProcessingFailed"]);
    // Half of the reserve remains, which is 10 ms more than that of the guard.
    assert_eq!(start.elapsed().as_millis(), 9_745);
}

#[tokio::test(start_paused = true)]
async fn a_transformation_without_time_for_all_records_is_an_error() {
    let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
    let invocation = testing::invocation().clock(&clock).remaining(10 * SECOND).build();
    let work = batch::firehose(firehose(&["one", "wait", "two"])).run(shout);
    let error = error(invocation.scope(work).await);
    assert!(matches!(error, Error::Incomplete { unfinished: 2, total: 3, .. }), "{error:?}");

    let nameless: FirehoseEvent = parse(json!({ "records": [{ "data": "" }] }));
    let report = batch::firehose(nameless).run(shout).await;
    assert!(matches!(super::error(report), Error::IdentifierMissing { index: 0 }));
}

#[tokio::test(start_paused = true)]
async fn a_transformation_that_a_guard_inside_of_it_stopped_has_not_failed() {
    let run = async |is_translated: bool, is_handled: bool| {
        let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
        let invocation = testing::invocation().clock(&clock).remaining(10 * SECOND).build();
        let handler = async |text: FirehoseMessage<Text>| {
            let result = Deadline::current().run(2 * SECOND, shout(text)).await;
            if result.is_err() && is_handled {
                Invocation::interruption_handled();
            }
            result.map_err(|error| if is_translated { "too slow".into() } else { error })
        };
        let work = batch::firehose(firehose(&["one", "wait", "two"])).run(handler);
        let report = invocation.scope(work).await;
        assert_eq!(outcomes(&report), "sff", "the guard stops one and does not begin another");
        report
    };
    for is_translated in [false, true] {
        let error = error(run(is_translated, false).await);
        assert!(matches!(error, Error::Incomplete { unfinished: 2, total: 3, .. }), "{error:?}");
    }
    let reply = run(true, true).await.into_reply().unwrap();
    assert_eq!(results(&reply), ["Ok", "ProcessingFailed", "ProcessingFailed"]);
}

#[tokio::test(start_paused = true)]
async fn an_interruption_that_one_transformation_handles_is_not_that_of_another() {
    for chunk in [None, Some(1)] {
        let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
        let invocation = testing::invocation().clock(&clock).remaining(10 * SECOND).build();
        let handler = async |text: FirehoseMessage<Text>| {
            let is_first = text.body.0 == "one";
            let slow = pending::<Result<(), RecordError>>();
            let slow = Deadline::current().run(2 * SECOND, slow).await;
            if !is_first {
                Invocation::interruption_handled();
                return Ok(Transformed::dropped());
            }
            slow.map(|()| Transformed::dropped()).map_err(|_| RecordError::from("too slow"))
        };
        let batch = batch::firehose(firehose(&["one", "two"])).concurrency(1);
        let work = async {
            let Some(size) = chunk else { return batch.run(handler).await };
            let each = async |mut texts: Vec<FirehoseMessage<Text>>| {
                vec![handler(texts.pop().expect("one record")).await]
            };
            batch.run_chunks(size, each).await
        };
        let report = invocation.scope(work).await;
        assert_eq!(outcomes(&report), "fs");
        let error = error(report);
        assert!(matches!(error, Error::Incomplete { unfinished: 1, total: 2, .. }), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_transformation_that_was_stopped_has_not_failed() {
    let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
    let invocation = testing::invocation().clock(&clock).remaining(10 * SECOND).build();
    let idempotency = Idempotency::new(MemoryStore::new()).unwrap();
    let work = batch::firehose(firehose(&["wait"]))
        .idempotent(idempotency, "shout", |work, text: &FirehoseMessage<Text>| {
            work.key(&natural(&text.record))
        })
        .run(shout);
    let report = invocation.scope(work).await;
    assert_eq!(outcomes(&report), "f", "it releases its claim and ends by itself");
    assert!(matches!(error(report), Error::Incomplete { unfinished: 1, total: 1, .. }));
}

#[tokio::test(start_paused = true)]
async fn a_transformation_whose_idempotent_part_finds_too_little_time_has_not_failed() {
    for is_handled in [false, true] {
        let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
        let invocation = testing::invocation().clock(&clock).remaining(10 * SECOND).build();
        let idempotency = Idempotency::new(MemoryStore::new()).unwrap();
        let handler = async |text: FirehoseMessage<Text>| {
            let needed = if text.body.0 == "long" { 60 * SECOND } else { SECOND };
            let enrich = async {
                let enough = Deadline::current().ensure(needed);
                enough.map_err(|_| RecordError::from("it is too late"))
            };
            let enriched = idempotency.run("enrich", &text.body.0, enrich).await;
            if is_handled {
                Invocation::interruption_handled();
            }
            enriched.map(|()| Transformed::dropped())
        };
        let work = batch::firehose(firehose(&["one", "long"])).run(handler);
        let report = invocation.scope(work).await;
        assert_eq!(outcomes(&report), "sf");
        if is_handled {
            let reply = report.into_reply().unwrap();
            assert_eq!(results(&reply), ["Dropped", "ProcessingFailed"]);
        } else {
            let error = error(report);
            assert!(
                matches!(error, Error::Incomplete { unfinished: 1, total: 2, .. }),
                "{error:?}"
            );
        }
    }
}

/// Another invocation brings the record to it again.
#[tokio::test(start_paused = true)]
async fn a_transformation_whose_sink_has_no_time_left_has_not_failed() {
    let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
    let invocation = testing::invocation().clock(&clock).remaining(10 * SECOND).build();
    let work = batch::firehose(firehose(&["fail", "one"]))
        .permanent_if(|_| true)
        .permanent_sink(|_, _| pending::<Result<(), Infallible>>())
        .run_chunks(2, async |texts: Vec<FirehoseMessage<Text>>| {
            join_all(texts.into_iter().map(shout)).await
        });
    let report = invocation.scope(work).await;
    assert_eq!(outcomes(&report), "fs");
    assert!(matches!(error(report), Error::Incomplete { unfinished: 1, total: 2, .. }));
}

#[tokio::test]
async fn a_transformation_that_another_invocation_has_or_without_time_has_not_failed() {
    use powertools::{LambdaError, idempotency, parameters};

    #[derive(Debug, thiserror::Error, LambdaError)]
    enum Failed {
        #[error(transparent)]
        Idempotency(#[from] idempotency::Error),
    }

    let work = Idempotency::new(MemoryStore::new()).unwrap();
    let key = work.operation("shout").key(&7).unwrap().derived_key().unwrap().clone();
    let in_progress = || idempotency::Error::InProgress { key: key.clone(), until: None };
    let interruptions: [RecordError; 7] = [
        Deadline::of(Some(testing::invocation().remaining(SECOND).build()))
            .ensure(2 * SECOND)
            .unwrap_err()
            .into(),
        in_progress().into(),
        anyhow::Error::from(in_progress()).context("not now").into(),
        Failed::from(in_progress()).into(),
        idempotency::Error::Contended { key: key.clone() }.into(),
        idempotency::Error::LeaseExpired { key: key.clone() }.into(),
        parameters::Error::OutOfTime { what: "secret".to_owned() }.into(),
    ];
    let run = async |failure: &RecordError| {
        let handler = async |_: FirehoseRecord| Err::<Transformed, _>(failure.clone());
        batch::firehose(firehose(&["one"])).run(handler).await.into_reply()
    };
    for failure in interruptions {
        let result = run(&failure).await;
        assert!(matches!(result, Err(Error::Incomplete { .. })), "{failure}");
    }
    let failure = Failed::from(idempotency::Error::PayloadChanged { key: key.clone() });
    assert_eq!(results(&run(&failure.into()).await.unwrap()), ["ProcessingFailed"]);
}

#[tokio::test(start_paused = true)]
async fn transformations_that_a_failure_prevents_fail_like_it() {
    let event = firehose(&["one", "fail", "two", "three"]);
    let report = batch::firehose(event).stop_at_first_failure().run(shout).await;
    assert_eq!(outcomes(&report), "sfnn");
    let reply = report.into_reply().unwrap();
    assert_eq!(results(&reply), ["Ok", "ProcessingFailed", "ProcessingFailed", "ProcessingFailed"]);

    // In chunks.
    let handler = async |chunk: Vec<FirehoseMessage<u64>>| {
        chunk.iter().map(|_| Ok::<_, RecordError>(Transformed::dropped())).collect::<Vec<_>>()
    };
    let work = batch::firehose(firehose(&["1", "x", "2", "3"]));
    let report = work.stop_at_first_failure().run_chunks(3, handler).await;
    assert_eq!(outcomes(&report), "sfnn");
    let reply = report.into_reply().unwrap();
    assert_eq!(
        results(&reply),
        ["Dropped", "ProcessingFailed", "ProcessingFailed", "ProcessingFailed"]
    );

    // The time runs out, with a failure and without one.
    for (texts, concurrency, expected) in [
        (["wait", "fail", "two"], 2, "cfn"),
        (["late", "fail", "two"], 1, "snn"),
        (["late fail", "one", "two"], 2, "fnn"),
    ] {
        let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
        let invocation = testing::invocation().clock(&clock).remaining(10 * SECOND).build();
        let work = batch::firehose(firehose(&texts))
            .stop_at_first_failure()
            .concurrency(concurrency)
            .run(async |text: FirehoseMessage<Text>| match text.body.0.as_str() {
                // Blocks the thread beyond the end of the time.
                late @ ("late" | "late fail") => {
                    clock.advance(20 * SECOND);
                    if late == "late" { Ok(Transformed::dropped()) } else { Err("no".into()) }
                }
                _ => shout(text).await,
            });
        let report = invocation.scope(work).await;
        assert_eq!(outcomes(&report), expected);
        let error = error(report);
        assert!(matches!(error, Error::Incomplete { total: 3, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_batch_of_firehose_has_every_option_of_a_batch() {
    // A chunk at a time, and what the sink accepted is dropped.
    let handler = async |chunk: Vec<FirehoseMessage<Text>>| {
        let result = |text: &FirehoseMessage<Text>| match text.body.0.as_str() {
            "bad" => Err(RecordError::permanent("it is bad")),
            text => Ok(Transformed::data(text)),
        };
        chunk.iter().map(result).collect::<Vec<_>>()
    };
    let report = batch::firehose(firehose(&["one", "bad", "two"]))
        .permanent_sink(async |_, _| Ok::<_, Infallible>(()))
        .run_chunks(2, handler)
        .await;
    assert_eq!(outcomes(&report), "sps");
    assert_eq!(results(&report.into_reply().unwrap()), ["Ok", "Dropped", "Ok"]);

    // A task for each, and all or nothing.
    let report = batch::firehose(firehose(&["one", "fail"])).all_or_nothing().run_spawned(shout);
    assert!(matches!(error(report.await), Error::Incomplete { unfinished: 1, total: 2, .. }));

    // What fails after its handler has a value and is not delivered.
    let mut report = batch::firehose(firehose(&["one", "two"])).run(shout).await;
    let id = report.records().next().unwrap().0.identifier().unwrap();
    report.fail(&id, "not written");
    assert_eq!(results(&report.into_reply().unwrap()), ["ProcessingFailed", "Ok"]);
}

#[tokio::test]
async fn a_transformation_that_ran_before_is_replayed_with_its_data() {
    let idempotency = Idempotency::new(MemoryStore::new()).unwrap();
    let event = firehose(&["one"]);
    let runs = AtomicU32::new(0);
    let mut replies = Vec::new();
    for _ in 0..2 {
        let report = batch::firehose(event.clone())
            .idempotent(idempotency.clone(), "shout", |work, text: &FirehoseMessage<Text>| {
                work.key(&natural(&text.record))
            })
            .run(|text| {
                runs.fetch_add(1, Ordering::Relaxed);
                shout(text)
            });
        replies.push(report.await.into_reply().unwrap());
    }
    assert_eq!(runs.into_inner(), 1);
    assert_eq!(results(&replies[0]), ["Ok"]);
    assert_eq!(replies[0], replies[1]);
}

/// Questions of a service that expects an answer to each, and its own name for all of them.
struct Questions {
    round: u32,
    questions: Vec<Question>,
}

#[derive(Clone)]
struct Question(u32);

#[derive(Debug, PartialEq, serde::Serialize)]
struct Answers {
    round: u32,
    answers: Vec<Option<u32>>,
}

impl Source for Questions {
    type Record = Question;
    type Reply = Answers;

    fn take_records(&mut self) -> Result<Vec<Question>, Error> {
        Ok(take(&mut self.questions))
    }
}

impl Record for Question {
    type Identifier = u32;

    fn identifier(&self) -> Option<u32> {
        Some(self.0)
    }
}

impl SourceReply<Questions> for Answers {
    type Value = u32;

    fn from_report(report: &Report<Questions>, values: Vec<Option<u32>>) -> Result<Self, Error> {
        Ok(Self { round: report.source().round, answers: values })
    }
}

#[tokio::test]
async fn a_source_of_ones_own_has_a_reply_of_its_own() {
    let questions = Questions { round: 7, questions: (0..4).map(Question).collect() };
    let double = async |Question(n): Question| if n == 1 { Err("one") } else { Ok(2 * n) };
    let report = Batch::new(questions).concurrency(3).run(double).await;
    let answers = vec![Some(0), None, Some(4), Some(6)];
    assert_eq!(report.into_reply().unwrap(), Answers { round: 7, answers });

    // What failed after its handler returned a value has none.
    let questions = Questions { round: 8, questions: (2..5).map(Question).collect() };
    let mut report = Batch::new(questions).run(double).await;
    report.fail(&3, "not written");
    let answers = vec![Some(4), None, Some(8)];
    assert_eq!(report.into_reply().unwrap(), Answers { round: 8, answers });
}

#[tokio::test]
async fn a_task_of_s3_batch_has_a_result() {
    let old = json!({
        "invocationSchemaVersion": "1.0",
        "invocationId": "YXNkbGZqYWRmaiBhc2RmdW9hZHNmZGpmaGFzbGtkaGZza2RmaAo",
        "job": { "id": "f3cc4f60-61f6-4a2b-8a21-d07600c373ce" },
        "tasks": [{
            "taskId": "dGFza2lkZ29lc2hlcmUK",
            "s3Key": "customer+image%C3%A41.jpg",
            "s3VersionId": "1",
            "s3BucketArn": "arn:aws:s3:::examplebucket",
        }],
    });
    let event: S3BatchEvent = parse(old);
    let task = &event.tasks[0];
    assert_eq!((task.bucket(), task.version_id()), (Some("examplebucket"), Some("1")));
    assert_eq!(task.key().as_deref(), Some("customer imageä1.jpg"));
    assert!(!task.natural_key().is_absent());
    let report = batch::s3_batch(event)
        .run(async |_: S3BatchTask| Ok::<_, Infallible>("copied".to_owned()))
        .await;
    assert_eq!(
        serde_json::to_value(report.into_reply().unwrap()).unwrap(),
        json!({
            "invocationSchemaVersion": "1.0",
            "treatMissingKeysAs": "TemporaryFailure",
            "invocationId": "YXNkbGZqYWRmaiBhc2RmdW9hZHNmZGpmaGFzbGtkaGZza2RmaAo",
            "results": [{
                "taskId": "dGFza2lkZ29lc2hlcmUK", "resultCode": "Succeeded", "resultString": "copied",
            }],
        })
    );

    for (failure, code) in [
        (RecordError::retry("busy"), "TemporaryFailure"),
        (RecordError::permanent("busy"), "PermanentFailure"),
    ] {
        let event: S3BatchEvent =
            parse(events::s3_batch("photos", "a b.jpg").argument("a", "1").build());
        assert_eq!(event.tasks[0].key().as_deref(), Some("a b.jpg"));
        assert_eq!(event.job.user_arguments["a"], "1");
        let handler = async |_: S3BatchTask| Err::<String, _>(failure.clone());
        let reply = batch::s3_batch(event).run(handler).await.into_reply().unwrap();
        assert_eq!(
            (reply.results[0].result_code, reply.results[0].result_string.as_str()),
            (code, "busy")
        );
    }
}

/// Neither of them delivers it again for that.
#[tokio::test]
async fn a_permanent_failure_needs_no_sink_where_the_source_is_told_of_it() {
    let (lines, _guard) = crate::logging::start(crate::logging::logging());
    let event: S3BatchEvent = parse(events::s3_batch("photos", "a.jpg").build());
    let permanent = || RecordError::permanent("no photo");
    let handler = async |_: S3BatchTask| Err::<String, _>(permanent());
    let _ = batch::s3_batch(event).run(handler).await.into_reply().unwrap();
    let handler = async |_: FirehoseRecord| Err::<Transformed, _>(permanent());
    let _ = batch::firehose(firehose(&["one"])).run(handler).await.into_reply().unwrap();
    let lines = lines.json();
    let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["a record failed"; 2]);
}

#[tokio::test]
async fn a_reply_to_s3_batch_stays_within_6_mib_and_loses_no_result() {
    // JSON writes the first one as six bytes, and the last one has two, of which none is cut.
    for text in ["\u{1}", "x", "ä"] {
        for (result, code) in [
            (Ok(text.repeat(7 << 20)), "Succeeded"),
            (Err(RecordError::permanent(text.repeat(7 << 20))), "PermanentFailure"),
        ] {
            let event: S3BatchEvent = parse(events::s3_batch("photos", "a.jpg").build());
            let report = batch::s3_batch(event).run(async |_: S3BatchTask| result.clone());
            let reply = report.await.into_reply().unwrap();
            assert_eq!(reply.results[0].result_code, code);
            let length = reply.results[0].result_string.len();
            assert!(length > 900 << 9, "{length} bytes");
            assert!(serde_json::to_string(&reply).unwrap().len() <= 6 << 20);
        }
    }
}

#[tokio::test]
async fn a_task_whose_permanent_error_the_sink_does_not_take_is_tried_again() {
    for (sink, code) in [
        ("takes", "PermanentFailure"),
        ("fails", "TemporaryFailure"),
        ("panics", "TemporaryFailure"),
    ] {
        let event: S3BatchEvent = parse(events::s3_batch("photos", "a.jpg").build());
        let report = batch::s3_batch(event)
            .permanent_sink(async |_, _| match sink {
                "takes" => Ok(()),
                "fails" => Err("the sink is full"),
                _ => panic!("the sink"),
            })
            .run(async |_: S3BatchTask| Err::<String, _>(RecordError::permanent("no photo")));
        let reply = report.await.into_reply().unwrap();
        let result = &reply.results[0];
        assert_eq!((result.result_code, &*result.result_string), (code, "no photo"), "{sink}");
    }
}

/// Reads an event, if it can be read.
fn read<T: DeserializeOwned>(event: &Value) -> Option<T> {
    serde_json::from_value(event.clone()).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn texts_survive_builder_and_parser(texts in prop::collection::vec(any::<Vec<u8>>(), 0..5)) {
        let mut active = events::active_mq("q");
        let mut rabbit = events::rabbit_mq("q::x");
        let mut firehose = events::firehose("f");
        for text in &texts {
            (active, rabbit, firehose) = (active.message(text), rabbit.message(text), firehose.record(text));
        }
        let active: ActiveMqEvent = serde_json::from_str(&active.build().to_string()).unwrap();
        let rabbit: RabbitMqEvent = serde_json::from_str(&rabbit.build().to_string()).unwrap();
        let firehose: FirehoseEvent = serde_json::from_str(&firehose.build().to_string()).unwrap();
        let all = [
            active.records.iter().map(|record| record.data().unwrap()).collect::<Vec<_>>(),
            rabbit.records.iter().map(|record| record.data().unwrap()).collect(),
            firehose.records.iter().map(|record| record.data().unwrap()).collect(),
        ];
        for read in all {
            prop_assert_eq!(&read, &texts);
        }
        prop_assert!(rabbit.records.iter().all(|record| record.queue() == "q::x"));
    }

    #[test]
    fn changed_events_lose_no_record(places in prop::collection::vec((prop::bool::weighted(0.1), odd()), 60)) {
        let run = |event: Value, records: fn(&Value) -> Option<usize>| {
            let mut event = event;
            change(&mut event, &mut places.clone().into_iter());
            (records(&event), event)
        };
        let (count, event) = run(active_mq(), |event| event["messages"].as_array().map(Vec::len));
        if let Some(event) = read::<ActiveMqEvent>(&event) {
            prop_assert_eq!(Some(event.records.len()), count);
            for record in &event.records {
                let _ = (record.data(), record.queue(), record.property("index"), record.sent_at());
            }
        }
        let (count, event) = run(rabbit_mq(), |event| {
            let queues = event["rmqMessagesByQueue"].as_object()?;
            queues.values().map(|queue| queue.as_array().map(Vec::len)).sum()
        });
        if let Some(event) = read::<RabbitMqEvent>(&event) {
            prop_assert_eq!(Some(event.records.len()), count);
            for record in &event.records {
                let _ = (record.data(), record.header("header1"), record.property("messageId"));
            }
        }
        let (count, event) = run(document_db(), |event| event["events"].as_array().map(Vec::len));
        if let Some(event) = read::<DocumentDbEvent>(&event) {
            prop_assert_eq!(Some(event.records.len()), count);
            for record in &event.records {
                let _ = (record.id(), record.full_document::<Value>(), record.document_key::<Value>());
            }
        }
        let sent = events::firehose("f").record("a").record("b").build();
        let (count, event) = run(sent, |event| event["records"].as_array().map(Vec::len));
        if let Some(event) = read::<FirehoseEvent>(&event) {
            prop_assert_eq!(Some(event.records.len()), count);
            for record in &event.records {
                let _ = (record.data(), record.arrived_at());
            }
        }
    }
}

/// Brokers, jobs and streams give ids that are theirs alone.
#[test]
fn a_natural_key_has_the_scope_of_its_id() {
    let message = |queue: &str| {
        let mut event = events::active_mq(queue).message("x").id("ID:1").build();
        event["eventSourceArn"] = json!("arn:b");
        parse::<ActiveMqEvent>(event).records[0].natural_key()
    };
    assert_eq!(message("orders"), NaturalKey::new(["arn:b", "orders", "ID:1"].map(Some)));

    let mut event = events::rabbit_mq("orders").message("x").property("messageId", "1").build();
    event["eventSourceArn"] = json!("arn:b");
    let key = parse::<RabbitMqEvent>(event).records[0].natural_key();
    assert_eq!(key, NaturalKey::new(["arn:b", "orders::/", "1"].map(Some)));

    let task = |job: &str| {
        let mut event = events::s3_batch("photos", "a.jpg").build();
        event["job"]["id"] = json!(job);
        event["tasks"][0]["taskId"] = json!("t");
        parse::<S3BatchEvent>(event).tasks[0].natural_key()
    };
    assert_eq!(task("job-1"), NaturalKey::new([Some("job-1"), Some("t")]));
    assert!(task("").is_absent());

    let change = |namespace: Value| {
        let change = json!({ "_id": { "_data": "r" }, "operationType": "x", "ns": namespace });
        let event = json!({
            "eventSource": "aws:docdb",
            "events": [{ "event": change }],
            "eventSourceArn": "arn:c",
        });
        parse::<DocumentDbEvent>(event).records[0].natural_key()
    };
    // `dropDatabase` and `invalidate`.
    assert_eq!(change(json!({ "db": "shop" })), NaturalKey::new(["arn:c", "shop", "r"].map(Some)));
    assert_eq!(change(Value::Null), NaturalKey::new(["arn:c", "r"].map(Some)));
}

/// One function can have mappings of several brokers and clusters.
#[test]
fn a_record_of_another_broker_or_cluster_has_another_key() {
    fn keys<E: DeserializeOwned>(mut event: Value, key: impl Fn(E) -> NaturalKey) {
        let mut of = |arn: &str| {
            event["eventSourceArn"] = json!(arn);
            key(parse(event.clone()))
        };
        assert_eq!(of("arn:1"), of("arn:1"));
        assert_ne!(of("arn:1"), of("arn:2"));
        assert!(of("").is_absent(), "it could be that of any of them");
    }
    keys(active_mq(), |event: ActiveMqEvent| event.records[0].natural_key());
    keys(rabbit_mq(), |event: RabbitMqEvent| event.records[0].natural_key());
    keys(document_db(), |event: DocumentDbEvent| event.records[0].natural_key());
}
