//! Charges an order once, however often it is delivered within a day.
//!
//! `TABLE_NAME` names the DynamoDB table of the idempotency records. Without it they are kept in
//! memory, which is sufficient for `cargo lambda watch`.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use lambda_runtime::{Error, LambdaEvent};
use powertools::idempotency::{DynamoDbStore, Idempotency, MemoryStore, Store};
use powertools::logging::Logging;
use powertools::{Powertools, aws, idempotent};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Order {
    order_id: Option<String>,
    amount: u64,
}

#[derive(Deserialize, Serialize)]
struct Receipt {
    order_id: Option<String>,
    charged: u64,
    request_id: String,
}

#[idempotent(
    key = event.payload.order_id,
    payload = event.payload.amount,
    with = idempotency,
    name = "orders.charge"
)]
async fn charge<S: Store>(
    idempotency: Idempotency<S>,
    event: LambdaEvent<Order>,
) -> Result<Receipt, Error> {
    let LambdaEvent { payload, context } = event;
    // Here the card is charged, once.
    Ok(Receipt {
        order_id: payload.order_id,
        charged: payload.amount,
        request_id: context.request_id,
    })
}

async fn run<S: Store>(store: S) -> Result<(), Error> {
    // Lambda delivers an asynchronous event again for six hours.
    let kept = Duration::from_secs(24 * 60 * 60);
    let idempotency = Idempotency::builder(store).expires_after(kept).build()?;
    let handler = move |event| charge(idempotency.clone(), event);
    Powertools::new(handler).logging(Logging::new()).run().await
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    match std::env::var("TABLE_NAME") {
        Ok(table) => run(DynamoDbStore::new(Client::new(aws::config().await), table)).await,
        Err(_) => {
            eprintln!(
                "TABLE_NAME is not set: idempotency records are kept in memory, for local runs only"
            );
            run(MemoryStore::new()).await
        }
    }
}
