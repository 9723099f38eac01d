use lambda_runtime::{Error, LambdaEvent};
use powertools::batch::Message;
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::{batch, deadline, idempotent, init_once, logged};

type Records = Idempotency<MemoryStore>;

#[deadline(reserve = "1s")]
#[idempotent(key = id, with = records)]
async fn deadline_outside(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[cfg_attr(all(), deadline)]
#[cfg_attr(all(), idempotent(key = id, with = records))]
async fn behind_a_cfg(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = event.payload, with = records)]
#[logged(event)]
async fn logged_inside(records: &Records, event: LambdaEvent<u64>) -> Result<u64, Error> {
    Ok(event.payload)
}

#[idempotent(key = order.body, with = records)]
#[batch(sqs)]
async fn idempotent_batch(records: &Records, order: Message<u64>) -> Result<(), Error> {
    drop(order);
    Ok(())
}

#[deadline]
#[batch(sqs)]
async fn stopped_batch(order: Message<u64>) -> Result<(), Error> {
    drop(order);
    Ok(())
}

#[batch(sqs)]
#[logged]
async fn logged_records(order: Message<u64>) -> Result<(), Error> {
    drop(order);
    Ok(())
}

#[init_once]
#[deadline]
async fn made_in_time() -> Result<u64, Error> {
    Ok(7)
}

#[idempotent(key = id, with = records)]
#[deadline]
#[deadline]
async fn twice(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[logged]
async fn alone(event: LambdaEvent<u64>) -> Result<u64, Error> {
    Ok(event.payload)
}

fn main() {
    let _ = (deadline_outside, behind_a_cfg, logged_inside, idempotent_batch, stopped_batch);
    let _ = (logged_records, made_in_time, twice, alone);
}
