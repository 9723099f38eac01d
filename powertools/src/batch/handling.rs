//! How one record, or a chunk of them, is handled.

use std::collections::HashSet;
use std::error::Error as StdError;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;

use super::engine::Ended;
use super::options::{Classifier, Sink};
use super::plan::AfterFailure;
use super::progress::Progress;
use super::report::{List, name};
use super::{FromRecord, Outcome, Record, RecordError};
use crate::clock::Clock;
use crate::error::causes::{caught, causes};
use crate::error::own;
use crate::error::registry::Held;
use crate::events::ParseError;
use crate::invocation::Invocation;
use crate::invocation::budget::{self, Budget, Guarded, warn_if_missed};

/// A lease that ends later than this is not waited for.
const SHORT_LEASE: Duration = Duration::from_secs(2);

/// The maximum number of retries of a record that a lease excluded.
const RETRIES: usize = 2;

/// How records are handled.
pub(super) struct Handling<'b, R> {
    /// `None` outside an invocation.
    pub(super) budget: Option<Budget>,
    pub(super) progress: Progress,
    after_failure: AfterFailure,
    sink: Option<Sink<'b, R>>,
    permanent_if: Option<Classifier<'b>>,
    out_of_time: AtomicBool,
    /// How records ended that cannot be parsed. Their chunk may be stopped before it returns that.
    unparsed: Mutex<Vec<(usize, Outcome)>>,
}

impl<'b, R: Record> Handling<'b, R> {
    pub(super) fn new(
        reserve: Duration,
        records: &Arc<List<R>>,
        after_failure: AfterFailure,
        sink: Option<Sink<'b, R>>,
        permanent_if: Option<Classifier<'b>>,
    ) -> Self {
        Self {
            budget: budget(reserve, records),
            progress: Progress::new(records.0.len()),
            after_failure,
            sink,
            permanent_if,
            out_of_time: AtomicBool::new(false),
            unparsed: Mutex::default(),
        }
    }

    pub(super) fn scope(&self) -> Option<&Invocation> {
        self.budget.as_ref().and_then(Budget::scope)
    }

    /// Returns true if the records after this one in its order may start although it failed.
    pub(super) fn order_continues(&self, record: &R, outcome: &Outcome) -> bool {
        // A record that a lease excluded may still be running elsewhere.
        self.after_failure == AfterFailure::Others
            && outcome.error().is_none_or(|error| own::held(error.error()).is_none())
            && record.is_last_attempt()
    }

    /// Handles one record.
    pub(super) async fn record<A, Fut, V>(
        &self,
        index: usize,
        record: &R,
        attempt: &A,
    ) -> [Ended<V>; 1]
    where
        A: Fn(R) -> Fut,
        Fut: Future<Output = Result<V, RecordError>>,
    {
        // At the first poll and not when the record was scheduled: others may have blocked the
        // thread since.
        if self.is_over() {
            return [(index, Err(Outcome::NotStarted))];
        }
        self.progress.start(index);
        let result = match self.attempt(record, attempt).await {
            Ok(value) => Ok(value),
            // In a box, so that the future of a record that succeeds stays small.
            Err(error) => Box::pin(self.failed(index, record, attempt, error)).await,
        };
        self.progress.end(index);
        [(index, result)]
    }

    /// Attempts to handle a record once.
    async fn attempt<A, Fut, V>(&self, record: &R, attempt: &A) -> Result<V, RecordError>
    where
        A: Fn(R) -> Fut,
        Fut: Future<Output = Result<V, RecordError>>,
    {
        let attempt = AssertUnwindSafe(async { attempt(record.clone()).await });
        let result = attempt.catch_unwind().await;
        let result =
            result.unwrap_or_else(|panic| Err(RecordError::panicked("the record handler", panic)));
        if result.is_err() {
            self.note_interruption();
        }
        result
    }

    /// Handles several records at once. A record without an outcome was not started, since one
    /// before it cannot be parsed.
    pub(super) async fn chunk<M, F, Fut, V, E>(
        &self,
        places: Vec<usize>,
        records: &[R],
        handler: &F,
    ) -> Vec<Ended<V>>
    where
        M: FromRecord<R>,
        F: Fn(Vec<M>) -> Fut,
        Fut: Future<Output = Vec<Result<V, E>>>,
        E: Into<RecordError>,
    {
        if self.is_over() {
            return places.into_iter().map(|index| (index, Err(Outcome::NotStarted))).collect();
        }
        let mut ended = Vec::with_capacity(places.len());
        let mut broken = Broken::default();
        let mut messages = Vec::new();
        // What is settled after the handler: the errors are those of records that cannot be parsed.
        let mut taken: Vec<(usize, Option<RecordError>)> = Vec::new();
        for index in places {
            let record = &records[index];
            if broken.contains(record) {
                continue;
            }
            let parse = || M::from_record(record.clone()).map_err(RecordError::from);
            let message = catch_unwind(AssertUnwindSafe(parse))
                .unwrap_or_else(|panic| Err(RecordError::panicked("parsing a record", panic)));
            match message {
                Ok(message) => {
                    messages.push(message);
                    taken.push((index, None));
                }
                Err(error) => {
                    let error = self.classified(error);
                    // The sink does not get it if one fails that brings it back.
                    let is_behind =
                        |&(other, _): &(usize, _)| self.comes_back_with(record, &records[other]);
                    if error.is_permanent() && self.sink.is_some() && taken.iter().any(is_behind) {
                        taken.push((index, Some(error)));
                        continue;
                    }
                    let outcome = self.settle(record, error).await;
                    self.note(&mut broken, record, &outcome);
                    self.unparsed().push((index, outcome.clone()));
                    ended.push((index, Err(outcome)));
                    if self.after_failure != AfterFailure::Others && !broken.orders.is_empty() {
                        break;
                    }
                }
            }
        }
        // The sink can have taken all of the time.
        if !taken.is_empty() && self.is_over() {
            ended.extend(taken.into_iter().map(|(index, _)| (index, Err(Outcome::NotStarted))));
            return ended;
        }
        for &(index, _) in &taken {
            self.progress.start(index);
        }

        let results = results(messages, handler, "the handler of a chunk").await;
        if results.iter().any(Result::is_err) {
            self.note_interruption();
        }
        let mut results = results.into_iter();
        let mut broken = Broken::default();
        for (index, unparsed) in taken {
            let record = &records[index];
            let result = match unparsed {
                None => results.next().expect("each message has a result"),
                Some(error) => Err(error),
            };
            let result = match result {
                Ok(_) if broken.contains(record) => Err(Outcome::Failed(after_a_failure())),
                Ok(value) => Ok(value),
                // It may have failed only because one before it did.
                Err(error) if self.comes_back(record, &broken) => {
                    Err(Outcome::Failed(error.into_retryable()))
                }
                Err(error) => Err(self.settle(record, error).await),
            };
            if let Err(outcome) = &result {
                self.note(&mut broken, record, outcome);
            }
            self.progress.end(index);
            ended.push((index, result));
        }
        // In the order of the batch: a failure ends its order before the end of another record lets it continue.
        ended.sort_unstable_by_key(|&(index, _)| index);
        ended
    }

    /// Notes that the order of a record must not continue, if that follows from its outcome.
    fn note(&self, broken: &mut Broken, record: &R, outcome: &Outcome) {
        if !outcome.is_done() && !self.order_continues(record, outcome) {
            broken.orders.insert(record.order().map(Into::into));
        }
    }

    /// Returns true if a failure of `earlier` brings this record back, which is behind it in the batch.
    fn comes_back_with(&self, record: &R, earlier: &R) -> bool {
        self.after_failure == AfterFailure::Earlier
            || record.order().is_some_and(|order| earlier.order() == Some(order))
    }

    /// Returns true if a failure before this record in its chunk brings it back.
    fn comes_back(&self, record: &R, broken: &Broken) -> bool {
        broken.contains(record)
            || self.after_failure == AfterFailure::Earlier && !broken.orders.is_empty()
    }

    /// Returns true if the time is over, and notes that a record did not start for that reason.
    fn is_over(&self) -> bool {
        let is_over = self.budget.as_ref().is_some_and(Budget::is_over);
        if is_over {
            self.note_out_of_time();
        }
        is_over
    }

    /// Notes that an error may be what the handler made of an interruption. Afterwards another record, which has
    /// the same scope, may declare that it has handled its own.
    fn note_interruption(&self) {
        if self.scope().is_some_and(Invocation::is_interrupted) {
            self.note_out_of_time();
        }
    }

    /// Notes that records did not start or end for lack of time.
    pub(super) fn note_out_of_time(&self) {
        self.out_of_time.store(true, Ordering::Relaxed);
    }

    /// Returns how the records of chunks ended that cannot be parsed, also of chunks that were stopped.
    pub(super) fn take_unparsed(&self) -> Vec<(usize, Outcome)> {
        mem::take(&mut *self.unparsed())
    }

    fn unparsed(&self) -> MutexGuard<'_, Vec<(usize, Outcome)>> {
        self.unparsed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns true if records did not start or end for lack of time.
    pub(super) fn is_out_of_time(&self) -> bool {
        self.out_of_time.load(Ordering::Relaxed)
    }

    /// Returns the value or the outcome of a record whose first attempt failed.
    async fn failed<A, Fut, V>(
        &self,
        index: usize,
        record: &R,
        attempt: &A,
        mut error: RecordError,
    ) -> Result<V, Outcome>
    where
        A: Fn(R) -> Fut,
        Fut: Future<Output = Result<V, RecordError>>,
    {
        for retry in 0..RETRIES {
            let Some(Held { until: Some(end) }) = own::held(error.error()) else { break };
            let waited = match self.wait_for(end) {
                Some(wait) if retry == 0 => {
                    tokio::time::sleep(wait).await;
                    true
                }
                _ if self.is_of_this_batch(end) => self.progress.wait_for_others(index).await,
                _ => false,
            };
            if !waited {
                break;
            }
            match self.attempt(record, attempt).await {
                Ok(value) => return Ok(value),
                Err(again) => error = again,
            }
        }
        Err(self.settle(record, error).await)
    }

    /// Returns the outcome of a record with this error.
    async fn settle(&self, record: &R, error: RecordError) -> Outcome {
        let error = self.classified(error);
        if error.is_permanent() { self.sink(record, error).await } else { Outcome::Failed(error) }
    }

    /// Returns the error, as a permanent one if the batch's own classifier says so.
    fn classified(&self, error: RecordError) -> RecordError {
        if let Some(classify) = &self.permanent_if
            && !error.is_permanent()
            && !may_be_parsed_later(error.error())
            && catch_unwind(AssertUnwindSafe(|| classify(error.error()))).unwrap_or_else(|panic| {
                let panic = caught(panic);
                tracing::warn!(panic, "the classifier of a batch panicked");
                false
            })
        {
            return error.into_permanent();
        }
        error
    }

    /// Returns how long to wait until a lease expires, if it expires soon.
    fn wait_for(&self, lease_end: SystemTime) -> Option<Duration> {
        let now = match self.scope() {
            Some(scope) => scope.clock().now(),
            None => Clock::system().now(),
        };
        let lease = lease_end.duration_since(now).unwrap_or_default();
        // A lease includes its last millisecond.
        let wait = lease + Duration::from_millis(1);
        let in_time = self.budget.as_ref().is_none_or(|budget| wait < budget.left());
        (lease <= SHORT_LEASE && in_time).then_some(wait)
    }

    /// Returns true if a lease may be that of another record of this batch: leases of this invocation
    /// outlast it, and those of earlier invocations rarely do.
    fn is_of_this_batch(&self, lease_end: SystemTime) -> bool {
        self.scope().is_none_or(|scope| lease_end >= scope.deadline())
    }

    /// Sends a record that failed permanently to the sink, if there is one. It is stopped alone if the time runs
    /// out: the results of the others in its chunk are known by then.
    async fn sink(&self, record: &R, error: RecordError) -> Outcome {
        let Some(sink) = &self.sink else { return Outcome::Failed(error) };
        let taken = async { sink(record.clone(), error.clone()).await };
        let taken = Guarded::new(self.budget.as_ref().map(Budget::of_part), taken);
        // The guard of the batch waits for that of the sink.
        let _cleanup = self.scope().map(Invocation::cleanup_guard);
        let reason = match AssertUnwindSafe(taken).catch_unwind().await {
            Ok(budget::Ended::Returned(Ok(()))) => return Outcome::Permanent(error),
            Ok(budget::Ended::Returned(Err(reason))) => RecordError::retry(reason),
            Ok(budget::Ended::Stopped | budget::Ended::NotStarted) => {
                self.note_out_of_time();
                RecordError::retry("the time ran out")
            }
            Err(panic) => RecordError::panicked("the sink", panic),
        };
        tracing::warn!(record = name(record), %reason, "the sink did not accept a record");
        // Another delivery brings it to the sink again.
        Outcome::Failed(error.into_retryable())
    }
}

/// Returns true if the error is, or was caused by, one that says nothing about the record itself: what
/// parsing it takes was not available.
fn may_be_parsed_later(error: &(dyn StdError + 'static)) -> bool {
    causes(error).filter_map(|error| error.downcast_ref()).any(ParseError::is_retryable)
}

/// The orders of a chunk that must not continue; `None` is that of a record without one.
#[derive(Default)]
struct Broken {
    orders: HashSet<Option<String>>,
}

impl Broken {
    fn contains(&self, record: &impl Record) -> bool {
        !self.orders.is_empty()
            && record.order().is_some_and(|order| self.orders.contains(&Some(order.into())))
    }
}

/// Returns the error of a record that was handled although one before it in its order failed.
pub(super) fn after_a_failure() -> RecordError {
    RecordError::retry("a record before it in its order failed, and they are delivered in order")
}

/// Returns a result for each item, by what takes many at once. If it panics or returns another number of results,
/// all fail, since it is unknown whose they are.
pub(super) async fn results<M, F, Fut, V, E>(
    items: Vec<M>,
    take: &F,
    who: &str,
) -> Vec<Result<V, RecordError>>
where
    F: Fn(Vec<M>) -> Fut,
    Fut: Future<Output = Vec<Result<V, E>>>,
    E: Into<RecordError>,
{
    let count = items.len();
    if count == 0 {
        return Vec::new();
    }
    let results = AssertUnwindSafe(async { take(items).await }).catch_unwind().await;
    let error = match results {
        Ok(results) if results.len() == count => {
            return results.into_iter().map(|result| result.map_err(Into::into)).collect();
        }
        Ok(results) => {
            let results = results.len();
            RecordError::retry(format!("{who} returned {results} results for {count} records"))
        }
        Err(panic) => RecordError::panicked(who, panic),
    };
    (0..count).map(|_| Err(error.clone())).collect()
}

/// Returns the budget of a batch that starts now; `None` outside an invocation.
fn budget<R: Record>(reserve: Duration, records: &Arc<List<R>>) -> Option<Budget> {
    let current = Invocation::current();
    if current.is_none() {
        warn_if_missed("a batch");
    }
    current.map(|current| {
        let reserved = Budget::reserving(&current, reserve, "a batch");
        reserved.for_records(records.clone()).strict()
    })
}
