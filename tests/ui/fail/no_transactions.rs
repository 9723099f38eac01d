use powertools::idempotency::{Commit, Error, Idempotency, Store};
use powertools::idempotent;

#[idempotent(key = id, with = idempotency, name = "place", transaction)]
async fn place<S: Store>(idempotency: &Idempotency<S>, id: u64) -> Result<Commit<u64>, Error> {
    Ok(Commit::new(id))
}

async fn by_hand<S: Store>(idempotency: &Idempotency<S>) -> Result<u64, Error> {
    idempotency.operation("place").key("order-7")?.commit(async { Ok(Commit::new(7)) }).await
}

fn main() {}
