//! Names of the user that an expansion around them must not hide.

#![deny(warnings)]
#![allow(dead_code)]

use lambda_runtime::Error;
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::{idempotent, init_once};

#[derive(serde::Deserialize, serde::Serialize)]
struct Response {
    id: u64,
}

impl Response {
    fn key(id: u64) -> String {
        format!("answer {id}")
    }
}

#[idempotent(key = Response::key(id), payload = Response { id }, with = records)]
async fn answer(records: &Idempotency<MemoryStore>, id: u64) -> Result<Response, Error> {
    Ok(Response { id })
}

static ONCE: u64 = 7;

#[init_once]
async fn made() -> Result<u64, Error> {
    Ok(ONCE)
}

#[init_once]
fn made_now() -> Result<u64, Error> {
    Ok(ONCE)
}

fn main() {
    assert_eq!(*made_now().unwrap(), 7);
}
