//! Every option of the guard, and every kind of result.

#![deny(warnings)]
#![allow(dead_code)]

use std::fmt::Display;
use std::time::Duration;

use lambda_runtime::{Context, Error, LambdaEvent};
use powertools::{deadline, deadline as guarded};

const RESERVE: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
enum OrderError {
    #[error(transparent)]
    Deadline(#[from] deadline::Error),
}

#[deadline]
async fn bare(event: LambdaEvent<String>) -> Result<String, Error> {
    Ok(event.payload)
}

#[deadline()]
async fn own_error(id: u64) -> Result<u64, OrderError> {
    Ok(id)
}

/// On Managed Instances a function may take 90 minutes.
#[deadline(reserve = "20min")]
async fn long(id: u64) -> anyhow::Result<u64> {
    Ok(id)
}

#[deadline(reserve = RESERVE)]
async fn constant(id: u64) -> anyhow::Result<u64> {
    Ok(id)
}

#[deadline(reserve = Duration::from_millis(id), or = id + 1)]
async fn from_the_arguments(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[deadline(or = fallback(name)?, reserve = "1min")]
async fn with_a_question_mark(name: &str) -> Result<String, Error> {
    Ok(name.to_owned())
}

fn fallback(name: &str) -> Result<String, Error> {
    Ok(name.to_owned())
}

#[deadline]
async fn borrowed(name: &str) -> Result<&str, Error> {
    if name.is_empty() {
        return Err("no name".into());
    }
    Ok(name)
}

#[deadline(or = name)]
async fn unnamed(name: &'static str) -> Result<impl Display, Error> {
    if name.is_empty() {
        return Err("no name")?;
    }
    Ok(name)
}

#[deadline(context = context)]
async fn told(id: u64, context: &Context) -> Result<u64, Error> {
    let _ = context;
    Ok(id)
}

#[guarded]
async fn under_another_name(mut seen: Vec<u64>, id: u64) -> Result<usize, Error> {
    seen.push(id);
    Ok(seen.len())
}

trait Charge {
    async fn charge(&mut self, id: u64) -> Result<u64, Error>;

    #[deadline]
    async fn provided(&mut self, id: u64) -> Result<u64, Error> {
        self.charge(id).await
    }
}

impl Charge for u64 {
    #[deadline]
    async fn charge(&mut self, id: u64) -> Result<u64, Error> {
        *self += id;
        Ok(*self)
    }
}

fn main() {}
