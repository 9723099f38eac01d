//! A body on one line has no unnecessary braces.

#![deny(warnings)]

use lambda_runtime::Error;
use powertools::batch::Message;
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::{batch, deadline, idempotent, init_once, logged};

#[rustfmt::skip]
#[idempotent(key = id, with = idempotency)]
async fn charge(idempotency: &Idempotency<MemoryStore>, id: u64) -> Result<u64, Error> { Ok(id) }

#[rustfmt::skip]
#[deadline]
async fn in_time(id: u64) -> Result<u64, Error> { Ok(id) }

#[rustfmt::skip]
#[logged]
async fn with_a_line(id: u64) -> Result<u64, Error> { Ok(id) }

#[rustfmt::skip]
#[init_once]
async fn limit() -> Result<u64, Error> { Ok(7) }

#[rustfmt::skip]
#[batch(sqs)]
async fn each(order: Message<u64>) -> Result<(), Error> { drop(order); Ok(()) }

#[rustfmt::skip]
#[batch(sqs)]
async fn none(_: Message<u64>) -> Result<(), Error> { Ok(()) }

#[rustfmt::skip]
#[logged]
#[batch(sqs)]
#[deadline]
async fn stacked(_: Message<u64>) -> Result<(), Error> { Ok(()) }

fn main() {
    let idempotency = Idempotency::new(MemoryStore::new()).unwrap();
    drop(charge(&idempotency, 7));
    drop((in_time(7), with_a_line(7), limit()));
    let _ = (each, none, stacked);
}
