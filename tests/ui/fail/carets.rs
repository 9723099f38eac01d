//! The caret is at the attribute or the option with the mistake.

use lambda_runtime::Error;
use powertools::batch::Message;
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::{batch, deadline, idempotent, logged};

type Idempotencies = Idempotency<MemoryStore>;

#[deadline("500ms")]
async fn no_name(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline(5)]
async fn number_without_a_name(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline(reserve)]
async fn no_value(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline(reserve: "1s")]
async fn colon(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline(reserve =)]
async fn nothing_behind_the_sign(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline(reserve("1s"))]
async fn parentheses(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline(reserve = "1s" or = 7)]
async fn no_comma(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline = "1s"]
async fn not_a_list(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[logged]
#[idempotent(with = idempotency)]
#[deadline]
async fn no_key(idempotency: &Idempotencies, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[logged]
#[idempotent]
async fn nothing_given(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[logged]
#[idempotent(key = id, with =)]
async fn no_value_below(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[logged]
#[idempotent(with = idempotency, key = id +)]
async fn half_an_expression(idempotency: &Idempotencies, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[logged]
#[batch]
async fn no_source(order: Message<u64>) -> Result<(), Error> {
    Ok(())
}

#[logged]
#[batch(sqs, concurrency)]
async fn no_number(order: Message<u64>) -> Result<(), Error> {
    Ok(())
}

fn main() {
    let _ = (no_name, number_without_a_name, no_value, colon, nothing_behind_the_sign);
    let _ = (parentheses, no_comma, not_a_list, no_key, nothing_given, no_value_below);
    let _ = (half_an_expression, no_source, no_number);
}
