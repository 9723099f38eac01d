#![deny(warnings)]

use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

#[rustfmt::skip]
#[idempotent(key = id, with = records)]
async fn charge(records: &Idempotency<MemoryStore>, id: u64) -> Result<u64, Error> { Ok(id) }

fn main() {
    let records = Idempotency::new(MemoryStore::new()).unwrap();
    drop(charge(&records, 7));
}
