//! An idempotent function that writes a line whenever it does its work, for tests that count.
//!
//! Its records are in `TABLE` at `ENDPOINT`, or else in memory. `CLIENT` is `Lean` for the client that
//! is not the SDK's.

use std::future::pending;
use std::io::Write;

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::idempotency::{Idempotency, MemoryStore, Store};
use powertools_tests::via::Via;
use serde::Deserialize;

#[derive(Deserialize)]
struct Order {
    id: String,
    /// Begin, and never end.
    #[serde(default)]
    hang: bool,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    match (std::env::var("ENDPOINT"), std::env::var("TABLE")) {
        (Ok(endpoint), Ok(table)) => {
            let is_lean = std::env::var("CLIENT").is_ok_and(|client| client == "Lean");
            let via = if is_lean { Via::Lean } else { Via::Sdk };
            serve(via.store(&endpoint, table)).await
        }
        _ => serve(MemoryStore::new()).await,
    }
}

async fn serve(store: impl Store) -> Result<(), Error> {
    let idempotency = Idempotency::new(store)?;
    let handler = move |event: LambdaEvent<Order>| {
        let idempotency = idempotency.clone();
        async move {
            let order = event.payload;
            idempotency.run("charge", &order.id, charge(&order)).await
        }
    };
    Powertools::new(handler).run().await
}

async fn charge(order: &Order) -> Result<String, Error> {
    writeln!(std::io::stdout(), "charging {}", order.id)?;
    if order.hang {
        pending().await
    }
    Ok(format!("charged {}", order.id))
}
