use std::fmt;
use std::sync::{Arc, Mutex};

use powertools::idempotency::Record;
use powertools::idempotency::{
    Claim, Completion, MemoryStore, Outcome, Read, Release, Renewal, Store, StoreError,
};

use super::world::pause;
use crate::interleave::random::Random;

/// A store on the other side of a network: it takes its time before and after each step.
pub(super) struct SlowStore {
    records: MemoryStore,
    random: Arc<Mutex<Random>>,
    saved: Box<dyn Fn(&str) + Send + Sync>,
}

impl SlowStore {
    /// Calls `saved` with each key whose work is known to be done from now on.
    pub(super) fn new(
        random: Arc<Mutex<Random>>,
        saved: impl Fn(&str) + Send + Sync + 'static,
    ) -> Self {
        Self { records: MemoryStore::new(), random, saved: Box::new(saved) }
    }
}

impl fmt::Debug for SlowStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.records.fmt(f)
    }
}

impl Store for SlowStore {
    fn scope(&self) -> &str {
        self.records.scope()
    }

    async fn claim(&self, claim: &Claim) -> Result<Outcome, StoreError> {
        pause(&self.random).await;
        let outcome = self.records.claim(claim).await;
        pause(&self.random).await;
        outcome
    }

    async fn complete(&self, completion: &Completion) -> Result<Outcome, StoreError> {
        pause(&self.random).await;
        let outcome = self.records.complete(completion).await;
        if matches!(outcome, Ok(Outcome::Applied)) {
            (self.saved)(completion.key.as_str());
        }
        pause(&self.random).await;
        outcome
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Outcome, StoreError> {
        pause(&self.random).await;
        self.records.renew(renewal).await
    }

    async fn release(&self, release: &Release) -> Result<Outcome, StoreError> {
        pause(&self.random).await;
        self.records.release(release).await
    }

    async fn read(&self, read: &Read) -> Result<Option<Record>, StoreError> {
        pause(&self.random).await;
        self.records.read(read).await
    }
}
