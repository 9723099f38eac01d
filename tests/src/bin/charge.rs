//! An idempotent function that writes a line whenever its work runs, for tests that count the runs.
//!
//! Its records are in `TABLE` at `ENDPOINT`, on the server of `REDIS`, or else in memory. `CLIENT` is `Lean`
//! for this toolkit's own client instead of the SDK's. Its claims have a lease of `LEASE` seconds, which is
//! renewed, or else one for the whole invocation. With `HTTP` its events are requests with an `Idempotency-Key`.

use std::future::pending;
use std::io::Write;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::http::{self as web, IdempotencyKeyLayer, Request, StatusCode};
use powertools::idempotency::{Builder, Idempotency, MemoryStore, RedisStore, Store};
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
    let variable = |name| std::env::var(name).ok();
    match (variable("ENDPOINT"), variable("TABLE"), variable("REDIS")) {
        (Some(endpoint), Some(table), _) => {
            let is_lean = variable("CLIENT").is_some_and(|client| client == "Lean");
            let via = if is_lean { Via::Lean } else { Via::Sdk };
            serve(slow(via.store(&endpoint, table))).await
        }
        (_, _, Some(url)) => serve(slow(RedisStore::new(&url)?)).await,
        _ => serve(Idempotency::builder(MemoryStore::new())).await,
    }
}

/// A busy emulator takes longer than the default to release a claim.
fn slow<S: Store>(store: S) -> Builder<S> {
    Idempotency::builder(store).save_reserve(SAVE_RESERVE)
}

async fn serve(mut options: Builder<impl Store>) -> Result<(), Error> {
    if let Ok(lease) = std::env::var("LEASE") {
        options = options.lease(Duration::from_secs(lease.parse()?)).renew_lease();
    }
    let idempotency = options.build()?;
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
