//! A function behind a queue: each message is fulfilled once, which it writes as a line with the
//! request in which it did. Some orders fail on their first try, and poison always does.

use std::io::Write;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent};
use powertools::batch::{self, Message, RecordError, Reply, SqsEvent};
use powertools::idempotency::{DynamoDbStore, Idempotency};
use powertools::{Invocation, Powertools, idempotent};
use serde::Deserialize;

type Records = Idempotency<DynamoDbStore>;

#[derive(Deserialize)]
struct Order {
    id: String,
    poison: bool,
    /// Fails when it comes for the first time.
    unlucky: bool,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let [endpoint, table] =
        ["ENDPOINT", "TABLE"].map(|name| std::env::var(name).unwrap_or_default());
    let store = DynamoDbStore::new(powertools_tests::client(&endpoint), table);
    let records = Idempotency::new(store)?;
    Powertools::new(move |event| handle(records.clone(), event)).run().await
}

async fn handle(records: Records, event: LambdaEvent<SqsEvent>) -> Result<Reply, batch::Error> {
    batch::sqs(event.payload)
        .concurrency(4)
        .run(|order| fulfil(records.clone(), order))
        .await
        .into_reply()
}

#[idempotent(key = order.body.id, with = records, name = "fulfil")]
async fn fulfil(records: Records, order: Message<Order>) -> Result<(), RecordError> {
    if order.body.poison {
        return Err("poison".into());
    }
    if order.body.unlucky && order.receive_count() == Some(1) {
        return Err("no luck".into());
    }
    let request = Invocation::current().map(|invocation| invocation.request_id().to_owned());
    let mut line =
        Line { order: order.body.id, request: request.unwrap_or_default(), ended: false };
    line.write("fulfilled");
    // The time in which a process that is killed has fulfilled the order, and nobody knows.
    tokio::time::sleep(Duration::from_millis(20)).await;
    line.ended = true;
    Ok(())
}

/// Tells of an order that was fulfilled, and that its work was stopped then: a slow machine may come
/// to the end of its time right there.
struct Line {
    order: String,
    request: String,
    ended: bool,
}

impl Line {
    fn write(&self, what: &str) {
        let Self { order, request, .. } = self;
        writeln!(std::io::stdout(), "{what} {order} {request}").expect("the test reads it");
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.ended {
            self.write("stopped");
        }
    }
}
