//! Idempotency: work that is done once, however often its event arrives.
//!
//! Lambda delivers events more than once: a caller times out and sends its request again, a queue
//! delivers a message twice, a stream is read again from its last checkpoint. [`Idempotency`] keeps a
//! record of the work under a key that both deliveries have in common. The first delivery claims the
//! record, does the work and stores the result; the others receive the result.
//!
//! ```
//! use powertools::idempotency::{Error, Idempotency, MemoryStore};
//!
//! async fn charge(idempotency: &Idempotency<MemoryStore>, order: &str) -> Result<String, Error> {
//!     idempotency
//!         .operation("charge")
//!         .key(order)?
//!         .run(async { Ok(format!("charged {order}")) })
//!         .await
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
//! let idempotency = Idempotency::new(MemoryStore::new())?;
//! assert_eq!(charge(&idempotency, "order-7").await?, "charged order-7");
//! assert_eq!(charge(&idempotency, "order-7").await?, "charged order-7"); // not charged again
//! # Ok(()) }
//! ```
//!
//! [`#[idempotent]`](macro@crate::idempotent) does this for a function, and [`IdempotencyLayer`] for a
//! handler.
//!
//! # What is guaranteed
//!
//! While the lease of a claim holds, work under its key runs at most once. A result is replayed until its
//! record expires. Beyond that the work runs *at least* once: a process that dies after the work and
//! before the result is saved leaves a claim that ends with its lease, and a retry then runs the work
//! again. Effects that are [committed](Call::commit) together with the record take place exactly once.
//!
//! | the work | the claim |
//! |---|---|
//! | succeeds | is completed with the result, which later callers receive |
//! | returns an error or panics | is released, so that a retry runs immediately, or held: [`OnError`] |
//! | returns a result that is not to be kept ([`Builder::keep_if`]) | like after an error |
//! | is stopped before the deadline, or dropped | is released or held: [`OnInterrupt`] |
//! | returns an error after a time guard inside of it stopped something, or a guard's fallback | like after an interruption |
//! | dies with its process | is held until the lease expires: by default a second after the deadline, or seconds after the death if it is [renewed](Builder::renew_lease) |
//! | has a result that does not fit into the store | is completed without it: a retry receives an error and does not run |
//! | has a result that cannot be saved | is held until the lease expires: [`OnSaveFailure`] |
//! | commits its effects together with its record ([`Call::commit`]) | is completed with them, all or nothing |
//! | is suspended by its [durable execution](crate::DurableExecution) | is kept, and continued by its next invocation |
//! | lost its record to another invocation | is left alone: the late caller receives [`Error::LeaseLost`] |
//!
//! The work is stopped in time: [`Builder::save_reserve`] before the invocation's deadline or at the end
//! of its lease, whichever is earlier. Its future is dropped. Code that blocks its thread and spawned
//! tasks continue; nothing can stop those. [`guarantees`] lists every fault and its outcome.
//!
//! # Cost
//!
//! Two requests to the store for new work, one for a replay, none for a replay from the [`LocalCache`].
//!
//! # Switching it off
//!
//! With `POWERTOOLS_IDEMPOTENCY_DISABLED=true` in the environment the work runs each time, as if it had no
//! key, and a warning is logged once. That is for tests of a function, not for production.
//!
//! # Errors
//!
//! The work's own errors pass through unchanged. [`Error`] has the others; the handler's error type needs
//! `From<Error>`, which `lambda_runtime::Error`, `anyhow::Error` and `Diagnostic` implement.

mod cache;
mod codec;
mod engine;
mod error;
mod later;
mod layer;
mod operation;
mod options;
mod record;
mod replay;

#[cfg(feature = "jmespath")]
mod jmespath;

mod store;
pub mod transaction;

#[doc = include_str!("../../docs/guarantees.md")]
pub mod guarantees {}

pub use self::cache::LocalCache;
pub use self::codec::{HashFunction, KeyCodec};
pub use self::engine::{Claimed, Lease};
pub use self::error::Error;
pub use self::later::Continuation;
pub use self::layer::{IdempotencyLayer, IdempotencyService};
pub use self::operation::{Call, Operation};
pub use self::options::{
    Builder, Idempotency, OnError, OnInterrupt, OnMissingKey, OnSaveFailure, WhileInProgress,
};
pub use self::record::{Data, EpochMillis, EpochSeconds, Key, Owner, Record, Status};
pub use self::replay::Replay;
#[cfg(feature = "redis")]
pub use self::store::RedisStore;
pub use self::store::{
    Claim, Completion, MemoryStore, Outcome, Read, Reentry, Release, Renewal, Store, StoreError,
    StoreErrorKind, TransactStore, Transacted, Transaction,
};
#[cfg(any(feature = "dynamodb", feature = "dynamodb-lean"))]
pub use self::store::{DynamoDbStore, DynamoDbStoreBuilder};
#[cfg(feature = "dynamodb-lean")]
pub use self::store::{LeanClient, LeanClientBuilder};
pub use self::transaction::Commit;
#[cfg(feature = "jmespath")]
pub use crate::json::{JmesPath, JmesPathError};
pub use crate::json::{Json, JsonError, Number};
