//! Values that are made once for each execution environment, and a cold start that is paid before
//! the first event.
//!
//! Clients, pools and configuration are made once and used by every event that the process handles.
//! `#[init_once]` makes the accessor of such a value from the function that makes it, and
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
//!     let _client = client().await?; // made before the first event, if that went well
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
//! made without waiting.
//!
//! # What is guaranteed
//!
//! | what happens | what becomes of the value |
//! |---|---|
//! | many ask at once | one of them makes it, the others wait and get the same |
//! | making it fails | nothing is kept: the next who asks tries again, also one that waited |
//! | making it panics, or whoever makes it goes away half-way | the same |
//! | making it asks for the same value | [`Error::Reentrant`], in place of waiting for ever |
//! | two values need each other, and two tasks begin with one each | nobody sees that: both wait until something stops them, a warm-up's bound or the time guard of the handler |
//! | whoever makes it is kept, and no longer polled | everybody else waits for it, so spawn what a `select!` may leave behind |
//! | the environment is restored from a SnapStart snapshot | it is made anew when asked for; the old one stays where it is, for those who still hold it |
//!
//! # SnapStart
//!
//! A snapshot is taken after the warm-ups. What they made is then old when the environment is
//! restored: connections are closed, credentials have expired. So after a restore each `InitOnce`
//! is empty again, and the warm-ups run again. [`Powertools::before_snapshot`] and
//! [`Powertools::after_restore`] are for what else there is to do. This works in functions that
//! [`Powertools`](crate::Powertools) runs: it is who learns of the restore.
//!
//! # Shutdown
//!
//! Lambda ends an environment without a word, unless an extension is registered. Only a function
//! with [`Powertools::on_shutdown`] registers one.
//!
//! # Panics
//!
//! A panic in a warm-up or a hook is caught, and is an error or a warning. That needs unwinding: in a
//! build with `panic = "abort"` every panic ends the process, one in a warm-up at every start.
//!
//! [`Powertools::warm_up`]: crate::Powertools::warm_up
//! [`Powertools::before_snapshot`]: crate::Powertools::before_snapshot
//! [`Powertools::after_restore`]: crate::Powertools::after_restore
//! [`Powertools::on_shutdown`]: crate::Powertools::on_shutdown

mod error;
pub(crate) mod hooks;
mod making;
mod once;
pub(crate) mod shutdown;
mod sync_once;
pub(crate) mod warm_up;

pub use self::error::Error;
pub use self::once::InitOnce;
pub use self::sync_once::SyncInitOnce;
