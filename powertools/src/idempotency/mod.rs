//! Work that is done once, however often its event arrives.
//!
//! Lambda delivers events more than once: a caller times out and sends its request again, a queue
//! shows a message twice, a stream is read again from its last checkpoint. [`Idempotency`] keeps a
//! record of the work under a key that both deliveries have. The first one claims the record, does
//! the work and stores the result; the others get the result.
//!
//! ```
//! use powertools::idempotency::{Error, Idempotency, MemoryStore};
//!
//! async fn charge(records: &Idempotency<MemoryStore>, order: &str) -> Result<String, Error> {
//!     records
//!         .operation("charge")
//!         .key(order)?
//!         .run(async { Ok(format!("charged {order}")) })
//!         .await
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
//! let records = Idempotency::new(MemoryStore::new())?;
//! assert_eq!(charge(&records, "order-7").await?, "charged order-7");
//! assert_eq!(charge(&records, "order-7").await?, "charged order-7"); // not charged again
//! # Ok(()) }
//! ```
//!
//! [`#[idempotent]`](macro@crate::idempotent) writes this around a function, and
//! [`IdempotencyLayer`] around a handler.
//!
//! # What is guaranteed
//!
//! While the lease of a claim holds, work under its key runs at most once. A result is replayed
//! until its record expires. Beyond that the work runs *at least* once: a process that dies after
//! the work and before the result is saved leaves a claim that ends with its lease, and a retry
//! then runs the work again.
//!
//! | what happens | what becomes of the claim |
//! |---|---|
//! | the work succeeds | completed with the result, which later callers get |
//! | the work returns an error or panics | given back: a retry runs at once |
//! | the work is stopped before the deadline, or dropped | given back, or held: [`OnInterrupt`] |
//! | the process is killed | held until the lease ends: a second after the deadline by default |
//! | the result does not fit into the store | completed without it: a retry gets an error and does not run |
//! | the result cannot be saved | held until the lease ends: [`OnSaveFailure`] |
//! | another invocation has taken the record over | left alone: the late finisher gets [`Error::LeaseLost`] |
//!
//! The work is stopped in time: [`Builder::save_reserve`] before the invocation's deadline and at
//! the end of its lease, whichever is first. That drops its future. Code that blocks its thread and
//! tasks that it has spawned go on; nothing can stop those. [`guarantees`] has every fault and what
//! happens at it.
//!
//! # What it costs
//!
//! Two requests to the store for new work, one for a replay, none for a replay from the
//! [`LocalCache`].
//!
//! # Switching it off
//!
//! With `POWERTOOLS_IDEMPOTENCY_DISABLED=true` in the environment the work runs each time, as if it
//! had no key, and a warning says so once. That is for tests of a function, not for production.
//!
//! # Errors
//!
//! The work's own errors pass through unchanged. [`Error`] has the others; the handler's error type
//! needs `From<Error>`, which `lambda_runtime::Error`, `anyhow::Error` and `Diagnostic` have.

mod cache;
mod codec;
mod engine;
mod error;
mod layer;
mod operation;
mod options;
mod record;
mod replay;

#[cfg(feature = "jmespath")]
mod jmespath;

pub mod store;

#[doc = include_str!("../../docs/guarantees.md")]
pub mod guarantees {}

#[cfg(feature = "jmespath")]
pub use self::jmespath::{JmesPath, JmesPathError};

pub use self::cache::LocalCache;
pub use self::codec::{HashFunction, KeyCodec};
pub use self::error::Error;
pub use self::layer::{IdempotencyLayer, IdempotencyService};
pub use self::operation::{Call, Operation};
pub use self::options::{
    Builder, Idempotency, OnError, OnInterrupt, OnMissingKey, OnSaveFailure, WhileInProgress,
};
pub use self::record::{Data, EpochMillis, EpochSeconds, Key, Owner, Record, Status};
pub use self::replay::Replay;
#[cfg(feature = "dynamodb")]
pub use self::store::DynamoDbStore;
pub use self::store::{MemoryStore, Store, StoreError, StoreErrorKind};
#[doc(no_inline)]
pub use crate::events::{HasNaturalKey, NaturalKey, StepFunctionsContext, natural};
pub use crate::json::{Json, JsonError, Number};
