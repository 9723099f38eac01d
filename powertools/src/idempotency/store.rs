//! Where records are kept.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::{Data, EpochMillis, EpochSeconds, Key, Owner, Record};

#[cfg(feature = "dynamodb")]
pub mod dynamodb;

mod error;
mod memory;

#[cfg(feature = "dynamodb")]
pub use dynamodb::DynamoDbStore;
pub use error::{StoreError, StoreErrorKind};
pub use memory::MemoryStore;

/// A place where idempotency records are kept.
///
/// A store knows nothing of idempotency. It does four things, each atomic for its key, and
/// [`Idempotency`](super::Idempotency) decides when. [`MemoryStore`] and `DynamoDbStore` implement
/// it; `testing::store_suite` checks an implementation.
///
/// Each request says how long it may take. An implementation uses that for its own attempts and
/// connections; the engine gives up on a call that takes longer.
pub trait Store: Send + Sync + 'static {
    /// Names the place: stores whose scopes are equal share their records.
    ///
    /// For a table this is its name, with its region where the client has one, and the partition where
    /// that is fixed.
    fn scope(&self) -> &str;

    /// The longest key that the store can hold, in bytes.
    fn max_key_bytes(&self) -> usize {
        2048
    }

    /// Writes a new unfinished record, in place of what is there, if
    ///
    /// - there is no record under the key, or
    /// - its `expiration` is before [`Claim::now`], in whole seconds, or
    /// - it is unfinished and its `in_progress_expiration` is before [`Claim::now`].
    ///
    /// A time that the record lacks is never past.
    fn claim(&self, claim: &Claim) -> impl Future<Output = Result<Outcome, StoreError>> + Send;

    /// Finishes a record: sets the status, `expiration`, `validation` and the result, and leaves
    /// the rest, if the record is unfinished and belongs to [`Completion::owner`].
    ///
    /// A result that the store has no room for is [`StoreErrorKind::ResultTooLarge`].
    fn complete(
        &self,
        completion: &Completion,
    ) -> impl Future<Output = Result<Outcome, StoreError>> + Send;

    /// Removes a record, if it is unfinished and belongs to [`Release::owner`].
    fn release(
        &self,
        release: &Release,
    ) -> impl Future<Output = Result<Outcome, StoreError>> + Send;

    /// Reads a record as it is after every write that was answered before.
    fn read(&self, read: &Read) -> impl Future<Output = Result<Option<Record>, StoreError>> + Send;
}

/// One store for many operations: a shared store is a store.
impl<S: Store> Store for Arc<S> {
    fn scope(&self) -> &str {
        (**self).scope()
    }

    fn max_key_bytes(&self) -> usize {
        (**self).max_key_bytes()
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

    fn release(
        &self,
        release: &Release,
    ) -> impl Future<Output = Result<Outcome, StoreError>> + Send {
        (**self).release(release)
    }

    fn read(&self, read: &Read) -> impl Future<Output = Result<Option<Record>, StoreError>> + Send {
        (**self).read(read)
    }
}

/// What became of a conditional write.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It was done.
    Applied,
    /// Its condition did not hold. Has the record that was in the way, if the store returned it
    /// in the same step; `None` says nothing about whether there is one.
    Refused(Option<Box<Record>>),
}

/// A request to claim a key. See [`Store::claim`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Claim {
    /// The key to claim.
    pub key: Key,
    /// Who claims it.
    pub owner: Owner,
    /// The time to judge the existing record by.
    pub now: EpochMillis,
    /// When the claim ends: the new record's `in_progress_expiration`.
    pub lease_end: EpochMillis,
    /// The new record's `expiration`; never before the claim ends.
    pub expiration: EpochSeconds,
    /// The new record's `validation`.
    pub validation: Option<String>,
    /// The time that this call may take, all attempts together.
    pub timeout: Duration,
}

/// A request to finish a record. See [`Store::complete`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Completion {
    /// The key whose work is done.
    pub key: Key,
    /// Who claimed it.
    pub owner: Owner,
    /// The record's new `expiration`.
    pub expiration: EpochSeconds,
    /// The record's `validation`, which its claim wrote too.
    pub validation: Option<String>,
    /// The result.
    pub data: Option<Data>,
    /// Why the result is not in `data`.
    pub not_stored: Option<String>,
    /// The time that this call may take, all attempts together.
    pub timeout: Duration,
}

/// A request to give a claim back. See [`Store::release`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Release {
    /// The claimed key.
    pub key: Key,
    /// Who claimed it.
    pub owner: Owner,
    /// The time that this call may take, all attempts together.
    pub timeout: Duration,
}

/// A request to read a record. See [`Store::read`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Read {
    /// The key to read.
    pub key: Key,
    /// The time that this call may take, all attempts together.
    pub timeout: Duration,
}
