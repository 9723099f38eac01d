//! What is allowed or expected of an argument stays with its variables.

#![deny(warnings)]
#![allow(dead_code)]

use lambda_runtime::{Error, LambdaEvent};
use powertools::batch::Message;
use powertools::{batch, deadline, logged};

#[deadline]
async fn allowed(#[allow(unused_variables)] (first, second): (u64, u64)) -> Result<u64, Error> {
    Ok(7)
}

#[deadline]
async fn expected(#[expect(unused_variables)] (first, second): (u64, u64)) -> Result<u64, Error> {
    Ok(7)
}

#[deadline]
async fn of_a_name(#[expect(unused_variables)] id: u64) -> Result<u64, Error> {
    Ok(7)
}

#[deadline]
async fn of_a_mutable_name(#[expect(unused_mut)] mut id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[logged(event)]
async fn of_the_event(
    #[expect(unused_variables)] LambdaEvent { payload, .. }: LambdaEvent<u64>,
) -> Result<u64, Error> {
    Ok(7)
}

#[batch(sqs)]
async fn of_a_record(#[expect(unused_variables)] order: Message<u64>) -> Result<(), Error> {
    Ok(())
}

#[batch(sqs)]
async fn of_what_records_share(
    #[expect(unused_variables)] (first, second): (u64, u64),
    #[allow(unused_variables)] third: u64,
    #[expect(unused_variables)] fourth: u64,
    #[cfg_attr(all(), expect(unused_variables))] (fifth, _): (u64, u64),
    order: Message<u64>,
) -> Result<(), Error> {
    drop(order);
    Ok(())
}

fn main() {}
