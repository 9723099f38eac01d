use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

use std::rc::Rc;

#[idempotent(key = id, with = records)]
async fn charge(records: Records, id: Rc<u64>) -> Result<u64, Error> {
    tokio::task::yield_now().await;
    Ok(*id)
}

fn main() {
    let records = Idempotency::new(MemoryStore::new()).unwrap();
    tokio::spawn(charge(records, Rc::new(7)));
}
