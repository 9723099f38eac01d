//! A store that fails on request.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use powertools::idempotency::transaction::Write;
use powertools::idempotency::{Claim, Completion, Outcome, Read, Reentry, Release, Renewal};
use powertools::idempotency::{MemoryStore, Record, Store, StoreError, StoreErrorKind};
use powertools::idempotency::{TransactStore, Transacted, Transaction};

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It is refused before it has an effect.
    Fail(StoreErrorKind),
    /// It has its effect, and its reply is lost.
    LoseReply,
    /// It has its effect, and its reply is lost; the store's own second attempt is then refused
    /// by what the first one wrote.
    LoseReplyAndRetry,
    /// It takes this long.
    Slow(Duration),
    /// It never ends and has no effect.
    Hang,
    /// It has its effect, and never ends.
    HangAfter,
    /// It panics.
    Panic,
}

/// The calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `Store::claim`.
    Claim,
    /// `Store::complete`.
    Complete,
    /// `Store::renew`.
    Renew,
    /// `TransactStore::transact`.
    Transact,
    /// `Store::release`.
    Release,
    /// `Store::reenter`.
    Reenter,
    /// `Store::read`.
    Read,
}

/// A [`MemoryStore`] with faults and a log of the calls. Clones share everything.
#[derive(Clone, Debug)]
pub struct FaultyStore {
    inner: MemoryStore,
    returns_old: bool,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    faults: VecDeque<(Op, Fault)>,
    calls: Vec<Op>,
    tokens: Vec<String>,
    attempts: Vec<String>,
    late: Option<Duration>,
    copy: Option<Duration>,
}

impl FaultyStore {
    /// Creates a store without faults, which returns the existing record when it refuses a write.
    #[must_use]
    pub fn new() -> Self {
        Self { inner: MemoryStore::new(), returns_old: true, state: Arc::default() }
    }

    /// Creates a store without faults, which does not return the existing record when it refuses a write.
    #[must_use]
    pub fn without_old_items() -> Self {
        Self { returns_old: false, ..Self::new() }
    }

    /// Injects `fault` into the next call of `op` that has none yet.
    #[must_use]
    pub fn fault(self, op: Op, fault: Fault) -> Self {
        self.state().faults.push_back((op, fault));
        self
    }

    /// Lets the next transaction take effect this much later, after its sender has given up.
    pub fn delay_transaction(&self, after: Duration) {
        self.state().late = Some(after);
    }

    /// Lets a copy of the next claim take effect this much later.
    pub fn copy_claim(&self, after: Duration) {
        self.state().copy = Some(after);
    }

    /// Returns the tokens of the transactions so far.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        self.state().tokens.clone()
    }

    /// Removes the faults that are still to come.
    pub fn forget_faults(&self) {
        self.state().faults.clear();
    }

    /// Returns the calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Op> {
        self.state().calls.clone()
    }

    /// Returns the attempts of durable executions that claims and re-entries would have written so far.
    #[must_use]
    pub fn attempts(&self) -> Vec<String> {
        self.state().attempts.clone()
    }

    /// Returns the store with the records.
    #[must_use]
    pub fn records(&self) -> &MemoryStore {
        &self.inner
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, op: Op) -> Fault {
        let mut state = self.state();
        state.calls.push(op);
        let next = state.faults.iter().position(|(at, _)| *at == op);
        next.and_then(|at| state.faults.remove(at)).map_or(Fault::None, |(_, fault)| fault)
    }

    /// Makes a write with the fault that is next.
    async fn write<F>(&self, op: Op, write: impl Fn() -> F) -> Result<Outcome, StoreError>
    where
        F: Future<Output = Result<Outcome, StoreError>>,
    {
        match self.call(op, write).await {
            Ok(Outcome::Refused(_)) if !self.returns_old => Ok(Outcome::Refused(None)),
            outcome => outcome,
        }
    }

    async fn call<T, F>(&self, op: Op, write: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let lost = || Err(StoreError::new(StoreErrorKind::Timeout, "the reply was lost"));
        match self.begin(op) {
            Fault::None => write().await,
            Fault::Slow(time) => {
                tokio::time::sleep(time).await;
                write().await
            }
            Fault::Fail(kind) => Err(StoreError::new(kind, "the call was refused")),
            Fault::LoseReply => write().await.and_then(|_| lost()),
            Fault::LoseReplyAndRetry => {
                write().await?;
                write().await
            }
            Fault::Hang => std::future::pending().await,
            Fault::HangAfter => {
                write().await?;
                std::future::pending().await
            }
            Fault::Panic => panic!("the store panics"),
        }
    }
}

impl Default for FaultyStore {
    fn default() -> Self {
        Self::new()
    }
}

impl TransactStore for FaultyStore {
    fn check(&self, completion: Option<&Completion>, writes: &[Write]) -> Result<(), String> {
        self.inner.check(completion, writes)
    }

    async fn transact(&self, transaction: &Transaction) -> Result<Transacted, StoreError> {
        let late = self.state().late.take();
        if let Some(after) = late {
            // Its reply is lost, and it takes effect when no caller waits for it any more.
            let (store, transaction) = (self.inner.clone(), transaction.clone());
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                let _ = store.transact(&transaction).await;
            });
            self.state().calls.push(Op::Transact);
            return Err(StoreError::new(StoreErrorKind::Timeout, "the reply was lost"));
        }
        self.state().tokens.push(transaction.token.clone());
        self.call(Op::Transact, || self.inner.transact(transaction)).await
    }
}

impl Store for FaultyStore {
    fn scope(&self) -> &str {
        self.inner.scope()
    }

    async fn claim(&self, claim: &Claim) -> Result<Outcome, StoreError> {
        self.state().attempts.extend(claim.owner.attempt().map(str::to_owned));
        let copy = self.state().copy.take();
        if let Some(after) = copy {
            let (store, claim) = (self.inner.clone(), claim.clone());
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                let _ = store.claim(&claim).await;
            });
        }
        self.write(Op::Claim, || self.inner.claim(claim)).await
    }

    async fn complete(&self, completion: &Completion) -> Result<Outcome, StoreError> {
        self.write(Op::Complete, || self.inner.complete(completion)).await
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Outcome, StoreError> {
        self.write(Op::Renew, || self.inner.renew(renewal)).await
    }

    async fn release(&self, release: &Release) -> Result<Outcome, StoreError> {
        self.write(Op::Release, || self.inner.release(release)).await
    }

    fn supports_durable(&self) -> bool {
        self.inner.supports_durable()
    }

    async fn reenter(&self, reentry: &Reentry) -> Result<Outcome, StoreError> {
        self.state().attempts.extend(reentry.owner.attempt().map(str::to_owned));
        self.write(Op::Reenter, || self.inner.reenter(reentry)).await
    }

    async fn read(&self, read: &Read) -> Result<Option<Record>, StoreError> {
        match self.begin(Op::Read) {
            Fault::Fail(kind) => Err(StoreError::new(kind, "the call was refused")),
            Fault::Hang | Fault::HangAfter => std::future::pending().await,
            Fault::LoseReply => Err(StoreError::new(StoreErrorKind::Timeout, "the reply was lost")),
            Fault::Slow(time) => {
                tokio::time::sleep(time).await;
                self.inner.read(read).await
            }
            Fault::Panic => panic!("the store panics"),
            Fault::None | Fault::LoseReplyAndRetry => self.inner.read(read).await,
        }
    }
}
