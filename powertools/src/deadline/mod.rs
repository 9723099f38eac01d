//! Time guards: work that ends before the invocation's time runs out.
//!
//! Lambda stops a function at its timeout without notice: no log line, no partial batch response, no
//! released idempotency claim. Lambda Managed Instances do not stop it at all, and the function
//! continues for a caller that has gone. A guard stops the work a little earlier, while there is still
//! time to report the reason.
//!
//! [`Powertools`](crate::Powertools) has a guard around every handler, 500 ms before the timeout.
//! [`Deadline`] is for the work inside:
//!
//! ```
//! use std::time::Duration;
//! use powertools::Deadline;
//! use powertools::deadline::Error;
//!
//! # async fn charge(_: &str) -> Result<(), Error> {
//! #     static CHARGES: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
//! #     match CHARGES.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
//! #         20 => std::future::pending().await, // one that hangs
//! #         _ => Ok(tokio::time::sleep(Duration::from_millis(40)).await),
//! #     }
//! # }
//! /// Returns the orders that were not charged.
//! async fn charge_all(orders: Vec<String>) -> Result<Vec<String>, Error> {
//!     // One second is kept for what follows.
//!     let deadline = Deadline::current().reserving(Duration::from_secs(1));
//!     deadline.ensure(Duration::from_millis(300))?; // too late to begin?
//!
//!     let mut orders = deadline.items(orders, Duration::from_millis(50));
//!     let mut not_charged = Vec::new();
//!     for order in &mut orders {
//!         // A charge that takes too long is stopped when that second begins.
//!         if deadline.run(Duration::ZERO, charge(&order)).await.is_err() {
//!             not_charged.push(order);
//!         }
//!     }
//!     not_charged.extend(orders.rest()); // those without enough time
//!     Ok(not_charged)
//! }
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! # use powertools::testing::{ManualClock, invocation};
//! # let clock = ManualClock::following_tokio(std::time::UNIX_EPOCH + Duration::from_secs(1));
//! # let event = || invocation().clock(&clock).remaining(Duration::from_secs(3)).build();
//! # let stack = |event: powertools::Invocation| event.reserving(Duration::from_millis(500));
//! # let orders: Vec<_> = (0..100).map(|number| format!("order-{number}")).collect();
//! # let start = tokio::time::Instant::now();
//! # let left = stack(event()).scope(charge_all(orders.clone())).await.unwrap();
//! # assert_eq!(left, orders[20..], "one hangs and is stopped, the rest is not started");
//! # assert!(start.elapsed() <= Duration::from_secs(2), "{:?}", start.elapsed());
//! # let left = stack(event()).scope(charge_all(orders.clone())).await.unwrap();
//! # assert!((48..=50).contains(&(100 - left.len())) && left.last() == orders.last());
//! # }
//! ```
//!
//! A job that takes longer than one invocation continues in another event, with
//! [`continue_later`](crate::idempotency::Operation::continue_later).
//!
//! # What stopping means
//!
//! The clock decides when *pending* work is stopped: at the limit, which is `reserve` before the
//! deadline. The future of the work is then dropped. A result is never late: if the future returns
//! something, that is what the guard returns, whenever it was.
//!
//! Work that holds a [`CleanupGuard`](crate::invocation::CleanupGuard), such as idempotent work, stops
//! by itself at the same limit. The guard waits for it, at most for half of the reserve, so that the
//! claim can be released and the function can return. While a result is being saved, it waits until
//! 50 ms before the deadline.
//!
//! These count as out of time, for a [fallback](Deadline::run_or): the guard's own
//! [`Error::OutOfTime`] and [`Error::NoTime`]; every error of pending work for
//! which the guard waits after its limit; and every error that the work returns after something inside
//! of it was stopped or was not started for lack of time, be it by a guard, by
//! [`ensure`](Deadline::ensure), by idempotent work (`idempotency::Error::OutOfTime`, `LeaseExpired`,
//! `NoTime`) or by a parameter that was waited for. An error is still known as an interruption after the
//! work translated it into one of its own. Work that has dealt with an interruption calls
//! [`Invocation::interruption_handled`](crate::Invocation::interruption_handled).
//!
//! Code that blocks its thread cannot be stopped, and spawned tasks continue. If a guard was late because
//! its thread was blocked, a warning contains the overrun, provided that the process is still there to
//! write it.
//!
//! # Streamed responses
//!
//! The body of a streamed response continues after its handler has returned. In
//! [`Powertools`](crate::Powertools) it ends with an error when the handler would have been stopped, and
//! a warning is logged. The runtime writes the error after the data that was sent, as part of the body:
//! the caller receives the lines `Lambda-Runtime-Function-Error-Type: Runtime.StreamError` and
//! `Lambda-Runtime-Function-Error-Body: …` (in Base64), and then a regular end. By these lines it can
//! recognise a truncated body. The guard checks the time when the runtime asks for more of the body:
//! nothing ends the body while the runtime waits for a caller that reads slowly. Other guards do not
//! apply to it.
//!
//! # The reserve
//!
//! | reserve | effect |
//! |---|---|
//! | zero | the work may continue until the deadline: useful only where Lambda does not kill the function then |
//! | over half of the invocation's whole time | half of that time is kept, and a warning is logged once |
//! | shorter than that of an outer guard | the work ends 10 ms before the outer guard stops everything, so that its error or fallback still counts; for deeply nested guards, until three quarters of the time are kept |
//! | longer than the remaining time | the work is not started: [`Error::NoTime`] |
//!
//! # Without an invocation
//!
//! Outside Lambda, in a test or a tool, there is no limit: everything fits and nothing is stopped. The
//! same holds in a function without an [`Invocation`](crate::Invocation), for example in a task that was
//! spawned without [`carry`](crate::Invocation::carry); a warning is logged once.

mod current;
mod error;
mod guard;
mod items;
mod layer;

pub use self::current::Deadline;
pub use self::error::Error;
pub use self::guard::ResponseFuture;
pub use self::items::Items;
pub use self::layer::{DeadlineLayer, DeadlineService};
