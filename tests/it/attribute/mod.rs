//! The attributes at run time.

use lambda_runtime::{Context, LambdaEvent};
use powertools::Invocation;
use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

mod engine;
mod future;
mod init_once;
mod invocation;
mod lambda_error;
mod lints;
mod names;
mod stacks;

type Records = Idempotency<MemoryStore>;

/// The key of every function that has no other.
const ORDER: u64 = 7;

fn records() -> Records {
    Idempotency::new(MemoryStore::new()).unwrap()
}

/// An event that came with `request_id`.
fn event<T>(payload: T, request_id: &str) -> LambdaEvent<T> {
    LambdaEvent::new(payload, context(request_id))
}

fn context(request_id: &str) -> Context {
    let mut context = Context::default();
    context.request_id = request_id.to_owned();
    context
}

/// What a body sees of the event that it works for.
fn request_id() -> Option<String> {
    Invocation::current().map(|invocation| invocation.request_id().to_owned())
}
