use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

use serde::Serialize;

#[idempotent(key = id, with = records)]
async fn charge(records: &Records, id: u64) -> Result<impl Serialize, Error> {
    Ok(id)
}

fn main() {
    let _ = charge;
}
