use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

struct Id;

#[idempotent(key = id, with = records)]
async fn charge(records: &Records, id: Id) -> Result<u64, Error> {
    Ok(7)
}

#[idempotent(key = "order".len(), payload = id, with = records)]
async fn ship(records: &Records, id: Id) -> Result<u64, Error> {
    Ok(7)
}

#[idempotent(key = order.id, with = records)]
async fn unknown(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn main() {
    let _ = (charge, ship, unknown);
}
