//! The invocation: everything that is known about the event that is being handled.
//!
//! Everything in this toolkit that needs the request id, the deadline or the trace id of the event
//! takes it from [`Invocation::current`]. [`Powertools`](crate::Powertools) and [`InvocationLayer`]
//! set it for each event. It is available in every function that the handler calls, before and after
//! each `.await`, and events that are handled concurrently never see each other's.
//!
//! A spawned task starts without it. [`Invocation::carry`] passes it on:
//!
//! ```
//! use powertools::Invocation;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let invocation = Invocation::new(&lambda_runtime::Context::default());
//! # invocation.scope(async {
//! let task = tokio::spawn(Invocation::carry(async {
//!     Invocation::current().map(|invocation| invocation.request_id().to_owned())
//! }));
//! assert!(task.await.unwrap().is_some());
//! # }).await }
//! ```

pub(crate) mod budget;
mod cleanup;
mod current;
pub(crate) mod description;
mod execution;
mod interruption;
mod layer;
mod local;
mod of_record;
mod record;
mod reply_limit;

pub use cleanup::CleanupGuard;
pub(crate) use description::Invocation;
use description::Scope;
pub use execution::DurableExecution;
pub(crate) use interruption::{Mark, stopping};
#[cfg(feature = "batch")]
pub(crate) use interruption::{Stopping, stopping_for};
pub use layer::{InvocationLayer, InvocationService};
pub(crate) use of_record::OfRecord;
pub use record::RecordIdentity;
pub(crate) use record::Records;
pub(crate) use reply_limit::ReplyLimit;

/// The most bytes that Lambda takes as a reply that is not streamed: 6 MB, as its own message of an
/// error counts them.
pub(crate) const LARGEST_REPLY: usize = 6 * 1024 * 1024 + 100;
