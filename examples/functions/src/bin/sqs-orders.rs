//! Processes a queue of orders: each is charged once, and a bad one does not fail the others.
//!
//! The event source mapping requires `ReportBatchItemFailures`.

use aws_sdk_dynamodb::Client;
use lambda_runtime::Error;
use powertools::batch::{Message, RecordError};
use powertools::events::SqsRecord;
use powertools::idempotency::{DynamoDbStore, Idempotency, MemoryStore, Store};
use powertools::logging::Logging;
use powertools::metrics::{self, Metrics, Namespace, Unit};
use powertools::{Powertools, aws, batch, deadline, idempotent};
use serde::Deserialize;

#[derive(Deserialize)]
struct Order {
    id: String,
    amount: u64,
}

#[batch(sqs, concurrency = 8, permanent_sink = set_aside)]
#[idempotent(
    key = order.body.id,
    payload = order.body.amount,
    with = idempotency,
    name = "sqs-orders.charge"
)]
#[deadline(reserve = "2s")]
async fn charge<S: Store>(
    idempotency: Idempotency<S>,
    order: Message<Order>,
) -> Result<(), RecordError> {
    if order.body.amount == 0 {
        return Err(RecordError::permanent("the amount is 0"));
    }
    // Here the card is charged, once.
    metrics::count("OrdersCharged", 1);
    metrics::record("AmountCharged", order.body.amount, Unit::None);
    tracing::info!(order = order.body.id, amount = order.body.amount, "charged");
    Ok(())
}

/// Stores an order that no retry can help: in production, in a table or a topic.
async fn set_aside(message: SqsRecord, error: RecordError) -> Result<(), Error> {
    metrics::count("OrdersSetAside", 1);
    tracing::warn!(message = message.message_id(), %error, "set aside");
    Ok(())
}

async fn run<S: Store>(store: S) -> Result<(), Error> {
    // The retention period of the queue.
    let retention = std::time::Duration::from_secs(4 * 24 * 60 * 60);
    let idempotency = Idempotency::builder(store).expires_after(retention).build()?;
    let handler = move |event| charge(idempotency.clone(), event);
    Powertools::new(handler)
        .logging(Logging::new())
        .metrics(Metrics::new().namespace(Namespace::from_static("Shop")))
        .run()
        .await
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    match std::env::var("TABLE_NAME") {
        Ok(table) => run(DynamoDbStore::new(Client::new(aws::config().await), table)).await,
        // Sufficient for `cargo lambda watch`.
        Err(_) => run(MemoryStore::new()).await,
    }
}
