use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

#[idempotent(key = id, with = records)]
const fn constant(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = id, with = records)]
async extern "C" fn foreign(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn main() {
    let _ = (constant, foreign);
}
