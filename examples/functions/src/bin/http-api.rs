//! An HTTP API that charges a card once for each `Idempotency-Key` of a client.
//!
//! The key of a client is only unique among that client's requests to one resource, so the layer's key is
//! caller, method, path and `Idempotency-Key`. API Gateway checks who calls.

use aws_sdk_dynamodb::Client;
use lambda_runtime::Error;
use powertools::http::{self, IdempotencyKeyLayer, Json, JsonError, Origin, Request};
use powertools::idempotency::{DynamoDbStore, Idempotency, MemoryStore, Store};
use powertools::logging::Logging;
use powertools::metrics::{self, Metrics, Namespace};
use powertools::{Powertools, aws};
use serde::{Deserialize, Serialize};
use tower::ServiceBuilder;

#[derive(Deserialize)]
struct Charge {
    amount: u64,
}

#[derive(Serialize)]
struct Receipt {
    charged: u64,
}

async fn charge(request: Request) -> Result<Json<Receipt>, JsonError> {
    let Json(charge) = Json::<Charge>::read(&request)?;
    // Here the card is charged, once.
    metrics::count("ChargesAccepted", 1);
    Ok(Json(Receipt { charged: charge.amount }))
}

async fn run<S: Store>(store: S, caller: Option<String>) -> Result<(), Error> {
    let once = IdempotencyKeyLayer::new(Idempotency::new(store)?, "http-api.charge");
    let once = once.caller(move |request| {
        let verified = request.extensions.get::<Origin>()?.caller().map(str::to_owned);
        verified.or_else(|| caller.clone())
    });
    let service = ServiceBuilder::new().layer(once).service(http::handler(charge));
    // Failures are answered, so that Lambda does not count them: `RequestsFailed` does.
    Powertools::http(service)
        .logging(Logging::new())
        .metrics(Metrics::new().namespace(Namespace::from_static("Shop")))
        .run()
        .await
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    match std::env::var("TABLE_NAME") {
        Ok(table) => run(DynamoDbStore::new(Client::new(aws::config().await), table), None).await,
        // Sufficient for `cargo lambda watch`, which verifies nobody: `--env-var LOCAL_CALLER=me` says who it is.
        Err(_) => run(MemoryStore::new(), std::env::var("LOCAL_CALLER").ok()).await,
    }
}
