use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

#[idempotent(key(id), with = records)]
async fn parentheses(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = , with = records)]
async fn half_typed(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = id with = records)]
async fn no_comma(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = id, with = records, name = charge)]
async fn not_a_text(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = id, with = records, name = "")]
async fn empty(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn main() {
    let _ = (parentheses, half_typed, no_comma, not_a_text, empty);
}
