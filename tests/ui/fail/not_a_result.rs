use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

#[idempotent(key = id, with = records)]
async fn nothing(records: &Records, id: u64) {}

#[idempotent(key = id, with = records)]
async fn unit(records: &Records, id: u64) -> () {}

#[idempotent(key = id, with = records)]
async fn option(records: &Records, id: u64) -> Option<u64> {
    Some(id)
}

#[idempotent(key = id, with = records)]
async fn pair(records: &Records, id: u64) -> (u64, Error) {
    unreachable!()
}

fn main() {
    let _ = (nothing, unit, option, pair);
}
