//! Every way to come by the records.

#![deny(warnings)]
#![allow(dead_code)]

use std::sync::{Arc, LazyLock, OnceLock};

use powertools::idempotency::{Error, Idempotency, MemoryStore, Store};
use powertools::idempotent;
use tokio::sync::OnceCell;

type Records = Idempotency<MemoryStore>;

static LAZY: LazyLock<Records> = LazyLock::new(|| Idempotency::new(MemoryStore::new()).unwrap());
static ONCE: OnceLock<Records> = OnceLock::new();

async fn accessor() -> Result<&'static Records, Error> {
    static CELL: OnceCell<Records> = OnceCell::const_new();
    CELL.get_or_try_init(|| async { Idempotency::new(MemoryStore::new()) }).await
}

fn made() -> Result<Idempotency<Arc<MemoryStore>>, Error> {
    Idempotency::new(Arc::new(MemoryStore::new()))
}

struct State {
    records: Arc<Records>,
}

#[idempotent(key = id, with = LAZY)]
async fn lazy(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = id, with = &LAZY)]
async fn reference(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = id, with = ONCE.get().expect("set at start"))]
async fn once(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = id, with = accessor().await?)]
async fn awaited(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = id, with = made()?)]
async fn made_for_each(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = id, with = { let records: &Records = &LAZY; records })]
async fn block(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = id, with = records)]
async fn argument(records: Arc<Records>, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = id, with = state.records)]
async fn field(state: &State, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = id, with = records.as_ref(), name = "generic")]
async fn generic<S: Store>(records: Box<Idempotency<S>>, id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn main() {}
