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
//! # async fn charge(_: &str) -> Result<(), Error> { Ok(()) }
//! async fn charge_all(orders: Vec<String>) -> Result<Vec<String>, Error> {
//!     let deadline = Deadline::current();
//!     deadline.ensure(Duration::from_millis(300))?; // too late to begin?
//!
//!     let mut orders = deadline.items(orders, Duration::from_millis(50));
//!     for order in &mut orders {
//!         deadline.run(Duration::from_secs(1), charge(&order)).await?;
//!     }
//!     Ok(orders.rest().collect()) // what there was no time for
//! }
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # assert!(charge_all(vec!["order-7".into()]).await.unwrap().is_empty());
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
//! | shorter than that of a guard further out | the work ends 10 ms before the outer guard stops everything, so that its error or fallback still counts |
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

pub(crate) mod stack;

pub use self::current::Deadline;
pub use self::error::Error;
pub use self::guard::ResponseFuture;
pub use self::items::Items;
pub use self::layer::{DeadlineLayer, DeadlineService};
