//! An idempotent function that writes a line whenever its work runs, for tests that count the runs.
//!
//! Its records are in `TABLE` at `ENDPOINT`, or else in memory. `CLIENT` is `Lean` for this toolkit's
//! own client instead of the SDK's. With `HTTP` its events are requests with an `Idempotency-Key`.

use std::future::pending;
use std::io::Write;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::http::{self as web, IdempotencyKeyLayer, Request, StatusCode};
use powertools::idempotency::{Idempotency, MemoryStore, Store};
use powertools_tests::via::Via;
use serde::Deserialize;
use tower::ServiceBuilder;

const SAVE_RESERVE: Duration = Duration::from_secs(3);

#[derive(Deserialize)]
struct Order {
    id: String,
    /// Start, and never end.
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
            // A busy emulator takes longer than the default to release a claim.
            let idempotency =
                Idempotency::builder(via.store(&endpoint, table)).save_reserve(SAVE_RESERVE);
            serve(idempotency.build()?).await
        }
        _ => serve(Idempotency::new(MemoryStore::new())?).await,
    }
}

async fn serve(idempotency: Idempotency<impl Store>) -> Result<(), Error> {
    if std::env::var_os("HTTP").is_some() {
        let once = IdempotencyKeyLayer::new(idempotency, "payments");
        let service = ServiceBuilder::new().layer(once).service(web::handler(charge_requested));
        return Powertools::http(service).run().await;
    }
    let handler = move |event: LambdaEvent<Order>| {
        let idempotency = idempotency.clone();
        async move {
            let order = event.payload;
            idempotency.run("charge", &order.id, charge(&order)).await
        }
    };
    Powertools::new(handler).run().await
}

async fn charge_requested(_: Request) -> Result<(StatusCode, String), Error> {
    writeln!(std::io::stdout(), "charging")?;
    // Long enough for the others to arrive.
    tokio::time::sleep(Duration::from_millis(300)).await;
    Ok((StatusCode::CREATED, format!("charged by {}", std::process::id())))
}

async fn charge(order: &Order) -> Result<String, Error> {
    writeln!(std::io::stdout(), "charging {}", order.id)?;
    if order.hang {
        pending().await
    }
    Ok(format!("charged {}", order.id))
}
