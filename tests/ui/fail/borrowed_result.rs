use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

#[idempotent(key = id, with = records)]
async fn charge<'a>(records: &Records, id: &'a str) -> Result<&'a str, Error> {
    Ok(id)
}

#[idempotent(key = id, with = records)]
async fn ship(records: &Records, id: &str) -> Result<Vec<&'static str>, Error> {
    Ok(vec![])
}

fn main() {
    let _ = charge;
    let _ = ship;
}
