use lambda_runtime::{Error, LambdaEvent};
use powertools::batch::Message;
use powertools::{batch, deadline, init_once, logged};

#[deadline]
async fn stopped(id: u64) -> Result<u64, Error> {
    let receipt = id.
    Ok(id)
}

#[batch(sqs)]
async fn record(order: Message<u64>) -> Result<(), Error> {
    let receipt = order.body.
    Ok(())
}

#[logged]
async fn handle(event: LambdaEvent<u64>) -> Result<u64, Error> {
    let receipt = event.payload.
    Ok(7)
}

#[init_once]
async fn made() -> Result<u64, Error> {
    let receipt = 7u64.
    Ok(7)
}

fn main() {
    let _ = (stopped, record, handle, made);
}
