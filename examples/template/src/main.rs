{% if kind == "http" -%}
use lambda_runtime::Error;
use powertools::http::{
    IdempotencyKeyLayer, IntoResponse, Json, JsonError, Origin, Request, StatusCode,
};
use powertools::idempotency::{DynamoDbStore, Idempotency, LeanClient, MemoryStore, Store};
use powertools::logging::{Logging, correlation};
use powertools::{Powertools, idempotent};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Order {
    amount: u64,
}

#[derive(Serialize)]
struct Receipt {
    charged: u64,
}

#[idempotent(http, with = once)]
async fn charge<S: Store>(
    once: IdempotencyKeyLayer<S>,
    request: Request,
) -> Result<impl IntoResponse, JsonError> {
    let Json(order) = Json::<Order>::read(&request)?;
    // Here the order is charged, once for each `Idempotency-Key` of a client.
    tracing::info!(amount = order.amount, "charged");
    Ok((StatusCode::CREATED, Json(Receipt { charged: order.amount })))
}

async fn run<S: Store>(store: S) -> Result<(), Error> {
    // `cargo lambda watch` has no authorizer that verifies a caller, and sets this in its place.
    let local = std::env::var("LOCAL_CALLER").ok();
    let once = IdempotencyKeyLayer::new(Idempotency::new(store)?, "{{ project_name }}");
    let once = once.caller(move |request| {
        let verified = request.extensions.get::<Origin>()?.caller();
        verified.map(str::to_owned).or_else(|| local.clone())
    });
    Powertools::http(move |request| charge(once.clone(), request))
        .logging(Logging::new().correlation_id(correlation::API_GATEWAY_HTTP))
        .run()
        .await
}
{%- else -%}
use std::time::Duration;

use lambda_runtime::Error;
use powertools::batch::{Message, RecordError};
use powertools::idempotency::{DynamoDbStore, Idempotency, LeanClient, MemoryStore, Store};
use powertools::logging::Logging;
use powertools::{Powertools, batch, deadline, idempotent};
use serde::Deserialize;

#[derive(Deserialize)]
struct Order {
    id: String,
    amount: u64,
}

#[batch(sqs, concurrency = 8)]
#[idempotent(key = order.body.id, with = idempotency, name = "{{ project_name }}")]
#[deadline(reserve = "2s")]
async fn charge<S: Store>(
    idempotency: Idempotency<S>,
    order: Message<Order>,
) -> Result<(), RecordError> {
    // Here the order is charged, once.
    tracing::info!(order = order.body.id, amount = order.body.amount, "charged");
    Ok(())
}

async fn run<S: Store>(store: S) -> Result<(), Error> {
    // The retention period of the queue.
    let retention = Duration::from_secs(4 * 24 * 60 * 60);
    let idempotency = Idempotency::builder(store).expires_after(retention).build()?;
    let handler = move |event| charge(idempotency.clone(), event);
    Powertools::new(handler).logging(Logging::new()).run().await
}
{%- endif %}

// More memory than 1,769 MB has more than one processor, and then several threads are of use.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    match std::env::var("TABLE_NAME") {
        Ok(table) => run(DynamoDbStore::lean(LeanClient::new()?, table)).await,
        // Sufficient for `cargo lambda watch`.
        Err(_) => run(MemoryStore::new()).await,
    }
}

#[cfg(test)]
mod tests {
    use powertools::testing::{FakeRuntime, events};
    use serde_json::{Value, json};

    use super::*;
{% if kind == "http" %}
    #[tokio::test]
    async fn an_order_is_charged_once_for_each_key() {
        let lambda = FakeRuntime::new();
        let _function = lambda.run(run(MemoryStore::new()));

        let order = |key: &str| {
            let order = events::api_gateway_v2("POST", "/orders").json(json!({ "amount": 100 }));
            let ada = json!({ "iam": { "userArn": "ada" } });
            order.header("Idempotency-Key", key).authorizer(ada).build()
        };
        for replayed in [json!(null), json!("true")] {
            let reply = lambda.invoke(order("k-1")).await.json::<Value>();
            assert_eq!(reply["statusCode"], 201);
            assert_eq!(reply["body"], r#"{"charged":100}"#);
            assert_eq!(reply["headers"]["idempotency-replayed"], replayed);
        }
        let reply = lambda.invoke(order("not, a key")).await.json::<Value>();
        assert_eq!(reply["statusCode"], 400);
    }
{%- else %}
    #[tokio::test]
    async fn a_message_that_is_not_an_order_fails_alone() {
        let lambda = FakeRuntime::new();
        let _function = lambda.run(run(MemoryStore::new()));

        let order = json!({ "id": "o-1", "amount": 100 });
        let event = events::sqs("orders").message(order).message("oops").build();
        let oops = event["Records"][1]["messageId"].clone();
        let reply = lambda.invoke(event).await.json::<Value>();
        assert_eq!(reply["batchItemFailures"], json!([{ "itemIdentifier": oops }]));
    }
{%- endif %}
}
