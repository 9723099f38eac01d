use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

struct Receipt;

#[idempotent(key = id, with = records)]
async fn charge(records: &Records, id: u64) -> Result<Receipt, Error> {
    Ok(Receipt)
}

fn main() {
    let _ = charge;
}
