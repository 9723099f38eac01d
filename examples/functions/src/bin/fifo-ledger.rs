//! Books the entries of a FIFO queue in order, for each account.
//!
//! The producer uses the account as the message group. An entry that fails stops its own account
//! only. The event source mapping requires `ReportBatchItemFailures`.

use aws_sdk_dynamodb::Client;
use lambda_runtime::{Error, LambdaEvent};
use powertools::batch::{self, Message, RecordError, Reply};
use powertools::events::{SqsEvent, natural};
use powertools::idempotency::{DynamoDbStore, Idempotency, MemoryStore, Store};
use powertools::logging::Logging;
use powertools::{Powertools, aws, idempotent};
use serde::Deserialize;

#[derive(Deserialize)]
struct Entry {
    cents: i64,
}

/// Books an entry. Entries have no number of their own, so the key is that of the message.
#[idempotent(key = natural(&entry), with = idempotency, name = "fifo-ledger.book")]
async fn book<S: Store>(
    idempotency: &Idempotency<S>,
    entry: Message<Entry>,
) -> Result<(), RecordError> {
    let account = entry.group_id().ok_or("the queue is not a FIFO queue")?;
    if entry.is_last_attempt() {
        // The next failure moves the entry to the dead-letter queue, and the account continues
        // without it.
        tracing::warn!(%account, "the last attempt of an entry");
    }
    tracing::info!(%account, cents = entry.body.cents, "booked");
    Ok(())
}

async fn handle<S: Store>(
    idempotency: Idempotency<S>,
    event: LambdaEvent<SqsEvent>,
) -> Result<Reply, batch::Error> {
    batch::sqs(event.payload)
        .concurrency(10) // accounts concurrently, the entries of one account in order
        .max_receive_count(20)
        .run(|entry| book(&idempotency, entry))
        .await
        .into_reply()
}

async fn run<S: Store>(store: S) -> Result<(), Error> {
    // The retention period of the queue.
    let retention = std::time::Duration::from_secs(4 * 24 * 60 * 60);
    let idempotency = Idempotency::builder(store).expires_after(retention).build()?;
    let handler = move |event| handle(idempotency.clone(), event);
    Powertools::new(handler).logging(Logging::new()).run().await
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    match std::env::var("TABLE_NAME") {
        Ok(table) => run(DynamoDbStore::new(Client::new(aws::config().await), table)).await,
        // Sufficient for `cargo lambda watch`.
        Err(_) => run(MemoryStore::new()).await,
    }
}
