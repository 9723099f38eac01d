use lambda_runtime::{Context, Error, LambdaEvent};
use powertools::logged;

#[logged(correlation_id = "")]
async fn empty(event: LambdaEvent<u64>) -> Result<u64, Error> {
    Ok(event.payload)
}

#[logged(correlation_id = "headers.x-amzn-trace-id")]
async fn not_quoted(event: LambdaEvent<u64>) -> Result<u64, Error> {
    Ok(event.payload)
}

#[logged(correlation_id = 7)]
async fn number(event: LambdaEvent<u64>) -> Result<u64, Error> {
    Ok(event.payload)
}

#[logged(event = true)]
async fn flag_with_a_value(event: LambdaEvent<u64>) -> Result<u64, Error> {
    Ok(event.payload)
}

#[logged(event)]
async fn no_event() -> Result<u64, Error> {
    Ok(7)
}

#[logged(event, context = context)]
async fn context(event: LambdaEvent<u64>, context: &Context) -> Result<u64, Error> {
    let _ = context;
    Ok(event.payload)
}

#[logged]
fn not_async(event: LambdaEvent<u64>) -> Result<u64, Error> {
    Ok(event.payload)
}

#[logged(event)]
#[powertools::batch(sqs)]
async fn of_a_batch(order: powertools::batch::Message<u64>) -> Result<(), Error> {
    drop(order);
    Ok(())
}

#[logged]
#[deadline]
async fn not_imported(event: LambdaEvent<u64>) -> Result<u64, Error> {
    Ok(event.payload)
}

fn main() {
    let _ = (empty, not_quoted, number, flag_with_a_value, no_event, context, not_async);
    let _ = (of_a_batch, not_imported);
}
