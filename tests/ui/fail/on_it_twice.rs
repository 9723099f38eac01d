use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

#[idempotent(key = id, with = records)]
#[idempotent(key = id, with = records)]
async fn charge(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = id, with = records)]
#[cfg_attr(all(), idempotent(key = id, with = records))]
async fn ship(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

use powertools::idempotent as once;

#[once(key = id, with = records)]
#[once(key = id, with = records)]
async fn bill(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn main() {
    let _ = (charge, ship, bill);
}
