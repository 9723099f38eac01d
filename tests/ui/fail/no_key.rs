use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

#[idempotent(with = records)]
async fn charge(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn main() {
    let _ = charge;
}
