use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::{Completion, Store, StoreError, StoreErrorKind};
use crate::idempotency::transaction::{Item, Write};
use crate::idempotency::{Owner, Record};

/// A store that can complete a record and apply writes of the user in one transaction.
///
/// [`MemoryStore`](super::MemoryStore) and `DynamoDbStore` are such stores. On any other, a commit does
/// not compile:
///
/// ```compile_fail
/// use powertools::idempotency::{Commit, Error, Idempotency, Store};
///
/// async fn place<S: Store>(idempotency: &Idempotency<S>) -> Result<u64, Error> {
///     idempotency.operation("place").key("order-7")?.commit(async { Ok(Commit::new(7)) }).await
/// }
/// ```
///
/// With `S: TransactStore` it does:
///
/// ```
/// use powertools::idempotency::{Commit, Error, Idempotency, TransactStore};
///
/// async fn place<S: TransactStore>(idempotency: &Idempotency<S>) -> Result<u64, Error> {
///     idempotency.operation("place").key("order-7")?.commit(async { Ok(Commit::new(7)) }).await
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot commit: it has no transactions",
    label = "this store cannot complete a record and apply writes in one transaction",
    note = "`MemoryStore` and `DynamoDbStore` can; with another store, use `run`"
)]
pub trait TransactStore: Store {
    /// Checks everything that can be checked before a transaction is sent.
    ///
    /// # Errors
    ///
    /// Returns why the transaction is invalid.
    fn check(&self, completion: Option<&Completion>, writes: &[Write]) -> Result<(), String>;

    /// Completes the record as [`Store::complete`] does and applies the writes, all or nothing, or
    /// returns why nothing was applied. Without a completion it applies the writes alone.
    ///
    /// A result that does not fit into a record is [`StoreErrorKind::ResultTooLarge`]. A conflict with
    /// another transaction is an error that [`is_retryable`](StoreError::is_retryable).
    fn transact(
        &self,
        transaction: &Transaction,
    ) -> impl Future<Output = Result<Transacted, StoreError>> + Send;
}

/// A shared store is a store.
impl<S: TransactStore> TransactStore for Arc<S> {
    fn check(&self, completion: Option<&Completion>, writes: &[Write]) -> Result<(), String> {
        (**self).check(completion, writes)
    }

    fn transact(
        &self,
        transaction: &Transaction,
    ) -> impl Future<Output = Result<Transacted, StoreError>> + Send {
        (**self).transact(transaction)
    }
}

/// A request to commit: see [`TransactStore::transact`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Transaction {
    /// What completes the record; `None` if there is no record.
    pub completion: Option<Completion>,
    /// The writes of the user.
    pub writes: Vec<Write>,
    /// Identifies this payload: every attempt to send it has the same token, and no other payload has.
    pub token: String,
    /// How long this call may take, with all of its attempts.
    pub timeout: Duration,
}

impl Transaction {
    pub(in crate::idempotency) fn new(
        completion: Option<Completion>,
        writes: Vec<Write>,
    ) -> Result<Self, StoreError> {
        let (token, timeout) = (String::new(), Duration::ZERO);
        let mut transaction = Self { completion, writes, token, timeout };
        transaction.renew_token()?;
        Ok(transaction)
    }

    pub(in crate::idempotency) fn renew_token(&mut self) -> Result<(), StoreError> {
        let token = Owner::new().map_err(|error| {
            StoreError::new(StoreErrorKind::Other, "no random bytes for a token").caused_by(error)
        })?;
        token.as_str().clone_into(&mut self.token);
        Ok(())
    }
}

/// The outcome of a transaction. Nothing was applied unless it is [`Applied`](Self::Applied).
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a refusal is not an error"]
pub enum Transacted {
    /// The record was completed, and every write was applied.
    Applied,
    /// The record is not in progress, or belongs to another owner. This takes precedence over refused
    /// writes. Contains the existing record if the store returned it.
    RecordRefused(Option<Box<Record>>),
    /// The condition of a write does not hold.
    WriteRefused {
        /// The first such write.
        index: usize,
        /// The existing item, if there is one.
        item: Option<Item>,
    },
    /// A write is invalid, for example because its item grows over the limit.
    WriteInvalid {
        /// The first such write.
        index: usize,
        /// Why it is invalid, without contents of the item.
        reason: String,
    },
}
