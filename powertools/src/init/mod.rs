//! Values that are initialised once for each execution environment, before the first event if
//! possible.
//!
//! Clients, pools and configuration are created once and used by every event that the process
//! handles. `#[init_once]` turns a function that creates such a value into its accessor, and
//! [`Powertools::warm_up`] calls it while Lambda initialises the environment:
//!
//! ```no_run
//! use lambda_runtime::{Error, LambdaEvent};
//! use powertools::{Powertools, init_once};
//! # struct Client;
//! # impl Client { async fn connect() -> Result<Self, Error> { Ok(Self) } }
//!
//! #[init_once]
//! async fn client() -> Result<Client, Error> {
//!     Client::connect().await
//! }
//!
//! async fn handle(event: LambdaEvent<String>) -> Result<usize, Error> {
//!     let _client = client().await?; // created before the first event, unless that failed
//!     Ok(event.payload.len())
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     Powertools::new(handle).warm_up("client", client).run().await
//! }
//! ```
//!
//! [`InitOnce`] holds such a value in a static of your own; [`SyncInitOnce`] is for values that are
//! created without waiting.
//!
//! # What is guaranteed
//!
//! | situation | outcome |
//! |---|---|
//! | several callers need it at once | one of them initialises it; the others wait and get the same value |
//! | the initialisation fails | nothing is kept: the next caller tries again, including one that waited |
//! | the initialisation panics, or its caller is dropped half-way | the same |
//! | the initialisation needs the same value | [`Error::Reentrant`], instead of a deadlock |
//! | two values need each other, and two tasks start with one each | this is not detected: both wait until something stops them, such as the limit of a warm-up or the time guard of the handler |
//! | the caller that initialises it is kept without being polled | all others wait for it, so spawn work that a `select!` may leave behind |
//! | the environment is restored from a SnapStart snapshot | it is initialised again when needed; the old one remains valid for code that still holds it |
//!
//! # SnapStart
//!
//! A snapshot is taken after the warm-ups. Their values are outdated when the environment is
//! restored: connections are closed, credentials have expired. So after a restore each `InitOnce`
//! is empty again, and the warm-ups run again. [`Powertools::before_snapshot`] and
//! [`Powertools::after_restore`] are for other work. Only functions that
//! [`Powertools`](crate::Powertools) runs notice a restore.
//!
//! # Shutdown
//!
//! Lambda ends an environment without notice, unless an extension is registered. Only a function
//! with [`Powertools::on_shutdown`] registers one.
//!
//! # Panics
//!
//! A panic in a warm-up or a hook is caught and becomes an error or a warning. This requires
//! unwinding: in a build with `panic = "abort"`, every panic ends the process, and one in a warm-up
//! does so at every start.
//!
//! [`Powertools::warm_up`]: crate::Powertools::warm_up
//! [`Powertools::before_snapshot`]: crate::Powertools::before_snapshot
//! [`Powertools::after_restore`]: crate::Powertools::after_restore
//! [`Powertools::on_shutdown`]: crate::Powertools::on_shutdown

mod error;
mod function;
pub(crate) mod hooks;
mod making;
mod once;
pub(crate) mod shutdown;
mod sync_once;
pub(crate) mod warm_up;

pub use self::error::Error;
pub use self::once::InitOnce;
pub use self::sync_once::SyncInitOnce;
