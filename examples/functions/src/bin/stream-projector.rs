//! Keeps a view of a table up to date, from the stream of the table.
//!
//! The changes of an item arrive in order. Writing the view twice has the same result, so this
//! function needs no idempotency. The event source mapping requires `ReportBatchItemFailures`.

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::batch::{self, Change, RecordError, Reply};
use powertools::events::DynamoDbEvent;
use powertools::logging::Logging;
use serde::Deserialize;

/// An item of the table.
#[derive(Deserialize)]
struct Item {
    sku: String,
    stock: u32,
}

/// Updates the view after a change of an item.
async fn project(change: Change<Item>) -> Result<(), RecordError> {
    match (&change.old, &change.new) {
        (_, Some(new)) if new.stock > 0 => {
            tracing::info!(sku = new.sku, stock = new.stock, "show")
        }
        (_, Some(Item { sku, .. })) | (Some(Item { sku, .. }), None) => tracing::info!(sku, "hide"),
        (None, None) => return Err("the stream needs NEW_AND_OLD_IMAGES".into()),
    }
    Ok(())
}

async fn handle(event: LambdaEvent<DynamoDbEvent>) -> Result<Reply, batch::Error> {
    batch::dynamodb(event.payload).concurrency(4).run(project).await.into_reply()
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    Powertools::new(handle).logging(Logging::new()).run().await
}
