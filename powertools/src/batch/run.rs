//! Processes a batch, and each record of it.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;

use super::observer::Observer;
use super::options::{Classifier, Sink};
use super::plan::{AfterFailure, Plan};
use super::progress::Progress;
use super::report::{List, name};
use super::{
    Batch, Error, FromRecord, Outcome, Record, RecordError, Report, Reporting, Source, engine,
};
use crate::clock::Clock;
use crate::error::causes::caught;
use crate::error::own;
use crate::error::registry::Held;
use crate::invocation::budget::{Budget, Guarded, warn_if_missed};
use crate::invocation::{Invocation, OfRecord};

/// A lease that ends later than this is not waited for.
const SHORT_LEASE: Duration = Duration::from_secs(2);

/// How often a record is retried that a lease excluded.
const RETRIES: usize = 2;

impl<S: Source> Batch<'_, S> {
    /// Processes each record with `handler`, which takes the record or a type that is created from
    /// it, such as a [`Message`](super::Message).
    ///
    /// A record that cannot be parsed, or whose handler returns an error or panics, fails alone; with
    /// `panic = "abort"` a panic ends the process. The handler may run again for a record in the same
    /// batch if idempotent work was rejected by a lease: a lease that expires within two seconds is
    /// waited for. If it holds until after the deadline, the records that run concurrently are waited
    /// for, because one of them may have the same key. Meanwhile the record counts as running.
    ///
    /// The task that awaits this processes the records. Inside an invocation they are stopped in time
    /// for the reply: see [`reserve`](Self::reserve).
    pub async fn run<M, F, Fut, E>(self, handler: F) -> Report<S>
    where
        M: FromRecord<S::Record>,
        F: Fn(M) -> Fut,
        Fut: Future<Output = Result<(), E>>,
        E: Into<RecordError>,
    {
        let Self { source, concurrency, reserve, stop_at_first_failure, policy, .. } = self;
        let mut report = Report {
            records: Arc::new(List(Vec::new())),
            outcomes: Vec::new(),
            policy,
            refused: None,
        };
        match source.into_records() {
            Ok(records) => report.records = Arc::new(List(records)),
            Err(error) => {
                report.refused = Some(error);
                return report;
            }
        }
        let list = &report.records;
        let records = &list.0[..];
        report.outcomes = vec![Outcome::NotStarted; records.len()];
        if let Some(index) = records.iter().position(|record| !record.has_identifier()) {
            report.refused = Some(Error::IdentifierMissing { index });
            return report;
        }

        let after_failure = match S::REPORTING {
            Reporting::Checkpoint => AfterFailure::Earlier,
            Reporting::EachFailure if stop_at_first_failure => AfterFailure::None,
            Reporting::EachFailure => AfterFailure::Others,
        };
        let mut plan = Plan::new(records.len(), after_failure);
        // If a failure stops every later record, sequential processing needs no groups.
        if concurrency > 1 || after_failure == AfterFailure::Others {
            plan = plan.keep_order(records.iter().map(Record::order));
        }

        let budget = budget(reserve, list);
        let handling = Handling {
            handler: &handler,
            budget: budget.as_ref(),
            sink: self.sink,
            permanent_if: self.permanent_if,
            warned: AtomicBool::new(false),
            progress: Progress::new(records.len()),
        };
        let mut observer = Observer { hook: self.hook, scope: handling.scope().cloned() };
        let outcomes = &mut report.outcomes[..];
        let work = engine::handle(
            plan,
            concurrency,
            outcomes,
            |index| OfRecord::new(index, handling.record(index, &records[index])),
            |index, outcome| {
                // A record that a lease excluded may still be running elsewhere.
                after_failure == AfterFailure::Others
                    && outcome.error().is_none_or(|error| own::held(error.error()).is_none())
                    && records[index].is_last_attempt()
            },
            |index, outcome| observer.see(index, &records[index], outcome),
        );
        Guarded::new(budget.clone(), work).await;
        for (index, outcome) in outcomes.iter_mut().enumerate() {
            if matches!(outcome, Outcome::NotStarted) && handling.progress.is_started(index) {
                *outcome = Outcome::Stopped;
            }
        }
        observer.see_the_rest(records, outcomes);
        report
    }
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

/// How a record is processed.
struct Handling<'a, 'b, R, F> {
    handler: &'a F,
    /// `None` outside an invocation.
    budget: Option<&'a Budget>,
    sink: Option<Sink<'b, R>>,
    permanent_if: Option<Classifier<'b>>,
    /// True after the warning that there is no sink.
    warned: AtomicBool,
    progress: Progress,
}

impl<R: Record, F> Handling<'_, '_, R, F> {
    async fn record<M, Fut, E>(&self, index: usize, record: &R) -> (usize, Outcome)
    where
        M: FromRecord<R>,
        F: Fn(M) -> Fut,
        Fut: Future<Output = Result<(), E>>,
        E: Into<RecordError>,
    {
        // At the first poll and not when the record was scheduled: others may have blocked the
        // thread since.
        if self.budget.is_some_and(Budget::is_over) {
            return (index, Outcome::NotStarted);
        }
        self.progress.start(index);
        let outcome = match self.attempt(record).await {
            Ok(()) => Outcome::Succeeded,
            // In a box, so that the future of a record that succeeds stays small.
            Err(error) => Box::pin(self.failed(index, record, error)).await,
        };
        self.progress.end(index);
        (index, outcome)
    }

    /// Returns the outcome of a record whose first attempt failed.
    async fn failed<M, Fut, E>(&self, index: usize, record: &R, mut error: RecordError) -> Outcome
    where
        M: FromRecord<R>,
        F: Fn(M) -> Fut,
        Fut: Future<Output = Result<(), E>>,
        E: Into<RecordError>,
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
            match self.attempt(record).await {
                Ok(()) => return Outcome::Succeeded,
                Err(again) => error = again,
            }
        }
        if let Some(classify) = &self.permanent_if
            && catch_unwind(AssertUnwindSafe(|| classify(error.error()))).unwrap_or_else(|panic| {
                let panic = caught(panic);
                tracing::warn!(panic, "the classifier of a batch panicked");
                false
            })
        {
            error = error.into_permanent();
        }
        if error.is_permanent() { self.sink(record, error).await } else { Outcome::Failed(error) }
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
        let in_time = self.budget.is_none_or(|budget| wait < budget.left());
        (lease <= SHORT_LEASE && in_time).then_some(wait)
    }

    /// Returns true if a lease may be that of another record of this batch: a lease of this invocation
    /// outlasts it, and those of earlier invocations hardly do.
    fn is_of_this_batch(&self, lease_end: SystemTime) -> bool {
        self.scope().is_none_or(|scope| lease_end >= scope.deadline())
    }

    fn scope(&self) -> Option<&Invocation> {
        self.budget.and_then(Budget::scope)
    }

    /// Runs the handler once.
    async fn attempt<M, Fut, E>(&self, record: &R) -> Result<(), RecordError>
    where
        M: FromRecord<R>,
        F: Fn(M) -> Fut,
        Fut: Future<Output = Result<(), E>>,
        E: Into<RecordError>,
    {
        let result = AssertUnwindSafe(async {
            let message = M::from_record(record.clone())?;
            (self.handler)(message).await.map_err(Into::into)
        })
        .catch_unwind()
        .await;
        result.unwrap_or_else(|panic| Err(RecordError::panicked("the record handler", panic)))
    }

    /// Sends a record that failed permanently to the sink, if there is one.
    async fn sink(&self, record: &R, error: RecordError) -> Outcome {
        let Some(sink) = &self.sink else {
            if !self.warned.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    "a record failed permanently and is still delivered again: the batch has no \
                     permanent_sink"
                );
            }
            return Outcome::Failed(error);
        };
        let taken = async { sink(record.clone(), error.clone()).await };
        let reason = match AssertUnwindSafe(taken).catch_unwind().await {
            Ok(Ok(())) => return Outcome::Permanent(error),
            Ok(Err(reason)) => RecordError::retry(reason),
            Err(panic) => RecordError::panicked("the sink", panic),
        };
        tracing::warn!(record = name(record), %reason, "the sink did not accept a record");
        Outcome::Failed(error)
    }
}
