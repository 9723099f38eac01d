//! Stores: where idempotency records are kept.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::{Data, EpochMillis, EpochSeconds, Key, Owner, Record};

#[cfg(any(feature = "dynamodb", feature = "dynamodb-lean"))]
mod dynamodb;

#[cfg(any(feature = "dynamodb", feature = "dynamodb-lean", feature = "redis"))]
mod attempts;
#[cfg(feature = "redis")]
mod redis;

mod error;
mod memory;
mod transact;

#[cfg(feature = "redis")]
pub use self::redis::RedisStore;
#[cfg(any(feature = "dynamodb", feature = "dynamodb-lean"))]
pub use dynamodb::{Builder as DynamoDbStoreBuilder, DynamoDbStore};
#[cfg(feature = "dynamodb-lean")]
pub use dynamodb::{LeanClient, LeanClientBuilder};
pub use error::{StoreError, StoreErrorKind};
pub use memory::MemoryStore;
pub use transact::{TransactStore, Transacted, Transaction};

/// A place where idempotency records are kept.
///
/// A store has five operations, and one more for durable functions, each of them atomic for its key;
/// [`Idempotency`](super::Idempotency) decides when they run. [`MemoryStore`], `DynamoDbStore`
/// and `RedisStore` implement it, and `testing::store_suite` checks an implementation.
///
/// Each request has a timeout. An implementation uses it to limit its own attempts and connections;
/// the engine abandons a call that takes longer, unless the store [keeps them](Self::keeps_timeouts).
pub trait Store: Send + Sync + 'static {
    /// Returns a name for the place: stores with the same scope share their records.
    ///
    /// For a table it is the name of the table, with the region if the client has one, and with the
    /// partition if that is fixed.
    fn scope(&self) -> &str;

    /// Returns the length of the longest key that the store can hold, in bytes.
    fn max_key_bytes(&self) -> usize {
        2048
    }

    /// Returns true if each call of this store ends within its timeout by itself, also if a server does not
    /// answer. The engine then sets no timer of its own.
    fn keeps_timeouts(&self) -> bool {
        false
    }

    /// Writes a new record with the status *in progress* and replaces the existing one, if
    ///
    /// - there is no record under the key, or
    /// - the `expiration` of the record is before [`Claim::now`], in whole seconds, or
    /// - the record is in progress and its `in_progress_expiration` is before [`Claim::now`], in
    ///   milliseconds.
    ///
    /// A time that the record does not have never expires.
    fn claim(&self, claim: &Claim) -> impl Future<Output = Result<Outcome, StoreError>> + Send;

    /// Completes a record if it is in progress and belongs to [`Completion::owner`]: sets the status,
    /// `expiration`, `validation` and the result, removes `in_progress_expiration`, and changes nothing else.
    ///
    /// A record that is completed without `in_progress_expiration` shows who completed it: the toolkits for
    /// other languages complete a record whoever claimed it, and keep that as well as the owner.
    ///
    /// A result that does not fit into a record is [`StoreErrorKind::ResultTooLarge`].
    fn complete(
        &self,
        completion: &Completion,
    ) -> impl Future<Output = Result<Outcome, StoreError>> + Send;

    /// Extends the lease of a record if it is in progress, belongs to [`Renewal::owner`], and its
    /// `in_progress_expiration` is before [`Renewal::lease_end`]: sets `in_progress_expiration` and
    /// `expiration`, and changes nothing else.
    fn renew(&self, renewal: &Renewal) -> impl Future<Output = Result<Outcome, StoreError>> + Send;

    /// Deletes a record if it is in progress and belongs to [`Release::owner`].
    fn release(
        &self,
        release: &Release,
    ) -> impl Future<Output = Result<Outcome, StoreError>> + Send;

    /// Returns true if the store keeps claims of [durable executions](crate::DurableExecution): it writes
    /// [`Owner::attempt`] into the record, requires it in each later write beside the owner, and has
    /// [`reenter`](Self::reenter). Without it, idempotent work in a durable execution is an error before
    /// it starts.
    fn supports_durable(&self) -> bool {
        false
    }

    /// Continues the claim of a durable execution in another invocation: sets the `attempt` of the record
    /// to that of [`Reentry::owner`], and changes nothing else, if the record is in progress, belongs to
    /// that owner, and its `attempt` is [`Reentry::earlier`].
    fn reenter(
        &self,
        reentry: &Reentry,
    ) -> impl Future<Output = Result<Outcome, StoreError>> + Send {
        let _ = reentry;
        let message = "the store does not keep claims of durable executions";
        std::future::ready(Err(StoreError::new(StoreErrorKind::Invalid, message)))
    }

    /// Reads a record consistently: after a write has returned, every read sees it.
    fn read(&self, read: &Read) -> impl Future<Output = Result<Option<Record>, StoreError>> + Send;
}

/// A shared store is a store, so that many operations can use one.
impl<S: Store> Store for Arc<S> {
    fn scope(&self) -> &str {
        (**self).scope()
    }

    fn max_key_bytes(&self) -> usize {
        (**self).max_key_bytes()
    }

    fn keeps_timeouts(&self) -> bool {
        (**self).keeps_timeouts()
    }

    fn claim(&self, claim: &Claim) -> impl Future<Output = Result<Outcome, StoreError>> + Send {
        (**self).claim(claim)
    }

    fn complete(
        &self,
        completion: &Completion,
    ) -> impl Future<Output = Result<Outcome, StoreError>> + Send {
        (**self).complete(completion)
    }

    fn renew(&self, renewal: &Renewal) -> impl Future<Output = Result<Outcome, StoreError>> + Send {
        (**self).renew(renewal)
    }

    fn release(
        &self,
        release: &Release,
    ) -> impl Future<Output = Result<Outcome, StoreError>> + Send {
        (**self).release(release)
    }

    fn supports_durable(&self) -> bool {
        (**self).supports_durable()
    }

    fn reenter(
        &self,
        reentry: &Reentry,
    ) -> impl Future<Output = Result<Outcome, StoreError>> + Send {
        (**self).reenter(reentry)
    }

    fn read(&self, read: &Read) -> impl Future<Output = Result<Option<Record>, StoreError>> + Send {
        (**self).read(read)
    }
}

/// The outcome of a conditional write.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a write that was refused has changed nothing"]
pub enum Outcome {
    /// The record was written.
    Applied,
    /// The condition did not hold. Contains the existing record if the store returned it in the same
    /// step; `None` does not mean that there is no record.
    Refused(Option<Box<Record>>),
}

/// A request to claim a key: see [`Store::claim`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Claim {
    /// The key to claim.
    pub key: Key,
    /// The owner of the claim.
    pub owner: Owner,
    /// The time by which the existing record is judged.
    pub now: EpochMillis,
    /// When the lease expires: the `in_progress_expiration` of the new record.
    pub lease_end: EpochMillis,
    /// The `expiration` of the new record, which is never before the end of the lease.
    pub expiration: EpochSeconds,
    /// The `validation` of the new record.
    pub validation: Option<String>,
    /// How long this call may take, with all of its attempts.
    pub timeout: Duration,
}

/// A request to complete a record: see [`Store::complete`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Completion {
    /// The key of the work that succeeded.
    pub key: Key,
    /// Who claimed it.
    pub owner: Owner,
    /// The time at which the work was completed.
    pub now: EpochMillis,
    /// The new `expiration` of the record.
    pub expiration: EpochSeconds,
    /// The `expiration` that the owner wrote before, with its claim or the last renewal that was confirmed.
    pub claimed_expiration: EpochSeconds,
    /// The `in_progress_expiration` that the owner wrote with it. A condition on these times has to be
    /// followed by one on the owner alone: a renewal may have changed them although its answer was lost.
    pub lease_end: EpochMillis,
    /// The `validation` of the record, which the claim wrote too.
    pub validation: Option<String>,
    /// The result.
    pub data: Option<Data>,
    /// Why there is no `data`.
    pub not_stored: Option<String>,
    /// How long this call may take, with all of its attempts.
    pub timeout: Duration,
}

/// A request to extend a lease: see [`Store::renew`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Renewal {
    /// The claimed key.
    pub key: Key,
    /// Who claimed it.
    pub owner: Owner,
    /// The new `in_progress_expiration` of the record.
    pub lease_end: EpochMillis,
    /// The new `expiration` of the record, which is never before the end of the lease.
    pub expiration: EpochSeconds,
    /// How long this call may take, with all of its attempts.
    pub timeout: Duration,
}

/// A request to release a claim: see [`Store::release`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Release {
    /// The claimed key.
    pub key: Key,
    /// Who claimed it.
    pub owner: Owner,
    /// How long this call may take, with all of its attempts.
    pub timeout: Duration,
}

/// A request to continue the claim of a durable execution: see [`Store::reenter`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reentry {
    /// The claimed key.
    pub key: Key,
    /// The owner, with the new attempt.
    pub owner: Owner,
    /// The attempt of the record.
    pub earlier: String,
    /// How long this call may take, with all of its attempts.
    pub timeout: Duration,
}

/// A request to read a record: see [`Store::read`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Read {
    /// The key to read.
    pub key: Key,
    /// How long this call may take, with all of its attempts.
    pub timeout: Duration,
}
