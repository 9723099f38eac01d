//! What the Python toolkit answered, and where ours is different on purpose.

use powertools::batch::{self, Record};
use powertools::events::{
    DynamoDbEvent, DynamoDbRecord, KinesisEvent, KinesisRecord, SqsEvent, SqsRecord,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Log;

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    event: Value,
    /// The numbers of the records whose handler fails.
    fail: Vec<u64>,
    response: Option<Value>,
    raised: Option<String>,
}

impl Case {
    /// What this toolkit answers, and the numbers of the records that it handled.
    async fn answer(&self) -> (Value, String) {
        let handled = Log::default();
        let run = |n: u64| {
            handled.write(n.to_string());
            if self.fail.contains(&n) { Err("no") } else { Ok(()) }
        };
        let event = self.event.clone();
        let reply = match self.event["Records"][0]["eventSource"].as_str() {
            Some("aws:kinesis") => {
                let event: KinesisEvent = serde_json::from_value(event).unwrap();
                let report = batch::kinesis(event).run(async |record: KinesisRecord| {
                    let data: Value = serde_json::from_slice(&record.data().unwrap()).unwrap();
                    run(data["n"].as_u64().unwrap())
                });
                report.await.into_reply()
            }
            Some("aws:dynamodb") => {
                #[derive(Deserialize)]
                struct Key {
                    #[serde(rename = "Id")]
                    id: u64,
                }
                let event: DynamoDbEvent = serde_json::from_value(event).unwrap();
                let report = batch::dynamodb(event)
                    .run(async |record: DynamoDbRecord| run(record.keys::<Key>().unwrap().id));
                report.await.into_reply()
            }
            _ => {
                let event: SqsEvent = serde_json::from_value(event).unwrap();
                let mut batch = batch::sqs(event);
                if self.name == "fifo stops at the first failure" {
                    batch = batch.stop_at_first_failure();
                }
                let report = batch.run(async |record: SqsRecord| {
                    assert_eq!(record.identifier().unwrap().as_str(), record.message_id().unwrap());
                    let body: Value = serde_json::from_str(record.body().unwrap()).unwrap();
                    run(body["n"].as_u64().unwrap())
                });
                report.await.into_reply()
            }
        };
        (serde_json::to_value(reply.unwrap()).unwrap(), handled.text())
    }
}

fn case(name: &str) -> Case {
    let cases = vectors();
    cases.into_iter().find(|case| case.name == name).unwrap()
}

fn vectors() -> Vec<Case> {
    let vectors = include_str!("../../vectors/python-batch.json");
    serde_json::from_str::<Vectors>(vectors).unwrap().cases
}

#[tokio::test]
async fn replies_match_the_python_toolkit() {
    let same = [
        "sqs none fail",
        "sqs some fail",
        "sqs all fail, not raising",
        "fifo stops at the first failure",
        "fifo skips only the failed group",
    ];
    for name in same {
        let case = case(name);
        assert_eq!(Some(case.answer().await.0), case.response, "{name}");
    }

    let different = ["sqs all fail", "sqs empty", "kinesis some fail", "dynamodb some fail"];
    let mut named: Vec<_> = same.into_iter().chain(different).collect();
    let mut all: Vec<_> = vectors().into_iter().map(|case| case.name).collect();
    named.sort_unstable();
    all.sort_unstable();
    assert_eq!(named, all, "every case is in one of the lists");
}

#[tokio::test]
async fn all_failed_is_a_reply_where_the_python_toolkit_raises() {
    let case = case("sqs all fail");
    assert_eq!(case.raised.as_deref(), Some("BatchProcessingError"));
    let ids = ["m-0", "m-1", "m-2", "m-3", "m-4"];
    let failures = ids.map(|id| json!({ "itemIdentifier": id }));
    assert_eq!(case.answer().await.0, json!({ "batchItemFailures": failures }));
}

#[tokio::test]
async fn an_empty_batch_has_an_empty_reply_where_the_python_toolkit_raises() {
    let case = case("sqs empty");
    assert_eq!(case.raised.as_deref(), Some("UnexpectedBatchTypeError"));
    assert_eq!(case.answer().await.0, json!({ "batchItemFailures": [] }));
}

#[tokio::test]
async fn a_stream_reports_its_checkpoint_where_the_python_toolkit_reports_every_failure() {
    for name in ["kinesis some fail", "dynamodb some fail"] {
        let case = case(name);
        let theirs = case.response.as_ref().unwrap()["batchItemFailures"].as_array().unwrap();
        assert_eq!(theirs.len(), 2, "{name}");
        let (ours, handled) = case.answer().await;
        // Lambda takes the lowest of several, so the effect is the same.
        assert_eq!(ours, json!({ "batchItemFailures": theirs[..1] }), "{name}");
        assert_eq!(handled, "0 1", "{name}");
    }
}
