use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

#[idempotent(key = id)]
async fn charge(records: &Records, id: u64) -> Result<u64, Error> {
    let _ = records;
    Ok(id)
}

fn main() {
    let _ = charge;
}
