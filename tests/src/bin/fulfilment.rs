//! A function that processes a queue: it fulfils each order once, and writes a line with the request
//! in which it did, and another one when that is saved. Some orders fail at their first delivery, and
//! poison always fails.
//!
//! With a table `EFFECTS`, the effect is a counter there, which is committed with the record.

use std::io::Write;
use std::time::{Duration, SystemTime};

use lambda_runtime::{Error, LambdaEvent};
use powertools::batch::{self, Message, RecordError, Reply};
use powertools::events::SqsEvent;
use powertools::idempotency::transaction::{Commit, Item, Update};
use powertools::idempotency::{DynamoDbStore, Idempotency};
use powertools::{Clock, Invocation, Powertools, idempotent};
use serde::Deserialize;

type OnDynamoDb = Idempotency<DynamoDbStore>;

#[derive(Deserialize)]
struct Order {
    id: String,
    poison: bool,
    /// Fails at its first delivery.
    unlucky: bool,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let [endpoint, table] =
        ["ENDPOINT", "TABLE"].map(|name| std::env::var(name).unwrap_or_default());
    let store = DynamoDbStore::new(powertools_tests::client(&endpoint), table);
    let idempotency = Idempotency::new(store)?;
    match std::env::var("EFFECTS") {
        Ok(effects) => {
            let handler = move |event| commit_all(idempotency.clone(), effects.clone(), event);
            Powertools::new(handler).run().await
        }
        Err(_) => Powertools::new(move |event| handle(idempotency.clone(), event)).run().await,
    }
}

async fn commit_all(
    idempotency: OnDynamoDb,
    effects: String,
    event: LambdaEvent<SqsEvent>,
) -> Result<Reply, batch::Error> {
    batch::sqs(event.payload)
        .concurrency(4)
        .run(async |order| commit(idempotency.clone(), effects.clone(), order).await)
        .await
        .into_reply()
}

#[idempotent(key = order.body.id, with = idempotency, name = "commit", transaction)]
async fn commit(
    idempotency: OnDynamoDb,
    effects: String,
    order: Message<Order>,
) -> Result<Commit<()>, RecordError> {
    try_luck(&order)?;
    tokio::time::sleep(Duration::from_millis(20)).await;
    // A counter, which shows if the effect takes place twice.
    let counter = Update::new(effects, Item::new().set("id", order.body.id)).add("count", 1);
    Ok(Commit::new(()).update(counter))
}

async fn handle(
    idempotency: OnDynamoDb,
    event: LambdaEvent<SqsEvent>,
) -> Result<Reply, batch::Error> {
    batch::sqs(event.payload)
        .concurrency(4)
        .run(async |order: Message<Order>| {
            let id = order.body.id.clone();
            fulfil(idempotency.clone(), order).await?;
            write("saved", &id, &request());
            Ok::<_, RecordError>(())
        })
        .await
        .into_reply()
}

#[idempotent(key = order.body.id, with = idempotency, name = "fulfil")]
async fn fulfil(idempotency: OnDynamoDb, order: Message<Order>) -> Result<(), RecordError> {
    try_luck(&order)?;
    let mut line = Line { order: order.body.id, request: request(), ended: false };
    write("fulfilled", &line.order, &line.request);
    // A process that is killed during this time has fulfilled the order without a record of it.
    tokio::time::sleep(Duration::from_millis(20)).await;
    line.ended = true;
    Ok(())
}

fn try_luck(order: &Message<Order>) -> Result<(), RecordError> {
    if order.body.poison {
        return Err("poison".into());
    }
    if order.body.unlucky && order.receive_count() == Some(1) {
        return Err("no luck".into());
    }
    Ok(())
}

fn request() -> String {
    Invocation::current().expect("in an invocation").request_id().to_owned()
}

/// Writes what happened to an order, in which request, and when: in microseconds, so that the test
/// can order the lines of all processes.
fn write(what: &str, order: &str, request: &str) {
    let time = Clock::system().now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros();
    writeln!(std::io::stdout(), "{what} {order} {request} {time}").expect("the test reads it");
}

/// Writes a line if the work of an order is stopped after it was fulfilled: a slow machine may run
/// out of time then.
struct Line {
    order: String,
    request: String,
    ended: bool,
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.ended {
            write("stopped", &self.order, &self.request);
        }
    }
}
