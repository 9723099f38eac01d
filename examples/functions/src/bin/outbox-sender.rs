//! Sends the rows of an outbox, from the stream of its table.
//!
//! A stream delivers at least once, and so do the messages: the receiver recognises a repetition by the id
//! of the row. The event source mapping requires `ReportBatchItemFailures`.

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::batch::{self, Change, RecordError, Reply};
use powertools::events::DynamoDbEvent;
use powertools::logging::Logging;
use serde::Deserialize;

/// A row of the outbox.
#[derive(Deserialize)]
struct Row {
    id: String,
    order_id: String,
    amount: u64,
}

/// Sends a row when it is written. Its removal sends nothing.
async fn send(change: Change<Row>) -> Result<(), RecordError> {
    if let (None, Some(Row { id, order_id, amount })) = (change.old, change.new) {
        // Here the message is sent, with the id as its deduplication id.
        tracing::info!(id, order_id, amount, "sent");
    }
    Ok(())
}

async fn handle(event: LambdaEvent<DynamoDbEvent>) -> Result<Reply, batch::Error> {
    batch::dynamodb(event.payload).run(send).await.into_reply()
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    Powertools::new(handle).logging(Logging::new()).run().await
}
