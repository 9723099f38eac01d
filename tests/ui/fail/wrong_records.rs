use powertools::idempotency::{Error, MemoryStore};
use powertools::idempotent;

#[idempotent(key = id, with = store)]
async fn charge(store: &MemoryStore, id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn main() {
    let _ = charge;
}
