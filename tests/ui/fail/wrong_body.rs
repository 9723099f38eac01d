use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

#[idempotent(key = id, with = records)]
async fn wrong_value(records: &Records, id: u64) -> Result<u64, Error> {
    Ok("seven")
}

#[idempotent(key = id, with = records)]
async fn no_value(records: &Records, id: u64) -> Result<u64, Error> {
    let _ = id + 1;
}

#[idempotent(key = id, with = records)]
async fn wrong_return(records: &Records, id: u64) -> Result<u64, Error> {
    if id == 0 {
        return Ok(None);
    }
    Ok(id)
}

#[idempotent(key = id, with = records)]
async fn misspelt(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(ids)
}

fn main() {
    let _ = (wrong_value, no_value, wrong_return, misspelt);
}
