use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

type Answer = Option<u64>;

#[idempotent(key = id, with = records)]
async fn charge(records: &Records, id: u64) -> Answer {
    Some(id)
}

fn main() {
    let _ = charge;
}
