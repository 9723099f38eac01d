use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

#[idempotent(keys = id, with = records)]
async fn near(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = id, with = records, retries = 3)]
async fn far(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn main() {
    let _ = (near, far);
}
