//! Results, errors, and what bodies do to return them.

#![deny(warnings)]
#![allow(dead_code)]

use std::collections::HashMap;
use std::fmt;

use lambda_runtime::Diagnostic;
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::{idempotency, idempotent};

type Records = Idempotency<MemoryStore>;
type Result<T, E = lambda_runtime::Error> = std::result::Result<T, E>;
type Answer = Result<u64>;

#[derive(Debug, thiserror::Error)]
enum OrderError {
    #[error("declined")]
    Declined,
    #[error(transparent)]
    Idempotency(#[from] idempotency::Error),
}

#[idempotent(key = id, with = records)]
async fn own_error(records: &Records, id: u64) -> Result<u64, OrderError> {
    if id == 0 {
        return Err(OrderError::Declined);
    }
    Ok(id)
}

#[idempotent(key = id, with = records)]
async fn anyhow(records: &Records, id: u64) -> anyhow::Result<u64> {
    anyhow::ensure!(id > 0, "no order");
    Ok(id)
}

#[idempotent(key = id, with = records)]
async fn diagnostic(records: &Records, id: u64) -> std::result::Result<u64, Diagnostic> {
    Ok(id)
}

#[idempotent(key = id, with = records)]
async fn alias(records: &Records, id: u64) -> Answer {
    Ok(id)
}

#[idempotent(key = id, with = records)]
async fn question_mark(records: &Records, id: &str) -> Result<u64> {
    let id: u64 = id.parse()?;
    let fallback = async { Err::<u64, _>(std::io::Error::other("down")) }.await;
    Ok(fallback.unwrap_or(id))
}

#[derive(Debug)]
struct Boxed;

impl fmt::Display for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("boxed")
    }
}

impl std::error::Error for Boxed {}

#[idempotent(key = id, with = records)]
async fn coerced(records: &Records, id: u64) -> Result<u64> {
    match id {
        0 => return Err(Box::new(Boxed)),
        1 => Err(Box::new(Boxed)),
        _ => Ok(id),
    }
}

#[idempotent(key = id, with = records)]
async fn never_returns(records: &Records, id: u64) -> Result<u64> {
    panic!("order {id}");
}

#[idempotent(key = id, with = records)]
async fn inferred(records: &Records, id: u64) -> Result<HashMap<String, Vec<u64>>> {
    #![allow(unused_variables)]
    let unused = 1;
    Ok([("id".into(), vec![id])].into_iter().collect())
}

fn main() {}
