//! Code around the events of a function: logging, hooks, and values of your own.
//!
//! Logging, warm-ups, snapshot hooks and shutdown hooks are values of the trait [`Lifecycle`].
//! [`Powertools::lifecycle`](crate::Powertools::lifecycle) adds further values:
//!
//! ```no_run
//! use std::sync::atomic::{AtomicU64, Ordering};
//!
//! use lambda_runtime::{Error, LambdaEvent};
//! use powertools::Powertools;
//! use powertools::runtime::lifecycle::{HandlerEnds, Lifecycle, Moments, Outcome};
//!
//! #[derive(Default)]
//! struct Failures(AtomicU64);
//!
//! impl Lifecycle for Failures {
//!     fn moments(&self) -> Moments {
//!         Moments::HANDLER_ENDS
//!     }
//!
//!     fn handler_ends(&self, ends: &HandlerEnds<'_>) {
//!         if let Outcome::Error(failure) | Outcome::Panicked(failure) = &ends.outcome {
//!             let before = self.0.fetch_add(1, Ordering::Relaxed);
//!             println!("failure {}: {}", before + 1, failure.diagnostic.error_type);
//!         }
//!     }
//! }
//!
//! async fn handle(event: LambdaEvent<String>) -> Result<usize, Error> {
//!     Ok(event.payload.len())
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     Powertools::new(handle).lifecycle(Failures::default()).run().await
//! }
//! ```
//!
//! # Moments
//!
//! | moment | when |
//! |---|---|
//! | [`start`](Lifecycle::start) | before the first event |
//! | [`event`](Lifecycle::event) | an event has arrived and is not parsed yet |
//! | [`handler_begins`](Lifecycle::handler_begins) | before the event is parsed and the handler is called |
//! | [`handler_ends`](Lifecycle::handler_ends) | the handler or its streamed body has ended, in any way |
//! | [`flush`](Lifecycle::flush) | before the reply is sent, and after it |
//! | [`before_snapshot`](Lifecycle::before_snapshot), [`after_restore`](Lifecycle::after_restore) | around a SnapStart snapshot |
//! | [`shutdown`](Lifecycle::shutdown) | Lambda ends the environment |
//!
//! Each event has one beginning and one end, even if it cannot be parsed or the response cannot be
//! serialized. Beginnings run in the order in which the values were added, endings in the reverse
//! order. Logging is first, so that its lines contain what the other values set, until they have
//! ended.
//!
//! A value that keeps state from the beginning of an event to its end stores it in
//! [`Invocation::local`](crate::Invocation::local), since many events can be handled concurrently.
//!
//! # Failures
//!
//! A value cannot make an invocation fail. A panic is caught and logged as a warning, and a flush
//! that takes too long is stopped. Before the first event the rule is different: an error or a
//! panic of [`start`](Lifecycle::start), [`before_snapshot`](Lifecycle::before_snapshot) or
//! [`after_restore`](Lifecycle::after_restore) ends the function, and is reported to Lambda.

use futures_util::future::{BoxFuture, ready};
use lambda_runtime::Error;

mod ending;
mod list;
mod moments;

pub(super) use self::ending::{Ending, Kind};
pub(super) use self::list::List;
pub use self::moments::{
    EventReceived, Failure, Flush, FlushTime, HandlerBegins, HandlerEnds, Moments, Outcome,
    Restored, ShuttingDown, Snapshot, Starting,
};

/// A value that takes part in the life of a function. See the [module](self).
///
/// Only the moments among [`moments`](Self::moments) are called.
pub trait Lifecycle: std::any::Any + Send + Sync {
    /// Returns the moments at which this value is called. Called once, when the function starts.
    ///
    /// With [`Moments::SHUTDOWN`] the function registers an extension: see
    /// [`Powertools::on_shutdown`](crate::Powertools).
    fn moments(&self) -> Moments;

    /// Called before the first event.
    ///
    /// # Errors
    ///
    /// An error, for example because of an invalid configuration, ends the function: it is
    /// reported to Lambda as an error of the initialisation, and `run` returns it.
    fn start<'a>(&'a self, starting: &'a Starting) -> BoxFuture<'a, Result<(), Error>> {
        let _ = starting;
        Box::pin(ready(Ok(())))
    }

    /// Called before any [`start`](Self::start). Not for users: powertools-otel prepares its part of the
    /// subscriber here, which logging then sets, if it `is_first` of its type.
    #[doc(hidden)]
    fn prepare(&self, is_first: bool) {
        let _ = is_first;
    }

    /// Called when everything before the first event is done, also after a restore. Not for users:
    /// powertools-otel notes the time.
    #[doc(hidden)]
    fn ready(&self) {}

    /// Called with each event, inside its invocation and before it is parsed.
    fn event(&self, event: &EventReceived<'_>) {
        let _ = event;
    }

    /// Called before the event is parsed and the handler is called.
    fn handler_begins(&self, begins: &HandlerBegins<'_>) {
        let _ = begins;
    }

    /// Called when the handler has ended, or when the body of a streamed response has.
    fn handler_ends(&self, ends: &HandlerEnds<'_>) {
        let _ = ends;
    }

    /// Called to send data of the event, before and after the reply. [`Flush::when`] is the side
    /// of the reply.
    fn flush<'a>(&'a self, flush: &'a Flush<'a>) -> BoxFuture<'a, ()> {
        let _ = flush;
        Box::pin(ready(()))
    }

    /// Returns true if a [`flush`](Self::flush) ends within its time by itself, so that no timer has to stop it. Not
    /// for users: each timer costs a system call.
    #[doc(hidden)]
    fn flushes_in_time(&self) -> bool {
        false
    }

    /// Called before a SnapStart snapshot is taken.
    ///
    /// # Errors
    ///
    /// An error ends the function, and is reported to Lambda as an error of the initialisation.
    fn before_snapshot<'a>(&'a self, snapshot: &'a Snapshot) -> BoxFuture<'a, Result<(), Error>> {
        let _ = snapshot;
        Box::pin(ready(Ok(())))
    }

    /// Called after a restore from a SnapStart snapshot.
    ///
    /// # Errors
    ///
    /// An error ends the function, and is reported to Lambda as an error of the restore.
    fn after_restore<'a>(&'a self, restored: &'a Restored) -> BoxFuture<'a, Result<(), Error>> {
        let _ = restored;
        Box::pin(ready(Ok(())))
    }

    /// Called when Lambda ends the environment, after the running invocations.
    fn shutdown<'a>(&'a self, shutting_down: &'a ShuttingDown) -> BoxFuture<'a, ()> {
        let _ = shutting_down;
        Box::pin(ready(()))
    }
}
