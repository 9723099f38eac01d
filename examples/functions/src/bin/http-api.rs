//! An HTTP API that charges a card once for each `Idempotency-Key` of a client.
//!
//! The key of a client is only unique among that client's requests to one resource, so the whole key
//! is caller, method, path and `Idempotency-Key`. API Gateway checks who calls. The response of an
//! HTTP function cannot be stored, so the work is a function of its own.

use aws_sdk_dynamodb::Client;
use lambda_http::http::StatusCode;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt, RequestPayloadExt, Response, service_fn};
use lambda_runtime::Error;
use powertools::events::{NaturalKey, natural};
use powertools::idempotency::{self, DynamoDbStore, Idempotency, MemoryStore, Store};
use powertools::invocation::InvocationLayer;
use powertools::{aws, idempotent};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Charge {
    amount: u64,
}

#[derive(Deserialize, Serialize)]
struct Receipt {
    charged: u64,
}

/// What tells one request from all others.
#[derive(Serialize)]
struct RequestKey {
    caller: String,
    method: String,
    path: String,
    key: NaturalKey,
}

/// Returns who signed the request, as API Gateway knows it.
fn caller(request: &Request) -> Option<String> {
    let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else { return None };
    context.authorizer.as_ref()?.iam.as_ref()?.user_arn.clone()
}

#[idempotent(key = key, payload = charge.amount, with = idempotency, name = "http-api.charge")]
async fn charge_once<S: Store>(
    idempotency: &Idempotency<S>,
    key: RequestKey,
    charge: Charge,
) -> Result<Receipt, idempotency::Error> {
    // Here the card is charged, once.
    Ok(Receipt { charged: charge.amount })
}

async fn handle<S: Store>(
    idempotency: Idempotency<S>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let Some(caller) = caller(&request) else {
        return respond(StatusCode::FORBIDDEN, "a charge needs a caller");
    };
    let key = RequestKey {
        caller,
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        key: natural(&request),
    };
    let Ok(Some(charge)) = request.payload::<Charge>() else {
        return respond(StatusCode::BAD_REQUEST, "a charge has an amount");
    };
    match charge_once(&idempotency, key, charge).await {
        Ok(receipt) => respond(StatusCode::OK, serde_json::to_string(&receipt)?),
        // 400 without a key, 409 while another request is running, 422 for another amount.
        Err(error) => respond(StatusCode::from_u16(error.http_status())?, error.to_string()),
    }
}

fn respond(status: StatusCode, body: impl Into<Body>) -> Result<Response<Body>, Error> {
    Ok(Response::builder().status(status).body(body.into())?)
}

async fn run<S: Store>(store: S) -> Result<(), Error> {
    let idempotency = Idempotency::new(store)?;
    let handler = service_fn(move |request| handle(idempotency.clone(), request));
    lambda_runtime::Runtime::new(lambda_http::Adapter::from(handler))
        .layer(InvocationLayer::new())
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
