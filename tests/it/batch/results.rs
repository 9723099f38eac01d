//! The values of records, and failures that come after their handlers.

use std::convert::Infallible;

use powertools::batch::{self, Error, KinesisMessage, Message, Record, RecordError};
use powertools::events::{KinesisEvent, SqsEvent};
use powertools::testing::events;

use super::{error, fifo, messages, outcomes, parse, reported, stream};

async fn double(n: Message<u64>) -> Result<u64, RecordError> {
    if n.body == 1 { Err("one".into()) } else { Ok(2 * n.body) }
}

#[tokio::test]
async fn a_value_is_beside_its_record() {
    for concurrency in [1, 4] {
        let batch = batch::sqs(messages(4)).concurrency(concurrency);
        let handler = async |n: Message<u64>| {
            // The later ones end first.
            for _ in n.body..4 {
                tokio::task::yield_now().await;
            }
            double(n).await
        };
        let (report, values) = batch.run_with(handler).await;
        assert_eq!(values, [Some(0), None, Some(4), Some(6)]);
        assert_eq!(outcomes(&report), "sfss");
    }
}

#[tokio::test]
async fn a_batch_that_is_rejected_has_no_values() {
    let event: SqsEvent = parse(serde_json::json!({ "Records": [{ "body": "1" }] }));
    let (report, values) = batch::sqs(event).run_with(double).await;
    assert_eq!(values, [None], "it was not started");
    assert!(matches!(error(report), Error::IdentifierMissing { .. }));
}

#[tokio::test]
async fn a_record_can_be_reported_after_it_succeeded() {
    let mut report = batch::sqs(messages(3)).run(succeed::<Message<u64>>).await;
    let id = report.records().nth(1).unwrap().0.identifier().unwrap();
    report.fail(&id, "not written");
    assert_eq!(outcomes(&report), "sfs");
    let shown = report.records().nth(1).unwrap().1.error().unwrap().to_string();
    assert_eq!(shown, "not written");
    assert_eq!(reported(report), ["m-1"]);
}

#[tokio::test]
async fn the_group_behind_a_record_that_is_reported_later_is_reported_too() {
    let mut report = batch::sqs(fifo("a1 b1 a2 b2 a3")).run(succeed::<Message<String>>).await;
    report.fail(&"a2".into(), "not written");
    assert_eq!(outcomes(&report), "ssfsf");
    assert_eq!(reported(report), ["a2", "a3"]);

    // The queue continues without a message that goes to the dead-letter queue, and so does the group.
    let batch = batch::sqs(fifo("a1 a2 a3")).max_receive_count(1);
    let mut report = batch.run(succeed::<Message<String>>).await;
    report.fail(&"a2".into(), "not written");
    assert_eq!(reported(report), ["a2"]);
}

#[tokio::test]
async fn the_checkpoint_of_a_stream_is_the_first_record_that_is_reported_later() {
    let mut report =
        batch::kinesis(stream("a1 b1 c1 d1")).run(succeed::<KinesisMessage<String>>).await;
    for id in ["c1", "b1"] {
        report.fail(&id.into(), "not written");
    }
    assert_eq!(reported(report), ["b1"]);

    let handler = succeed::<KinesisMessage<String>>;
    let mut report = batch::kinesis(stream("a1 b1 a2")).run(handler).await;
    report.fail(&"a1".into(), "not written");
    assert_eq!(outcomes(&report), "fsf");
    assert_eq!(reported(report), ["a1"]);
}

/// A pipe is told of each record, since it might not deliver those behind the first one again.
#[tokio::test]
async fn the_key_behind_a_record_of_a_pipe_that_is_reported_later_is_reported_too() {
    let mut event = events::kinesis("clicks");
    for name in ["a1", "a2", "b1"] {
        event = event.record(events::KinesisRecord::json(&name[..1], name.into()));
    }
    let event: KinesisEvent = parse(event.build_piped());
    let mut report = batch::kinesis(event).run(succeed::<KinesisMessage<String>>).await;
    let ids: Vec<_> =
        report.records().map(|(record, _)| record.identifier().unwrap().to_string()).collect();
    report.fail(&ids[0].as_str().into(), "not written");
    assert_eq!(outcomes(&report), "ffs");
    assert_eq!(reported(report), ids[..2]);
}

#[tokio::test]
async fn an_identifier_of_no_record_fails_the_batch() {
    let mut report = batch::sqs(messages(2)).run(succeed::<Message<u64>>).await;
    report.fail(&"m-7".into(), "not written");
    assert!(!report.is_done());
    let error = error(report);
    assert_eq!(error.to_string(), "no record of the batch is \"m-7\", which was to be reported");
    assert_eq!(error.error_type(), "Powertools.BatchRecordUnknown");
    assert!(!error.is_retryable());
}

async fn succeed<M>(_: M) -> Result<(), Infallible> {
    Ok(())
}
