//! Work that ends before the invocation's time is up.
//!
//! Lambda stops a function at its timeout without a word: no log line, no partial batch response, no
//! idempotency claim given back. On Lambda Managed Instances it does not stop it at all, and the
//! function works on for a caller who has gone. A guard ends the work a little earlier, while there
//! is still time to say why.
//!
//! [`Powertools`](crate::Powertools) has one around every handler, 500 ms before the timeout.
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
//! /// Gives back the orders that were not charged.
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
//!     not_charged.extend(orders.rest()); // what there was no time for
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
//! # assert_eq!(left, orders[20..], "one hangs and is stopped, the rest is not begun");
//! # assert!(start.elapsed() <= Duration::from_secs(2), "{:?}", start.elapsed());
//! # let left = stack(event()).scope(charge_all(orders.clone())).await.unwrap();
//! # assert!((48..=50).contains(&(100 - left.len())) && left.last() == orders.last());
//! # }
//! ```
//!
//! # What stopping means
//!
//! The work's future is dropped, and with it what it waits for. Work that holds a
//! [`CleanupGuard`](crate::invocation::CleanupGuard), such as idempotent work, stops by itself at
//! the same moment: the guard then waits for it, for half of the reserve at most, so that it can
//! give its claim back and its function can return.
//!
//! The body of a streamed response goes on after its handler has returned. In
//! [`Powertools`](crate::Powertools) it ends when the handler would have been stopped, with an error,
//! and a warning in the log says so. The runtime writes the error behind what was sent, as part of the
//! body: the caller reads the lines `Lambda-Runtime-Function-Error-Type: Runtime.StreamError` and
//! `Lambda-Runtime-Function-Error-Body: …` (in Base64), and then a regular end. By these lines it knows
//! a body that was cut short. The guard looks at the time when the runtime asks for more of the body:
//! nothing ends it while the runtime waits for a caller that reads slowly. Other guards know nothing
//! of it.
//!
//! Nothing can stop code that blocks its thread, and what it spawned goes on. A warning with the
//! overrun says when a guard came too late because its thread was blocked, if the process is still
//! there to write it.
//!
//! # The reserve
//!
//! | reserve | what happens |
//! |---|---|
//! | zero | the work may go on until the deadline: of use only where Lambda does not kill the function then |
//! | over half of the invocation's whole time, or all of it | half of that time is kept, and a warning says so once |
//! | shorter than that of a guard further out | the work ends 10 ms before the outer guard stops everything, so that its error or fallback still counts; of guards within guards, until three quarters of the time are kept |
//! | longer than the time that is left | the work is not begun: [`Error::NoTime`] |
//!
//! # Without an invocation
//!
//! Outside Lambda, in a test or a tool, there is no limit: everything fits and nothing is stopped.
//! The same holds in a function without an [`Invocation`](crate::Invocation), as in a task that was
//! spawned without [`carry`](crate::Invocation::carry); a warning says so once.

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
