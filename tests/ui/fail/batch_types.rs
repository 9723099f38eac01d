use lambda_runtime::{Error, LambdaEvent};
use powertools::batch;
use powertools::batch::{KinesisMessage, Message};
use powertools::events::SqsEvent;

#[batch(sqs)]
async fn another_source(click: KinesisMessage<u64>) -> Result<(), Error> {
    drop(click);
    Ok(())
}

#[batch(sqs)]
async fn whole_event(event: LambdaEvent<SqsEvent>) -> Result<(), Error> {
    drop(event);
    Ok(())
}

#[batch(sqs)]
async fn wrong_value(order: Message<u64>) -> Result<(), Error> {
    Ok(order.body)
}

struct NotClone;

#[batch(sqs)]
async fn not_shared(state: NotClone, order: Message<u64>) -> Result<(), Error> {
    let _ = (state, order);
    Ok(())
}

fn main() {
    let _ = (another_source, whole_event, wrong_value, not_shared);
}
