use lambda_runtime::{Error, LambdaEvent};
use powertools::logged;

struct Order;

#[logged(event)]
async fn not_an_event(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[logged(event)]
async fn not_written(event: LambdaEvent<Order>) -> Result<(), Error> {
    drop(event);
    Ok(())
}

struct NotDebug;

#[logged]
async fn wrong_error(event: LambdaEvent<u64>) -> Result<u64, NotDebug> {
    Ok(event.payload)
}

fn main() {
    let _ = (not_an_event, not_written, wrong_error);
}
