//! What happens around the events of a function, for whoever wants to know of it.
//!
//! Logging, warm-ups, snapshot and shutdown hooks are values of the trait [`Lifecycle`], and so is
//! whatever a function adds with [`Powertools::lifecycle`](crate::Powertools::lifecycle):
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
//! | [`start`](Lifecycle::start) | before the first event is asked for |
//! | [`event`](Lifecycle::event) | an event has come; its bytes are not parsed yet |
//! | [`handler_begins`](Lifecycle::handler_begins) | the event is parsed next, and the handler called |
//! | [`handler_ends`](Lifecycle::handler_ends) | the handler has ended in whatever way, or the body that it streams |
//! | [`flush`](Lifecycle::flush) | before the reply is sent, and after it |
//! | [`before_snapshot`](Lifecycle::before_snapshot), [`after_restore`](Lifecycle::after_restore) | around a SnapStart snapshot |
//! | [`shutdown`](Lifecycle::shutdown) | Lambda ends the environment |
//!
//! Each event has one beginning and one end, also an event that cannot be parsed and a response that
//! cannot be serialized. Beginnings run in the order in which the values were added, endings in the
//! reverse order. Logging comes first, so that its lines have what the others set, and have them still
//! when the others have ended.
//!
//! A value that keeps something from the beginning of an event to its end keeps it in
//! [`Invocation::local`](crate::Invocation::local): many events can be handled at once.
//!
//! # Failures
//!
//! No value can make an invocation fail. A panic is caught and logged as a warning, and a flush that
//! takes too long is stopped. Before the first event this is different: an error or a panic of
//! [`start`](Lifecycle::start), [`before_snapshot`](Lifecycle::before_snapshot) or
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
    /// Returns the moments at which this value is called. It is asked once, when the function starts.
    ///
    /// With [`Moments::SHUTDOWN`] the function registers an extension: see
    /// [`Powertools::on_shutdown`](crate::Powertools).
    fn moments(&self) -> Moments;

    /// Is called before the first event is asked for.
    ///
    /// # Errors
    ///
    /// An error, such as that of an invalid configuration, ends the function: it is reported to Lambda
    /// as one of the initialization, and returned by `run`.
    fn start<'a>(&'a self, starting: &'a Starting) -> BoxFuture<'a, Result<(), Error>> {
        let _ = starting;
        Box::pin(ready(Ok(())))
    }

    /// Is called with each event, inside its invocation and before it is parsed.
    fn event(&self, event: &EventReceived<'_>) {
        let _ = event;
    }

    /// Is called before the event is parsed and the handler called.
    fn handler_begins(&self, begins: &HandlerBegins<'_>) {
        let _ = begins;
    }

    /// Is called when the handler has ended; for a streamed response when its body has.
    fn handler_ends(&self, ends: &HandlerEnds<'_>) {
        let _ = ends;
    }

    /// Is called to send what belongs to the event, before the reply and after it. [`Flush::when`]
    /// has which of the two.
    fn flush<'a>(&'a self, flush: &'a Flush<'a>) -> BoxFuture<'a, ()> {
        let _ = flush;
        Box::pin(ready(()))
    }

    /// Is called before a SnapStart snapshot is taken.
    ///
    /// # Errors
    ///
    /// An error ends the function, and is reported to Lambda as one of the initialization.
    fn before_snapshot<'a>(&'a self, snapshot: &'a Snapshot) -> BoxFuture<'a, Result<(), Error>> {
        let _ = snapshot;
        Box::pin(ready(Ok(())))
    }

    /// Is called after a restore from a SnapStart snapshot.
    ///
    /// # Errors
    ///
    /// An error ends the function, and is reported to Lambda as one of the restore.
    fn after_restore<'a>(&'a self, restored: &'a Restored) -> BoxFuture<'a, Result<(), Error>> {
        let _ = restored;
        Box::pin(ready(Ok(())))
    }

    /// Is called when Lambda ends the environment, after the running invocations.
    fn shutdown<'a>(&'a self, shutting_down: &'a ShuttingDown) -> BoxFuture<'a, ()> {
        let _ = shutting_down;
        Box::pin(ready(()))
    }
}
