use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use powertools::batch::{
    self, Batch, FromRecord, Outcome, Record, RecordError, Source, SourceReply,
};
use powertools::idempotency::{self, Call, Idempotency, Operation};
use powertools::testing::{Effects, EventSource, ManualClock, Stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::store::SlowStore;
use crate::interleave::random::Random;

const JOBS: u64 = 24;
const GROUPS: u64 = 5;

/// The instructions of a record.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Job {
    /// Its place among all records.
    pub(super) n: u64,
    /// What it is in order with.
    pub(super) group: u32,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) enum Kind {
    /// Succeeds, if not always at once.
    Good,
    /// Always fails.
    Poison,
    /// Always panics.
    Explosive,
    /// Fails permanently.
    Permanent,
    /// Is not even a job.
    Unreadable,
}

impl Job {
    fn random(n: u64, random: &mut Random) -> Self {
        let kind = match random.within(0, 99) {
            0..84 => Kind::Good,
            84..88 => Kind::Poison,
            88..92 => Kind::Explosive,
            92..96 => Kind::Permanent,
            _ => Kind::Unreadable,
        };
        let group = u32::try_from(random.within(0, GROUPS - 1)).unwrap();
        Self { n, group, kind }
    }

    pub(super) fn text(&self) -> String {
        match self.kind {
            Kind::Unreadable => format!("job {}", self.n),
            _ => json!(self).to_string(),
        }
    }
}

/// A function, its records and its faults, all from one seed.
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) jobs: Vec<Job>,
    pub(super) concurrency: usize,
    pub(super) is_idempotent: bool,
    /// Whether functions hang until they are killed.
    pub(super) hangs: bool,
    clock: ManualClock,
    random: Arc<Mutex<Random>>,
    effects: Arc<OnceLock<Effects>>,
    records: Idempotency<SlowStore>,
    /// The jobs by their keys.
    keys: Arc<Mutex<HashMap<String, u64>>>,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let jobs = (0..JOBS).map(|n| Job::random(n, &mut random)).collect();
        let concurrency = usize::try_from(random.within(1, 6)).unwrap();
        let random = Arc::new(Mutex::new(random));
        let effects = Arc::<OnceLock<Effects>>::default();
        let keys = Arc::<Mutex<HashMap<String, u64>>>::default();
        let store = SlowStore::new(random.clone(), {
            let (effects, keys) = (effects.clone(), keys.clone());
            move |key| effects.get().unwrap().record(format!("saved {}", keys.lock().unwrap()[key]))
        });
        Self {
            seed,
            jobs,
            concurrency,
            is_idempotent: seed.is_multiple_of(2),
            hangs: seed % 4 < 2,
            clock: ManualClock::following_tokio(
                SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30),
            ),
            random,
            effects,
            records: Idempotency::new(store).unwrap(),
            keys,
        }
    }

    pub(super) fn set_up<S>(&self, source: EventSource<S>) -> EventSource<S> {
        self.effects.set(source.effects()).unwrap();
        let source = source
            .seed(self.seed)
            .clock(&self.clock)
            .timeout(Duration::from_secs(4))
            .batch_size(8)
            .irregular_batches()
            .crashes(0.1)
            .timeouts(if self.hangs { 0.1 } else { 0.0 })
            .duplicates(0.1);
        if self.seed.is_multiple_of(3) { source.kill_without_drop() } else { source }
    }

    pub(super) fn set_up_stream(&self, source: EventSource<Stream>) -> EventSource<Stream> {
        self.set_up(source)
            .maximum_retry_attempts(5)
            .on_failure_destination(true)
            .bisect_batch_on_function_error(self.seed % 8 < 4)
    }

    /// The function: handles a batch whose messages are `job`s.
    pub(super) async fn handle<'a, S, M>(
        &'a self,
        batch: Batch<'a, S>,
        job: impl Fn(&M) -> Job,
    ) -> Result<S::Reply, batch::Error>
    where
        S: Source<Reply: SourceReply<S, Value = ()>>,
        M: FromRecord<S::Record>,
    {
        let batch = batch
            .concurrency(self.concurrency)
            .on_outcome(move |record, outcome| {
                self.note(format!("{} {}", word(outcome), id(record)));
            })
            .permanent_sink(move |record: S::Record, _| {
                let id = id(&record);
                async move {
                    self.pause().await;
                    if self.chance(20) {
                        return Err("the sink is blocked");
                    }
                    self.note(format!("sunk {id}"));
                    Ok(())
                }
            });
        let report = match (self.is_idempotent, self.seed / 4 % 2) {
            (false, _) => batch.run(|message: M| self.work(job(&message))).await,
            (true, 0) => batch.run(|message: M| self.work_once(job(&message))).await,
            (true, _) => {
                batch
                    .idempotent(self.records.clone(), "jobs", |work, message: &M| {
                        self.call(work, &job(message))
                    })
                    .run(|message: M| self.work(job(&message)))
                    .await
            }
        };
        report.into_reply()
    }

    async fn work_once(&self, job: Job) -> Result<(), RecordError> {
        self.call(self.records.operation("jobs"), &job)?.run(self.work(job)).await
    }

    fn call(
        &self,
        work: Operation<'_, SlowStore>,
        job: &Job,
    ) -> Result<Call<SlowStore>, idempotency::Error> {
        let call = work.key(&job.n)?;
        let key = call.derived_key().unwrap().to_string();
        self.keys.lock().unwrap().insert(key, job.n);
        Ok(call)
    }

    async fn work(&self, job: Job) -> Result<(), RecordError> {
        self.pause().await;
        match job.kind {
            Kind::Poison => return Err("poison".into()),
            Kind::Explosive => panic!("explosive"),
            Kind::Permanent => return Err(RecordError::permanent("permanent")),
            Kind::Good | Kind::Unreadable => {}
        }
        if self.chance(8) {
            return Err("no luck".into());
        }
        assert!(!self.chance(2), "no luck at all");
        self.note(format!("effect {}", job.n));
        self.pause().await;
        Ok(())
    }

    /// Waits, now and then for long.
    async fn pause(&self) {
        pause(&self.random).await;
    }

    fn chance(&self, percent: u64) -> bool {
        self.random.lock().unwrap().chance(percent)
    }

    fn note(&self, what: String) {
        self.effects.get().unwrap().record(what);
    }
}

pub(super) async fn pause(random: &Mutex<Random>) {
    let (yields, millis) = {
        let mut random = random.lock().unwrap();
        (random.within(0, 2), random.skewed(2_000))
    };
    for _ in 0..yields {
        tokio::task::yield_now().await;
    }
    if millis > 10 {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        // The time of an idempotent record ends with an error of its own, in the work or in the save.
        Outcome::Failed(error) if is_out_of_time(error) => "stopped",
        Outcome::Failed(_) => "failed",
        Outcome::Permanent(_) => "permanent",
        Outcome::Stopped => "stopped",
        _ => "not-started",
    }
}

fn is_out_of_time(error: &RecordError) -> bool {
    use idempotency::Error;

    let error = error.error().downcast_ref();
    matches!(error, Some(Error::OutOfTime { .. } | Error::NotSaved { .. }))
}

/// What a history calls the record.
fn id(record: &impl Record) -> String {
    match json!(record.identifier()) {
        Value::String(id) => id,
        object => format!("{}@{}", object["partition"].as_str().unwrap(), object["offset"]),
    }
}
