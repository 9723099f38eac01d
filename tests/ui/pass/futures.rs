//! The future is `Send` and `'static` where the function's own was.

#![deny(warnings)]
#![allow(dead_code)]

use std::cell::Cell;
use std::rc::Rc;

use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

#[idempotent(key = id, with = records)]
async fn owned(records: Records, id: String) -> Result<String, Error> {
    tokio::task::yield_now().await;
    Ok(id)
}

/// `Send`, but not `Sync`: the future must not hold a reference to it.
#[idempotent(key = id.get(), with = records)]
async fn not_sync(records: Records, id: Cell<u64>) -> Result<u64, Error> {
    id.set(id.get() + 1);
    tokio::task::yield_now().await;
    Ok(id.get())
}

#[idempotent(key = id, with = records)]
async fn not_send(records: &Records, id: Rc<str>) -> Result<usize, Error> {
    tokio::task::yield_now().await;
    Ok(id.len())
}

fn spawned(records: Records) {
    tokio::spawn(owned(records.clone(), String::new()));
    tokio::spawn(not_sync(records, Cell::new(1)));
}

fn main() {}
