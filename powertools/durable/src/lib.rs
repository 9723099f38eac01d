//! Durable functions of AWS Lambda, with the toolkit of the crate [`powertools`] inside.
//!
//! A durable function runs for up to a year, in many invocations: it suspends while it waits, and the
//! next invocation replays what is done from its checkpoints. [`service`] turns a handler of AWS's
//! [`aws_durable_execution_sdk`] into a service for [`Powertools`](powertools::Powertools):
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use lambda_runtime::Error;
//! use powertools::Powertools;
//! use powertools::idempotency::{Idempotency, MemoryStore};
//! use powertools_durable::DurableContext;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize)]
//! struct Order {
//!     id: String,
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Shipped {
//!     parcel: String,
//! }
//! # async fn charge(_: String) -> Result<String, Error> { Ok(String::new()) }
//! # async fn ship(_: String) -> Result<String, Error> { Ok(String::new()) }
//!
//! async fn place(
//!     idempotency: Idempotency<MemoryStore>, // in production: a DynamoDbStore
//!     order: Order,
//!     durable: DurableContext,
//! ) -> Result<Shipped, Error> {
//!     // Two executions for one order are one order: the second is refused, or receives the result.
//!     let key = order.id.clone();
//!     let work = async move {
//!         tracing::info!(order = order.id, "placed"); // one line, whatever is replayed
//!         let receipt = durable.step({
//!             let id = order.id.clone();
//!             move |_| charge(id)
//!         });
//!         let receipt = receipt.name("charge").await?;
//!         durable.wait(Duration::from_secs(60 * 60)).name("can be cancelled").await?;
//!         let parcel = durable.step(move |_| ship(receipt)).name("ship").await?;
//!         Ok::<_, Error>(Shipped { parcel })
//!     };
//!     idempotency.run("place", &key, work).await
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let idempotency = Idempotency::builder(MemoryStore::new())
//!         .lease(Duration::from_secs(2 * 24 * 60 * 60)) // the longest execution
//!         .build()?;
//!     let handler = move |order, durable| place(idempotency.clone(), order, durable);
//!     Powertools::service(powertools_durable::service(handler)).run().await
//! }
//! ```
//!
//! # What differs from AWS's `run`
//!
//! | | here |
//! |---|---|
//! | the invocation | [`Invocation::current`](powertools::Invocation::current) is there in the handler and in its steps, and its [`execution`](powertools::Invocation::execution) is that of the event |
//! | idempotent work | a suspension keeps its claim, and the next invocation of the execution continues it: also if the one before died before its first checkpoint. It needs an explicit [`lease`](powertools::idempotency::Builder::lease), as long as the longest execution; an execution that never ends holds its key no longer than that |
//! | log lines | those below WARN are left out while code is replayed, since an earlier invocation wrote them. Warnings and errors are written each time |
//! | metrics | values are left out while code is replayed |
//! | an error of the handler | ends the execution under its own name (that of [`LambdaError`](trait@powertools::LambdaError)), and is an error for logs, metrics and the [lifecycle](powertools::runtime::lifecycle), although the reply of the invocation is a success for Lambda |
//! | an idempotency store that fails | fails the invocation, which the service repeats, instead of the execution, whatever error the handler makes of it. So do work that ran out of time and a result that could not be saved. Inside a step, they fail the attempt, and after the last one, which is recorded, the execution |
//! | the time limit | the guard of `Powertools` stops the invocation before its timeout, and the service repeats it |
//!
//! # What to know
//!
//! Code between the operations runs again in each invocation: an effect belongs into a step. A step whose
//! end was not recorded runs again, too: give its effect the key
//! [`NaturalKey::of_step`](powertools::events::NaturalKey::of_step).
//!
//! A step that is longer than the timeout of the function never ends: each invocation is stopped in it.
//!
//! Idempotent work that is done is not run again, and its operations are left out then: let it be the whole handler, or
//! contain no operations, or give it a child context.
//!
//! Branches of a `map` or `parallel` are tasks without the invocation: run them in the
//! [`scope`](powertools::Invocation::scope) of that where they begin, inside the idempotent work around them.
//!
//! The logs know of each branch of a `map` or `parallel` whether it is replayed. The metrics know it of the
//! handler's own code only: in a branch or a child context, record values in steps.
//!
//! The name of an error that a step returns is in its checkpoint only if it is [`named`].

mod error;
mod handler;
mod reply;
mod service;

use lambda_runtime::Error as BoxError;
use powertools::error::find;

#[doc(no_inline)]
pub use aws_durable_execution_sdk as sdk;
pub use aws_durable_execution_sdk::{DurableContext, Options, StepContext};

pub use self::error::Error;
pub use self::service::{DurableService, service, service_with};

/// Gives the error of a step the name that it has for Lambda, so that the checkpoint of the step contains
/// it, and with it every later invocation.
///
/// ```
/// use powertools::LambdaError;
/// use powertools_durable::named;
///
/// #[derive(Debug, thiserror::Error, LambdaError)]
/// #[error("the card was declined")]
/// struct Declined;
///
/// async fn charge() -> Result<(), Declined> {
///     Err(Declined)
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// // In a step: durable.step(|_| async { charge().await.map_err(named) })
/// let error = charge().await.map_err(named).unwrap_err();
/// assert_eq!(error.to_string(), "Declined");
/// # }
/// ```
pub fn named(error: impl Into<BoxError>) -> BoxError {
    let error = error.into();
    match find(&*error) {
        Some(found) => sdk::TypedError::with_type(found.error_type, error).into(),
        None => error,
    }
}
