//! One mistake has one message: where the function is used, it is taken for what the attribute would
//! have made of it.

use lambda_runtime::{Error, LambdaEvent};
use powertools::batch::{Message, ReplyOf};
use powertools::events::{KinesisEvent, SqsEvent};
use powertools::{Powertools, batch, deadline, init_once, logged};

#[batch(sqs, concurrency = 0)]
async fn each_order(prefix: &str, order: Message<u64>) -> Result<(), Error> {
    println!("{prefix}{}", order.body);
    Ok(())
}

#[batch(kinesis, reserve = 5)]
async fn each_click(click: Message<u64>) -> Result<(), Error> {
    drop(click);
    Ok(())
}

#[batch]
async fn no_source(order: Message<u64>) -> Result<(), Error> {
    drop(order);
    Ok(())
}

#[batch(sqs)]
fn not_async(order: Message<u64>) -> Result<(), Error> {
    drop(order);
    Ok(())
}

#[batch(sqs)]
async fn no_result(order: Message<u64>) {
    drop(order);
}

#[logged]
#[batch(sqs)]
#[deadline(reserve = "5")]
async fn stacked(order: Message<u64>) -> Result<(), Error> {
    drop(order);
    Ok(())
}

#[deadline]
fn blocking(event: LambdaEvent<u64>) -> Result<u64, Error> {
    Ok(event.payload)
}

#[deadline]
async fn plain(event: LambdaEvent<u64>) -> u64 {
    event.payload
}

#[logged]
async fn nothing(event: LambdaEvent<u64>) {
    drop(event);
}

#[init_once(key = 7)]
async fn table() -> Result<String, Error> {
    Ok("orders".to_owned())
}

#[init_once]
fn limit() -> u64 {
    7
}

async fn uses() -> Result<(), Error> {
    let table: &'static str = table().await?;
    let limit: &'static u64 = limit()?;
    println!("{table}{limit}");
    Ok(())
}

async fn each(event: LambdaEvent<SqsEvent>) -> Result<ReplyOf<SqsEvent>, batch::Error> {
    each_order("", event).await
}

async fn clicks(event: LambdaEvent<KinesisEvent>) -> Result<ReplyOf<KinesisEvent>, batch::Error> {
    each_click(event).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    uses().await?;
    Powertools::new(each).run().await?;
    Powertools::new(clicks).run().await?;
    Powertools::new(no_source).run().await?;
    Powertools::new(not_async).run().await?;
    Powertools::new(no_result).run().await?;
    Powertools::new(stacked).run().await?;
    Powertools::new(blocking).run().await?;
    Powertools::new(plain).run().await?;
    Powertools::new(nothing).run().await
}
