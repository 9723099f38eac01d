use lambda_runtime::Error;
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::{deadline, deadline as guarded, idempotent, idempotent as once};

type Records = Idempotency<MemoryStore>;

#[guarded]
#[once(key = id, with = records)]
async fn wrong(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline]
#[cfg_attr(all(), idempotent(key = id, with = records))]
async fn wrong_behind_a_cfg(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[once(key = id, with = records)]
#[guarded]
async fn right(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = id, with = records)]
#[cfg_attr(all(), deadline)]
async fn right_behind_a_cfg(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[guarded]
#[guarded]
async fn twice(id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn main() {
    let _ = (wrong, wrong_behind_a_cfg, right, right_behind_a_cfg, twice);
}
