use lambda_runtime::Error;
use powertools::http::{IdempotencyKeyLayer, Request};
use powertools::idempotency::MemoryStore;
use powertools::{batch, idempotent};

type Once = IdempotencyKeyLayer<MemoryStore>;

#[idempotent(http, with = once, key = request.uri())]
async fn with_a_key(once: Once, request: Request) -> Result<(), Error> {
    Ok(())
}

#[idempotent(http, with = once, payload = request.body())]
async fn with_a_payload(once: Once, request: Request) -> Result<(), Error> {
    Ok(())
}

#[idempotent(http, with = once, name = "payments")]
async fn with_a_name(once: Once, request: Request) -> Result<(), Error> {
    Ok(())
}

#[idempotent(http, with = once, transaction)]
async fn with_a_transaction(once: Once, request: Request) -> Result<(), Error> {
    Ok(())
}

#[idempotent(http)]
async fn without_a_layer(request: Request) -> Result<(), Error> {
    Ok(())
}

#[idempotent(http = true, with = once)]
async fn with_a_value(once: Once, request: Request) -> Result<(), Error> {
    Ok(())
}

#[idempotent(http, http, with = once)]
async fn twice(once: Once, request: Request) -> Result<(), Error> {
    Ok(())
}

#[idempotent(http, with = once())]
async fn without_a_request() -> Result<(), Error> {
    Ok(())
}

struct Shop(Once);

impl Shop {
    #[idempotent(http, with = self.0)]
    async fn without_a_request(&self) -> Result<(), Error> {
        Ok(())
    }
}

#[batch(sqs)]
#[idempotent(http, with = once)]
async fn of_a_batch(once: Once, message: String) -> Result<(), Error> {
    Ok(())
}

#[idempotent(http, with = once)]
fn not_async(once: Once, request: Request) -> Result<(), Error> {
    Ok(())
}

#[idempotent(http, with = once)]
async fn no_result(once: Once, request: Request) -> &'static str {
    "done"
}

fn main() {}
