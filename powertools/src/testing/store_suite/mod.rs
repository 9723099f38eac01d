//! Checks that a [`Store`] follows the rules that the engine relies on.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::clock::Clock;
use crate::idempotency::{Claim, Completion, Outcome, Read, Release, Renewal};
use crate::idempotency::{EpochMillis, EpochSeconds, Key, Owner, Record, Store};

mod durable;
mod races;
mod renewals;
mod results;
mod rules;
mod states;

/// Checks that a [`Store`] follows the rules that the engine relies on. Run it in the tests of your
/// own store.
///
/// ```
/// use powertools::idempotency::MemoryStore;
/// use powertools::testing::store_suite::StoreSuite;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let store = MemoryStore::new();
/// StoreSuite::new(store.clone())
///     .insert_with(move |key, record| {
///         store.insert(key.as_str(), record);
///         async {}
///     })
///     .run()
///     .await;
/// # }
/// ```
///
/// Its keys are new each time, so the store need not be empty. It never sleeps: times are part of
/// the requests. The records that it creates expire within two days.
#[must_use = "a suite checks nothing until it runs"]
pub struct StoreSuite<S> {
    store: Arc<S>,
    insert: Option<Box<Insert>>,
    prefix: String,
    start: EpochMillis,
    keys: AtomicU32,
}

type Insert = dyn Fn(Key, Record) -> BoxFuture<'static, ()> + Send + Sync;

const SECOND: u64 = 1000;
/// How long the suite's claims hold.
const LEASE: u64 = 30 * SECOND;
/// How long the suite's records are kept.
const KEPT: u64 = 3600 * SECOND;

impl<S: Store> StoreSuite<S> {
    /// Creates a suite for `store`.
    ///
    /// # Panics
    ///
    /// Panics if the operating system has no random numbers.
    pub fn new(store: S) -> Self {
        Self {
            store: Arc::new(store),
            insert: None,
            prefix: format!("suite-{}", new_owner().as_str()),
            // A whole second, so that the rules can name a part of it.
            start: EpochMillis(EpochMillis::from(Clock::system().now()).floor().0 * SECOND),
            keys: AtomicU32::new(0),
        }
    }

    /// Lets the suite insert records that no request creates: those of other toolkits,
    /// which lack a time or an owner, and those of later versions.
    ///
    /// `insert` stores a record under a key, replacing any other. Without it, the rules that need
    /// such records are skipped.
    pub fn insert_with<F>(
        mut self,
        insert: impl Fn(Key, Record) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.insert = Some(Box::new(move |key, record| insert(key, record).boxed()));
        self
    }

    /// Checks every rule.
    ///
    /// # Panics
    ///
    /// Panics at the first rule that the store breaks, with its name.
    pub async fn run(self) {
        rules::check(&self).await;
        results::check(&self).await;
        renewals::check(&self).await;
        if self.store.supports_durable() {
            durable::check(&self).await;
        }
        races::check(&self).await;
        if let Some(insert) = &self.insert {
            states::check(&self, insert).await;
        }
    }

    /// Returns a rule to check, on a key that nothing else uses.
    fn rule(&self, name: &'static str) -> Rule<'_, S> {
        let count = self.keys.fetch_add(1, Ordering::Relaxed);
        self.rule_on(name, Key::from(format!("{}-{count}", self.prefix)))
    }

    fn rule_on(&self, name: &'static str, key: Key) -> Rule<'_, S> {
        Rule { store: &self.store, name, key, start: self.start }
    }
}

impl<S> fmt::Debug for StoreSuite<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreSuite").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Returns a claim of `key` by a new owner at `now`. It holds for 30 seconds, and the record for
/// an hour; its fields can be changed.
///
/// # Panics
///
/// Panics if the operating system has no random numbers.
#[must_use]
pub fn claim(key: impl Into<Key>, now: EpochMillis) -> Claim {
    Claim {
        key: key.into(),
        owner: new_owner(),
        now,
        lease_end: EpochMillis(now.0 + LEASE),
        expiration: EpochMillis(now.0 + KEPT).ceil(),
        validation: None,
        timeout: TIMEOUT,
    }
}

/// Returns the completion of the work that `claim` was for, without a result.
#[must_use]
pub fn completion(claim: &Claim) -> Completion {
    Completion {
        key: claim.key.clone(),
        owner: claim.owner.clone(),
        now: claim.now,
        expiration: EpochSeconds(claim.expiration.0 + 1),
        claimed_expiration: claim.expiration,
        lease_end: claim.lease_end,
        validation: claim.validation.clone(),
        data: None,
        not_stored: None,
        timeout: claim.timeout,
    }
}

/// Returns the release of `claim`.
#[must_use]
pub fn release(claim: &Claim) -> Release {
    Release { key: claim.key.clone(), owner: claim.owner.clone(), timeout: claim.timeout }
}

/// Returns a renewal of `claim`, whose lease then holds for another 30 seconds.
#[must_use]
pub fn renewal(claim: &Claim) -> Renewal {
    Renewal {
        key: claim.key.clone(),
        owner: claim.owner.clone(),
        lease_end: EpochMillis(claim.lease_end.0 + LEASE),
        expiration: EpochSeconds(claim.expiration.0 + 1),
        timeout: claim.timeout,
    }
}

/// Returns a look at `key`.
#[must_use]
pub fn read(key: impl Into<Key>) -> Read {
    Read { key: key.into(), timeout: TIMEOUT }
}

/// Long enough for a store that is slow.
const TIMEOUT: Duration = Duration::from_secs(10);

fn new_owner() -> Owner {
    Owner::new().expect("the operating system has random numbers")
}

/// One rule, and the key that it is checked on.
struct Rule<'a, S> {
    store: &'a Arc<S>,
    name: &'static str,
    key: Key,
    start: EpochMillis,
}

impl<S: Store> Rule<'_, S> {
    /// Returns a claim by a new owner, `millis` after the start.
    fn claim_at(&self, millis: u64) -> Claim {
        claim(self.key.clone(), EpochMillis(self.start.0 + millis))
    }

    /// Returns a claim by a new owner whose lease has ended, also by the clock of a server. Its record has not
    /// expired.
    fn ended_claim(&self) -> Claim {
        claim(self.key.clone(), EpochMillis(self.start.0 - 2 * LEASE))
    }

    /// Returns a claim that the store took, at the start.
    async fn claimed(&self) -> Claim {
        let claim = self.claim_at(0);
        self.applied(self.store.claim(&claim).await, "the first claim");
        claim
    }

    /// Returns a claim that the store took, and whose lease has ended.
    async fn lapsed(&self) -> Claim {
        let claim = self.ended_claim();
        self.applied(self.store.claim(&claim).await, "the claim");
        claim
    }

    async fn record(&self) -> Option<Record> {
        match self.store.read(&read(self.key.clone())).await {
            Ok(record) => record,
            Err(error) => self.broken(&format!("a read failed: {error:?}")),
        }
    }

    #[track_caller]
    fn applied(&self, result: Result<Outcome, crate::idempotency::StoreError>, what: &str) {
        if !matches!(result, Ok(Outcome::Applied)) {
            self.broken(&format!("{what} should be applied, and is {result:?}"));
        }
    }

    /// The write was refused, and what was returned, if anything, is what is there.
    async fn refused(&self, result: Result<Outcome, crate::idempotency::StoreError>, what: &str) {
        let Ok(Outcome::Refused(returned)) = result else {
            self.broken(&format!("{what} should be refused, and is {result:?}"));
        };
        if let Some(returned) = returned {
            self.same(Some(*returned), self.record().await, "the record that a refusal returned");
        }
    }

    #[track_caller]
    fn same<T: PartialEq + fmt::Debug>(&self, found: T, expected: T, what: &str) {
        if found != expected {
            self.broken(&format!("{what} should be {expected:#?}, and is {found:#?}"));
        }
    }

    #[track_caller]
    fn broken(&self, problem: &str) -> ! {
        panic!("the store breaks the rule “{}” on key {}: {problem}", self.name, self.key)
    }
}
