//! Runs a handler with the toolkit's standard stack.
//!
//! ```no_run
//! use lambda_runtime::{Error, LambdaEvent};
//! use powertools::Powertools;
//!
//! async fn handle(event: LambdaEvent<String>) -> Result<usize, Error> {
//!     Ok(event.payload.len())
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     Powertools::new(handle).run().await
//! }
//! ```

pub mod lifecycle;

mod answer;
mod api;
mod body;
mod events;
mod extension;
mod failure;
mod handler;
mod report;
mod running;
mod shutdown;
mod snapshot;
pub(crate) mod stack;
mod stack_deadline;
mod start;

#[cfg(feature = "custom-resources")]
mod custom_resource;
#[cfg(feature = "deadline")]
mod deadline;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "idempotency")]
mod idempotency;
#[cfg(feature = "init")]
mod init;
#[cfg(feature = "logging")]
mod logging;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "parameters")]
mod parameters;

pub(crate) use self::stack::Powertools;
pub use self::start::StartError;
