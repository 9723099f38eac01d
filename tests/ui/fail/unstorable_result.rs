use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

struct Receipt;

#[idempotent(key = id, with = records)]
async fn charge(records: &Records, id: u64) -> Result<Receipt, Error> {
    Ok(Receipt)
}

#[derive(serde::Deserialize)]
struct OnlyRead;

#[idempotent(key = id, with = records)]
async fn ship(records: &Records, id: u64) -> Result<OnlyRead, Error> {
    Ok(OnlyRead)
}

fn main() {
    let _ = (charge, ship);
}
