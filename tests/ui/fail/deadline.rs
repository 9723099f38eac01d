use lambda_runtime::Error;
use powertools::batch::Message;
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::{batch, deadline, idempotent};

type Records = Idempotency<MemoryStore>;

#[deadline(reserve = "1s", or)]
async fn nothing(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline(reserves = "1s")]
async fn misspelt(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline]
fn not_async(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline]
async fn no_result(id: u64) -> u64 {
    id
}

#[idempotent(key = id, with = records)]
#[deadline(or = 202)]
async fn stored_fallback(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[batch(sqs)]
#[deadline(or = ())]
async fn done_fallback(order: Message<u64>) -> Result<(), Error> {
    drop(order);
    Ok(())
}

fn main() {
    let _ = (nothing, misspelt, not_async, no_result);
    let _ = (stored_fallback, done_fallback);
}
