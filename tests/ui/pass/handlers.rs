//! Handlers of Lambda events, under any stack.

#![deny(warnings)]
#![allow(dead_code)]

use std::sync::LazyLock;

use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use powertools::Powertools;
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::idempotent;
use serde::{Deserialize, Serialize};

static RECORDS: LazyLock<Idempotency<MemoryStore>> =
    LazyLock::new(|| Idempotency::new(MemoryStore::new()).unwrap());

#[derive(Clone, Deserialize, Serialize)]
struct Order {
    id: String,
    amount: u64,
}

type Event = LambdaEvent<Order>;

#[idempotent(key = event.payload.id, with = RECORDS)]
async fn whole(event: LambdaEvent<Order>) -> Result<u64, Error> {
    Ok(event.payload.amount)
}

#[idempotent(key = payload.id, with = RECORDS)]
async fn payload_only(LambdaEvent { payload, .. }: LambdaEvent<Order>) -> Result<u64, Error> {
    Ok(payload.amount)
}

#[idempotent(key = payload.id, payload = payload, with = RECORDS, context = &context)]
async fn told_where(LambdaEvent { payload, context }: Event) -> Result<Order, Error> {
    let _ = context.request_id;
    Ok(payload)
}

#[idempotent(key = event.payload.id, with = RECORDS)]
async fn alias(event: Event) -> Result<u64, Error> {
    Ok(event.payload.amount)
}

#[idempotent(key = event.payload.id, with = RECORDS)]
async fn borrowed(event: &Event) -> Result<u64, Error> {
    Ok(event.payload.amount)
}

#[idempotent(key = order.id, with = RECORDS)]
async fn in_parts(order: Order, _context: Context) -> Result<u64, Error> {
    Ok(order.amount)
}

#[idempotent(key = event.payload, with = RECORDS, context = &event.context, name = "generic")]
async fn generic<T: Serialize>(event: LambdaEvent<T>) -> Result<(), Error> {
    Ok(())
}

const SCHEDULED: &str = "scheduled";

#[idempotent(key = SCHEDULED, with = RECORDS)]
async fn without_input(_: LambdaEvent<serde_json::Value>) -> Result<(), Error> {
    Ok(())
}

async fn plain() -> Result<(), Error> {
    lambda_runtime::run(service_fn(whole)).await
}

async fn concurrent() -> Result<(), Error> {
    lambda_runtime::run_concurrent(service_fn(payload_only)).await
}

async fn in_the_standard_stack() -> Result<(), Error> {
    Powertools::new(alias).run().await
}

fn main() {}
