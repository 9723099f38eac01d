use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

trait Charge {
    #[idempotent(key = id, with = records)]
    async fn charge(records: &Records, id: u64) -> Result<u64, Error>;
}

fn main() {}
