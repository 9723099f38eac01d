//! The parts.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use powertools::idempotency::{Claim, Completion, Outcome, Read, Release, Renewal};
use powertools::idempotency::{
    EpochMillis, EpochSeconds, Error, Idempotency, Record, Status, Store, StoreError,
};
use powertools::testing::{ManualClock, invocation};
use powertools::{Clock, Invocation};
use powertools_tests::faulty::FaultyStore;
use tokio::time::sleep;

pub(super) const MILLI: Duration = Duration::from_millis(1);
pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const KEY: &str = "order-1";

/// One function with its store and its clock.
pub(super) struct World {
    pub(super) store: FaultyStore,
    pub(super) clock: ManualClock,
    pub(super) idempotency: Idempotency<FaultyStore>,
    pub(super) runs: Arc<AtomicU32>,
    pub(super) start: SystemTime,
}

impl World {
    pub(super) fn new(store: FaultyStore) -> Self {
        Self::with(store, |options| options)
    }

    pub(super) fn with(
        store: FaultyStore,
        options: impl FnOnce(
            powertools::idempotency::Builder<FaultyStore>,
        ) -> powertools::idempotency::Builder<FaultyStore>,
    ) -> Self {
        let start = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_000);
        let clock = ManualClock::following_tokio(start);
        let builder = Idempotency::builder(store.clone()).clock(clock.clock());
        let idempotency = options(builder).build().unwrap();
        Self { store, clock, idempotency, runs: Arc::default(), start }
    }

    /// Counts the runs of `work`, and passes it the number of the run.
    pub(super) fn count<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> impl Future<Output = Result<T, Failure>> + Send + 'static {
        let runs = self.runs.clone();
        async move {
            let run = runs.fetch_add(1, Ordering::Relaxed) + 1;
            RUN.scope(Cell::new(run), work).await
        }
    }

    pub(super) fn call(
        &self,
        remaining: Duration,
        work: impl Future<Output = Result<String, Failure>> + Send + 'static,
    ) -> impl Future<Output = Result<String, Failure>> + Send + 'static {
        let invocation = self.invocation(remaining);
        let idempotency = self.idempotency.clone();
        let work = self.count(work);
        invocation.scope(async move { idempotency.run("charge", KEY, work).await })
    }

    /// Charges [`KEY`] in an invocation with this much time left.
    pub(super) async fn run<W>(&self, remaining: Duration, work: W) -> Result<String, Failure>
    where
        W: Future<Output = Result<String, Failure>>,
    {
        let runs = &self.runs;
        let counted = async move {
            let run = runs.fetch_add(1, Ordering::Relaxed) + 1;
            RUN.scope(Cell::new(run), work).await
        };
        self.invocation(remaining).scope(self.idempotency.run("charge", KEY, counted)).await
    }

    pub(super) fn spawn(
        &self,
        remaining: Duration,
        work: impl Future<Output = Result<String, Failure>> + Send + 'static,
    ) -> tokio::task::JoinHandle<Result<String, Failure>> {
        tokio::spawn(self.call(remaining, work))
    }

    /// Pays for [`KEY`]; the amount must not change.
    pub(super) async fn pay(&self, amount: u32) -> Result<String, Failure> {
        let call = self.idempotency.operation("pay").key(KEY)?.payload(&amount)?;
        call.run(self.count(async move { Ok(format!("paid {amount}")) })).await
    }

    pub(super) fn invocation(&self, remaining: Duration) -> Invocation {
        let clock: Clock = self.clock.clock();
        let deadline = clock.now() + remaining;
        invocation().clock(clock).deadline(deadline).build()
    }

    pub(super) async fn record_while_running(&self, remaining: Duration) -> Record {
        let records = self.store.records().clone();
        let seen = Arc::new(Mutex::new(None));
        let work = {
            let seen = seen.clone();
            async move {
                *seen.lock().unwrap() = records.snapshot().pop();
                Ok(String::new())
            }
        };
        self.run(remaining, work).await.unwrap();
        let (_, record) = seen.lock().unwrap().take().expect("a record while the work runs");
        record
    }

    pub(super) fn key(&self) -> String {
        let call = self.idempotency.operation("charge").key(KEY).unwrap();
        call.derived_key().unwrap().to_string()
    }

    pub(super) fn millis_at(&self, after: Duration) -> EpochMillis {
        (self.start + after).into()
    }

    pub(super) fn runs(&self) -> u32 {
        self.runs.load(Ordering::Relaxed)
    }
}

tokio::task_local! {
    pub(super) static RUN: Cell<u32>;
}

pub(super) async fn succeed() -> Result<String, Failure> {
    Ok(format!("run {}", RUN.get().get()))
}

pub(super) async fn succeed_after(time: Duration) -> Result<String, Failure> {
    sleep(time).await;
    succeed().await
}

pub(super) async fn fail(reason: &'static str) -> Result<String, Failure> {
    Err(Failure::Handler(reason))
}

/// A handler's error, as users write it.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    Handler(&'static str),
    Idempotency(Arc<Error>),
}

impl Failure {
    pub(super) fn idempotency(&self) -> &Error {
        let Self::Idempotency(error) = self else { panic!("the handler's own error: {self:?}") };
        error
    }

    /// The name of the error without what all of them begin with.
    pub(super) fn name(&self) -> &'static str {
        let name = self.idempotency().error_type().strip_prefix("Powertools.Idempotency").unwrap();
        if name.starts_with("Store") { "Store" } else { name }
    }
}

impl PartialEq for Failure {
    fn eq(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Handler(a), Self::Handler(b)) if a == b)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Idempotency(Arc::new(error))
    }
}

pub(super) fn only_record(world: &World) -> Record {
    let mut records = world.store.records().snapshot();
    assert_eq!(records.len(), 1, "{records:?}");
    records.remove(0).1
}

/// A live claim of another owner.
pub(super) fn other_record(world: &World) -> Record {
    let mut record = Record::new(Status::InProgress);
    record.expiration = Some(EpochSeconds(world.millis_at(3600 * SECOND).floor().0));
    record.in_progress_expiration = Some(world.millis_at(60 * SECOND));
    record.owner = Some("0123456789abcdef0123456789abcdef".to_owned());
    record
}

pub(super) fn take_over(records: &powertools::idempotency::MemoryStore, record: Record) {
    let (key, _) = records.snapshot().remove(0);
    records.insert(key, record);
}

pub(super) fn remove_all(records: &powertools::idempotency::MemoryStore) {
    for (key, _) in records.snapshot() {
        records.remove(&key);
    }
}

/// Panics if two of them are alive.
pub(super) struct Running(Arc<AtomicU32>);

impl Running {
    pub(super) fn new(running: &Arc<AtomicU32>) -> Self {
        assert_eq!(running.fetch_add(1, Ordering::Relaxed), 0, "two runs overlap");
        Self(running.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Refuses every claim with a record that has just expired.
#[derive(Clone, Debug, Default)]
pub(super) struct Elusive(pub(super) Arc<Mutex<Vec<EpochMillis>>>);

impl Store for Elusive {
    fn scope(&self) -> &str {
        "elusive"
    }

    async fn claim(&self, claim: &Claim) -> Result<Outcome, StoreError> {
        self.0.lock().unwrap().push(claim.now);
        sleep(MILLI).await;
        let mut record = Record::new(Status::InProgress);
        record.in_progress_expiration = Some(EpochMillis(claim.now.0 - 1));
        Ok(Outcome::Refused(Some(Box::new(record))))
    }

    async fn complete(&self, _: &Completion) -> Result<Outcome, StoreError> {
        unreachable!("nothing was claimed")
    }

    async fn renew(&self, _: &Renewal) -> Result<Outcome, StoreError> {
        unreachable!("nothing was claimed")
    }

    async fn release(&self, _: &Release) -> Result<Outcome, StoreError> {
        unreachable!("nothing was claimed")
    }

    async fn read(&self, _: &Read) -> Result<Option<Record>, StoreError> {
        unreachable!("the record was returned")
    }
}
