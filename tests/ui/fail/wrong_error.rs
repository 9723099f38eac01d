use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

#[idempotent(key = id, payload = id, with = records)]
async fn charge(records: &Records, id: u64) -> Result<u64, String> {
    Ok(id)
}

fn main() {
    let _ = charge;
}
