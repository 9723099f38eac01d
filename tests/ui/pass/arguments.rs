//! Every shape of argument, without a warning.

#![deny(warnings)]
#![allow(dead_code)]

use std::fmt::Display;

use powertools::idempotency::{Error, Idempotency, MemoryStore, Store};
use powertools::idempotent;
use serde::{Deserialize, Serialize};

type Records = Idempotency<MemoryStore>;

#[derive(Clone, Default, Deserialize, Serialize)]
struct Order {
    id: String,
    amount: u64,
}

#[idempotent(key = order.id, with = records)]
async fn by_value(records: Records, order: Order) -> Result<u64, Error> {
    Ok(order.amount)
}

#[idempotent(key = order.id, payload = order.amount, with = records)]
async fn borrowed(records: &Records, order: &Order) -> Result<u64, Error> {
    Ok(order.amount)
}

#[idempotent(key = (id, part), with = records)]
async fn borrowed_from_two<'a>(
    records: &'a Records,
    id: &'a str,
    part: &str,
) -> Result<String, Error> {
    Ok(format!("{id}{part}"))
}

#[idempotent(key = id, with = records)]
async fn only_in_the_key(records: &Records, id: u64) -> Result<(), Error> {
    Ok(())
}

#[idempotent(key = total, with = records)]
async fn mutable(records: &Records, mut total: u64, mut seen: Vec<u64>) -> Result<u64, Error> {
    total += 1;
    seen.push(total);
    Ok(seen.len() as u64)
}

#[idempotent(key = order.id, with = records)]
async fn mutably_borrowed(records: &Records, order: &mut Order) -> Result<u64, Error> {
    order.amount += 1;
    Ok(order.amount)
}

#[idempotent(key = order.id, with = records)]
async fn moved(records: &Records, order: Order) -> Result<Order, Error> {
    let moved = order;
    Ok(moved)
}

#[idempotent(key = key, with = records, name = "generic")]
async fn generic<S: Store, K: Serialize, R>(
    records: &Idempotency<S>,
    key: K,
    result: R,
) -> Result<R, Error>
where
    R: Serialize + serde::de::DeserializeOwned,
{
    Ok(result)
}

#[idempotent(key = key.to_string(), with = records, name = "anonymous")]
async fn anonymous(records: &Records, key: impl Display) -> Result<String, Error> {
    Ok(key.to_string())
}

#[idempotent(key = parts, with = records, name = "sized")]
async fn sized<const N: usize>(records: &Records, parts: [u8; N]) -> Result<usize, Error>
where
    [u8; N]: Serialize,
{
    Ok(parts.len() + N)
}

#[idempotent(key = id, with = records)]
async fn taken_apart(
    records: &Records,
    Order { id, mut amount }: Order,
    (first, _): (u64, u64),
    [.., last]: [u64; 3],
    _: String,
) -> Result<u64, Error> {
    amount += first + last;
    Ok(amount)
}

#[idempotent(key = a, with = records)]
#[allow(clippy::toplevel_ref_arg)]
async fn by_reference(
    records: &Records,
    (ref a, ref mut b): (u64, u64),
    ref mut c: u64,
    d @ _: u64,
) -> Result<u64, Error> {
    *b += a;
    *c += *b;
    Ok(*c + d)
}

const THE_ONLY_ONE: &str = "the only one";

#[idempotent(key = THE_ONLY_ONE, with = Idempotency::new(MemoryStore::new())?)]
async fn without() -> Result<u64, Error> {
    Ok(7)
}

#[idempotent(key = id, with = records)]
async fn conditional(
    records: &Records,
    id: u64,
    #[cfg(any())] missing: Missing,
    #[cfg(all())] (mut there, _): (u64, u64),
    #[cfg_attr(all(), allow(unused_variables))] unused: u64,
) -> Result<u64, Error> {
    there += id;
    Ok(there)
}

/// Names of the expansion do not meet those of the function.
#[idempotent(key = (&invocation, call, work), with = result)]
async fn named_alike(
    result: &Records,
    invocation: String,
    call: u8,
    work: u8,
) -> Result<String, Error> {
    let argument0 = invocation;
    Ok(format!("{argument0}{call}{work}"))
}

fn main() {}
