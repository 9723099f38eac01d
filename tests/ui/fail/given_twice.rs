use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

#[idempotent(key = id, with = records, key = id)]
async fn charge(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = id, with = records, name = "a", name = "b")]
async fn ship(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn main() {
    let _ = (charge, ship);
}
