//! Books the entries of a FIFO queue in their order, account by account.
//!
//! The producer takes the account as the message group. An entry that fails stops its account, and no
//! other. The event source mapping needs `ReportBatchItemFailures`.

use aws_sdk_dynamodb::Client;
use lambda_runtime::{Error, LambdaEvent};
use powertools::batch::{self, Message, RecordError, Reply, SqsEvent};
use powertools::idempotency::{DynamoDbStore, Idempotency, MemoryStore, Store, natural};
use powertools::logging::Logging;
use powertools::{Powertools, aws, idempotent};
use serde::Deserialize;

#[derive(Deserialize)]
struct Entry {
    cents: i64,
}

/// Entries have no number of their own: the message is what must not be booked twice.
#[idempotent(key = natural(&entry), with = records, name = "fifo-ledger.book")]
async fn book<S: Store>(
    records: &Idempotency<S>,
    entry: Message<Entry>,
) -> Result<(), RecordError> {
    let account = entry.group_id().ok_or("the queue is not a FIFO queue")?;
    if entry.is_last_attempt() {
        // The next failure moves the entry away, and the account goes on without it.
        tracing::warn!(%account, "the last attempt of an entry");
    }
    tracing::info!(%account, cents = entry.body.cents, "booked");
    Ok(())
}

async fn handle<S: Store>(
    records: Idempotency<S>,
    event: LambdaEvent<SqsEvent>,
) -> Result<Reply, batch::Error> {
    batch::sqs(event.payload)
        .concurrency(10) // accounts side by side, the entries of one in order
        .max_receive_count(20)
        .run(|entry| book(&records, entry))
        .await
        .into_reply()
}

async fn run<S: Store>(store: S) -> Result<(), Error> {
    // As long as the queue keeps a message.
    let kept = std::time::Duration::from_secs(4 * 24 * 60 * 60);
    let records = Idempotency::builder(store).expires_after(kept).build()?;
    let handler = move |event| handle(records.clone(), event);
    Powertools::new(handler).logging(Logging::new()).run().await
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    match std::env::var("TABLE_NAME") {
        Ok(table) => run(DynamoDbStore::new(Client::new(aws::config().await), table)).await,
        // Enough for `cargo lambda watch`.
        Err(_) => run(MemoryStore::new()).await,
    }
}
