use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

#[idempotent(key = "charge", with = records)]
async fn text(records: &Records, id: u64) -> Result<u64, Error> {
    let _ = records;
    Ok(id)
}

#[idempotent(key = (&7, ["a", "b"]), with = records)]
async fn parts(records: &Records, id: u64) -> Result<u64, Error> {
    let _ = records;
    Ok(id)
}

fn main() {
    let _ = (text, parts);
}
