use lambda_runtime::{Error, LambdaEvent};
use powertools::http::{IdempotencyKeyLayer, Request};
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::idempotent;

type Once = IdempotencyKeyLayer<MemoryStore>;

#[idempotent(http, with = idempotency)]
async fn not_a_layer(
    idempotency: Idempotency<MemoryStore>,
    request: Request,
) -> Result<&'static str, Error> {
    Ok("done")
}

#[idempotent(http, with = once)]
async fn not_a_request(once: Once, event: LambdaEvent<String>) -> Result<&'static str, Error> {
    Ok("done")
}

#[idempotent(http, with = once)]
async fn request_first(request: Request, once: Once) -> Result<&'static str, Error> {
    Ok("done")
}

#[idempotent(http, with = once)]
async fn not_a_response(once: Once, request: Request) -> Result<u64, Error> {
    Ok(7)
}

#[idempotent(http, with = once)]
async fn wrong_body(once: Once, request: Request) -> Result<String, Error> {
    Ok(7)
}

#[idempotent(http, with = onse)]
async fn misspelt(once: Once, request: Request) -> Result<String, Error> {
    Ok(String::new())
}

fn main() {}
