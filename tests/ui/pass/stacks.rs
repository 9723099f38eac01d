//! Attributes on top of each other, in every order that makes sense.

#![deny(warnings)]
#![allow(dead_code)]

use lambda_runtime::{Error, LambdaEvent};
use powertools::batch::{KinesisMessage, Message};
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::{batch, deadline, idempotent, logged};

/// Used where it is not the first alone.
mod only_inside {
    use lambda_runtime::{Error, LambdaEvent};
    use powertools::{deadline, logged};

    #[logged]
    #[deadline]
    async fn handle(event: LambdaEvent<String>) -> Result<String, Error> {
        Ok(event.payload)
    }
}

type Records = Idempotency<MemoryStore>;
type Event = LambdaEvent<String>;

#[logged(correlation_id = "/id", event)]
#[idempotent(key = payload, with = records)]
#[deadline(reserve = "2s")]
async fn all(records: Records, LambdaEvent { payload, .. }: Event) -> Result<String, Error> {
    Ok(payload)
}

#[logged]
#[deadline(or = 202)]
async fn without_records(event: Event) -> Result<u16, Error> {
    if event.payload.is_empty() {
        return Err("no order".into());
    }
    Ok(200)
}

#[powertools::idempotent(key = id, with = records)]
#[powertools::deadline]
async fn by_path<'a>(records: &'a Records, id: &'a str) -> Result<String, Error> {
    Ok(id.to_owned())
}

#[cfg_attr(all(), idempotent(key = id, with = records), deadline)]
async fn in_one_cfg(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[cfg_attr(all(), idempotent(key = id, with = records))]
#[deadline]
async fn in_a_cfg_above(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = id, with = records)]
#[cfg_attr(any(), deadline)]
async fn in_a_cfg_that_is_off(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[logged]
#[allow(clippy::unused_async)]
#[idempotent(key = id, with = records)]
#[inline]
#[deadline]
async fn others_between(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[logged]
#[batch(sqs, concurrency = 4)]
#[idempotent(key = body, with = records)]
#[deadline(reserve = "1500ms")]
async fn over_records(
    records: &Records,
    Message { body, .. }: Message<String>,
) -> Result<(), Error> {
    println!("{body}");
    Ok(())
}

struct Clicks<T> {
    records: Records,
    counter: T,
}

impl<T: Clone + Send + Sync> Clicks<T> {
    #[batch(kinesis)]
    #[idempotent(key = click.body, with = self.records, name = "handle")]
    async fn handle(&self, click: KinesisMessage<String>) -> Result<(), Error> {
        let _ = self.counter.clone();
        Ok(())
    }

    #[logged]
    #[idempotent(key = id, with = self.records, name = "exclusive")]
    #[deadline]
    async fn exclusive(&mut self, id: u64, counter: T) -> Result<(), Error> {
        self.counter = counter;
        Ok(())
    }
}

mod vendor {
    pub use powertools::*;
}

#[vendor::idempotent(crate = vendor, key = id, with = records)]
#[vendor::deadline(crate = vendor)]
async fn renamed(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn spawned(records: Records, event: Event) {
    tokio::spawn(all(records, event));
}

fn main() {}
