use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

#[idempotent(key = id, with = records)]
async fn charge(records: &Records, id: String) -> Result<usize, Error> {
    drop(id);
    Ok(id.len())
}

fn main() {
    let _ = charge;
}
