use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::tables::{Refusal, Tables};
use super::{
    Claim, Completion, Outcome, Read, Reentry, Release, Renewal, Store, StoreError, StoreErrorKind,
    TransactStore, Transacted, Transaction,
};
use crate::environment::Environment;
use crate::idempotency::transaction::{Action, Condition, Item, Write, check};
use crate::idempotency::{Data, Key, Owner, Record, Status};
use crate::process::First;

mod tables;

/// A store in the memory of this process, for tests and local runs.
///
/// Clones share their records.
///
/// **Not for production.** Lambda runs a function in many processes, and another one usually handles
/// the retry. In Lambda, the first claim logs a warning.
#[derive(Clone, Debug)]
pub struct MemoryStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    scope: String,
    max_data_bytes: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Boxed, since a map that grows moves what is in it.
    records: HashMap<Key, Box<Record>>,
    tables: Tables,
}

/// The maximum size of a DynamoDB item, in bytes.
const ITEM_LIMIT: usize = 400 * 1024;

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);

        Self(Arc::new(Inner {
            scope: format!("memory/{}", COUNT.fetch_add(1, Ordering::Relaxed)),
            max_data_bytes: ITEM_LIMIT,
            state: Mutex::default(),
        }))
    }

    /// Returns the record under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Record> {
        self.state().records.get(key).map(|record| Record::clone(record))
    }

    /// Stores `record` under `key` and replaces the existing one.
    pub fn insert(&self, key: impl Into<String>, record: Record) {
        self.state().records.insert(Key::from(key.into()), Box::new(record));
    }

    /// Deletes the record under `key`.
    pub fn remove(&self, key: &str) {
        self.state().records.remove(key);
    }

    /// Returns all records and their keys, sorted by key.
    #[must_use]
    pub fn snapshot(&self) -> Vec<(String, Record)> {
        let mut all: Vec<_> = self
            .state()
            .records
            .iter()
            .map(|(key, record)| (key.to_string(), Record::clone(record)))
            .collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all
    }

    /// Creates an empty table for [commits](crate::idempotency::Call::commit), with these key
    /// attributes: that of the partition, and that of the sort key if there is one.
    pub fn create_table<K: Into<String>>(
        &self,
        name: impl Into<String>,
        key: impl IntoIterator<Item = K>,
    ) {
        let key = key.into_iter().map(Into::into).collect();
        self.state().tables.create(name.into(), key);
    }

    /// Puts an item into a table, and replaces the existing one.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if there is no such table, or the item lacks its key.
    pub fn put_item(&self, table: &str, item: Item) -> Result<(), StoreError> {
        self.state().tables.put(table, item)
    }

    /// Returns the items of a table, in the order in which they were created.
    #[must_use]
    pub fn items(&self, table: &str) -> Vec<Item> {
        self.state().tables.items(table)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No panic leaves the state half changed.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_size(&self, completion: &Completion) -> Result<(), StoreError> {
        let size = match &completion.data {
            Some(Data::Text(text)) => text.len(),
            Some(Data::Value(value)) => value.to_string().len(),
            None => 0,
        };
        if size > self.0.max_data_bytes {
            let message = format!("a result of {size} bytes does not fit into a record");
            return Err(StoreError::new(StoreErrorKind::ResultTooLarge, message));
        }
        Ok(())
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for MemoryStore {
    fn scope(&self) -> &str {
        &self.0.scope
    }

    async fn claim(&self, claim: &Claim) -> Result<Outcome, StoreError> {
        static WARNING: First = First::new();
        if WARNING.is_first() {
            warn_in_lambda(&Environment::process());
        }

        let records = &mut self.state().records;
        let place = records.entry(claim.key.clone());
        if let Entry::Occupied(existing) = &place
            && !existing.get().is_free(claim.now)
        {
            return Ok(Outcome::Refused(Some(existing.get().clone())));
        }
        let mut record = Record::new(Status::InProgress);
        record.expiration = Some(claim.expiration);
        record.in_progress_expiration = Some(claim.lease_end);
        record.owner = Some(claim.owner.as_str().to_owned());
        record.attempt = claim.owner.attempt().map(str::to_owned);
        record.validation.clone_from(&claim.validation);
        place.insert_entry(Box::new(record));
        Ok(Outcome::Applied)
    }

    async fn complete(&self, completion: &Completion) -> Result<Outcome, StoreError> {
        self.check_size(completion)?;
        let mut state = self.state();
        let record = state.records.get_mut(completion.key.as_str());
        let Some(record) = record else { return Ok(Outcome::Refused(None)) };
        if !is_held(record, &completion.owner) {
            return Ok(Outcome::Refused(Some(record.clone())));
        }
        complete(record, completion);
        Ok(Outcome::Applied)
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Outcome, StoreError> {
        let records = &mut self.state().records;
        let existing = records.get_mut(renewal.key.as_str());
        let Some(record) = existing else { return Ok(Outcome::Refused(None)) };
        let is_earlier = record.in_progress_expiration.is_some_and(|end| end < renewal.lease_end);
        if !is_held(record, &renewal.owner) || !is_earlier {
            return Ok(Outcome::Refused(Some(record.clone())));
        }
        record.in_progress_expiration = Some(renewal.lease_end);
        record.expiration = Some(renewal.expiration);
        Ok(Outcome::Applied)
    }

    async fn release(&self, release: &Release) -> Result<Outcome, StoreError> {
        let records = &mut self.state().records;
        let existing = records.get(release.key.as_str());
        let Some(record) = existing else { return Ok(Outcome::Refused(None)) };
        if !is_held(record, &release.owner) {
            return Ok(Outcome::Refused(Some(record.clone())));
        }
        records.remove(release.key.as_str());
        Ok(Outcome::Applied)
    }

    fn supports_durable(&self) -> bool {
        true
    }

    async fn reenter(&self, reentry: &Reentry) -> Result<Outcome, StoreError> {
        let records = &mut self.state().records;
        let existing = records.get_mut(reentry.key.as_str());
        let Some(record) = existing else { return Ok(Outcome::Refused(None)) };
        let is_earlier = record.status == Status::InProgress
            && record.owner.as_deref() == Some(reentry.owner.as_str())
            && record.attempt.as_deref() == Some(&*reentry.earlier);
        if !is_earlier {
            return Ok(Outcome::Refused(Some(record.clone())));
        }
        record.attempt = reentry.owner.attempt().map(str::to_owned);
        Ok(Outcome::Applied)
    }

    async fn read(&self, read: &Read) -> Result<Option<Record>, StoreError> {
        Ok(self.get(read.key.as_str()))
    }
}

impl TransactStore for MemoryStore {
    fn check(&self, _: Option<&Completion>, writes: &[Write]) -> Result<(), String> {
        let state = self.state();
        check(writes, None, 0, None, |table| state.tables.key_of(table))?;
        let is_language = |write: &Write| {
            write.conditions.iter().any(|it| matches!(it, Condition::Expression(_)))
                || write.actions.iter().any(|it| matches!(it, Action::Expression(_)))
        };
        match writes.iter().position(is_language) {
            Some(index) => Err(format!(
                "write {index} has an expression, and the store in memory evaluates none: use \
                 if_absent, if_exists, if_equals, set, add and remove"
            )),
            None => Ok(()),
        }
    }

    async fn transact(&self, transaction: &Transaction) -> Result<Transacted, StoreError> {
        let state = &mut *self.state();
        if let Some(completion) = &transaction.completion {
            self.check_size(completion)?;
            match state.records.get(completion.key.as_str()) {
                Some(record) if is_held(record, &completion.owner) => {}
                existing => {
                    return Ok(Transacted::RecordRefused(existing.cloned()));
                }
            }
        }
        let mut changes = Vec::new();
        for (index, write) in transaction.writes.iter().enumerate() {
            match state.tables.prepare(write)? {
                Ok(change) => changes.push(change),
                Err(Refusal::Condition(item)) => {
                    return Ok(Transacted::WriteRefused { index, item });
                }
                Err(Refusal::Invalid(reason)) => {
                    return Ok(Transacted::WriteInvalid { index, reason });
                }
            }
        }
        for change in changes {
            state.tables.apply(change);
        }
        state.tables.remove_deleted();
        if let Some(completion) = &transaction.completion
            && let Some(record) = state.records.get_mut(completion.key.as_str())
        {
            complete(record, completion);
        }
        Ok(Transacted::Applied)
    }
}

fn complete(record: &mut Record, completion: &Completion) {
    record.status = Status::Completed;
    record.expiration = Some(completion.expiration);
    record.in_progress_expiration = None;
    if completion.validation.is_some() {
        record.validation.clone_from(&completion.validation);
    }
    record.data.clone_from(&completion.data);
    record.not_stored.clone_from(&completion.not_stored);
}

/// Warns in Lambda, where other processes do not see the records.
fn warn_in_lambda(environment: &Environment) {
    if environment.is_lambda() {
        tracing::warn!(
            "idempotency records are in the memory of this process: a retry that Lambda hands to \
             another process runs the work again; use a DynamoDbStore"
        );
    }
}

fn is_held(record: &Record, owner: &Owner) -> bool {
    record.status == Status::InProgress && owner.wrote(record)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::{Context, SubscriberExt};

    use super::*;
    use crate::environment::RUNTIME_API;

    /// Counts events.
    struct Count(Arc<AtomicUsize>);

    impl<S: tracing::Subscriber> Layer<S> for Count {
        fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_function_in_lambda_is_warned_that_other_processes_do_not_see_its_records() {
        let warnings = |environment: &Environment| {
            let count = Arc::new(AtomicUsize::new(0));
            let subscriber = tracing_subscriber::registry().with(Count(count.clone()));
            tracing::subscriber::with_default(subscriber, || warn_in_lambda(environment));
            count.load(Ordering::Relaxed)
        };
        assert_eq!(warnings(&Environment::of([(RUNTIME_API, "127.0.0.1:9001")])), 1);
        assert_eq!(warnings(&Environment::of([("HOME", "/root")])), 0);
    }
}
