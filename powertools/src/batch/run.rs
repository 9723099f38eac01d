//! Processes a batch, record by record or in chunks.

use std::future::Future;
use std::iter::zip;
use std::sync::Arc;

use super::engine::Ended;
use super::handling::Handling;
use super::observer::Observer;
use super::options::{Hook, Postpone};
use super::plan::{AfterFailure, Plan};
use super::report::{List, Policy};
use super::spawned::spawned;
use super::{
    Batch, Error, FromRecord, Outcome, Record, RecordError, Report, Reporting, Source, SourceReply,
    ValueOf, engine, visibility,
};
use crate::invocation::budget::{self, Budget, Guarded};
use crate::invocation::{Invocation, OfRecord};

impl<S: Source> Batch<'_, S> {
    /// Processes each record with `handler`, which takes the record or a type that is created from
    /// it, such as a [`Message`](super::Message). It returns `()`, or what the
    /// [reply](Source::Reply) has for each record, such as the
    /// `Transformed` of Firehose.
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
        Fut: Future<Output = Result<ValueOf<S>, E>>,
        E: Into<RecordError>,
    {
        let handler = &handler;
        let attempt =
            move |record| async move { handler(M::from_record(record)?).await.map_err(Into::into) };
        let (mut report, values) = self.each(attempt).await;
        report.values = values;
        report
    }

    /// Processes each record with `handler`, like [`run`](Self::run), and returns the values of the
    /// records in addition to the report: one for each of its [records](Report::records), in their
    /// order. The value of a record that did not succeed is `None`.
    ///
    /// With [`Report::fail`] a later step can still report records, for example when their values are
    /// written together:
    ///
    /// ```
    /// use std::iter::zip;
    /// use powertools::batch::{self, Message};
    /// use powertools::events::SqsEvent;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), batch::Error> {
    /// # let event: SqsEvent = serde_json::from_str(r#"{"Records":[{"messageId":"m-1","body":"1"}, {"messageId":"m-2","body":"2"}]}"#).unwrap();
    /// let handler = async |n: Message<u64>| Ok::<_, batch::RecordError>(10 * n.body);
    /// let (mut report, values) = batch::sqs(event).concurrency(8).run_with(handler).await;
    ///
    /// let mut too_large = Vec::new();
    /// for ((record, _), value) in zip(report.records(), values) {
    ///     if value > Some(10) {
    ///         too_large.extend(batch::Record::identifier(record));
    ///     }
    /// }
    /// for id in &too_large {
    ///     report.fail(id, "the sum is too large");
    /// }
    /// let reply = serde_json::to_string(&report.into_reply()?).unwrap();
    /// assert_eq!(reply, r#"{"batchItemFailures":[{"itemIdentifier":"m-2"}]}"#);
    /// # Ok(()) }
    /// ```
    pub async fn run_with<M, F, Fut, T, E>(self, handler: F) -> (Report<S>, Vec<Option<T>>)
    where
        S: Source<Reply: SourceReply<S, Value = ()>>,
        M: FromRecord<S::Record>,
        F: Fn(M) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Into<RecordError>,
    {
        let handler = &handler;
        let attempt =
            move |record| async move { handler(M::from_record(record)?).await.map_err(Into::into) };
        let (mut report, values) = self.each(attempt).await;
        report.values = values.iter().map(|value| value.as_ref().map(|_| ())).collect();
        (report, values)
    }

    /// Processes each record with `handler` in a task of its own, like [`run`](Self::run): records that
    /// compute use as many cores as the tokio runtime has threads.
    ///
    /// [`concurrency`](Self::concurrency) is the number of tasks at the same time. A record is also
    /// parsed in its task, which has the scope of the record and the current span. A panic is the
    /// record's failure. If the time runs out, a task is aborted: it ends at its next `.await`, and
    /// the reply does not wait for it.
    ///
    /// ```
    /// use lambda_runtime::{Error, LambdaEvent};
    /// use powertools::batch::{self, Message, Reply};
    /// use powertools::events::SqsEvent;
    ///
    /// async fn resize(image: Message<String>) -> Result<(), Error> {
    ///     println!("computes for a while: {}", image.body);
    ///     Ok(())
    /// }
    ///
    /// async fn handle(event: LambdaEvent<SqsEvent>) -> Result<Reply, batch::Error> {
    ///     let cores = std::thread::available_parallelism().map_or(1, usize::from);
    ///     batch::sqs(event.payload).concurrency(cores).run_spawned(resize).await.into_reply()
    /// }
    /// # let _ = handle;
    /// ```
    pub async fn run_spawned<M, F, Fut, E>(self, handler: F) -> Report<S>
    where
        M: FromRecord<S::Record> + 'static,
        F: Fn(M) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ValueOf<S>, E>> + Send + 'static,
        E: Into<RecordError> + 'static,
        ValueOf<S>: Send + 'static,
    {
        let handler = Arc::new(handler);
        let attempt = move |record| {
            let handler = handler.clone();
            spawned(async move {
                let work = handler(M::from_record(record)?);
                work.await.map_err(Into::into)
            })
        };
        let (mut report, values) = self.each(attempt).await;
        report.values = values;
        report
    }

    /// Processes the records in chunks of up to `size`, for work that takes many records at once, such
    /// as a bulk request. `handler` returns a result for each record of its chunk, in their order.
    ///
    /// [`concurrency`](Self::concurrency) is the number of chunks at the same time. A chunk has
    /// records of one order in their order, and no other chunk has records of that order meanwhile. If
    /// one of them fails, those after it in its order count as failed too, even if their results are
    /// `Ok`: the source delivers all of them again, in order. A stream delivers everything after the
    /// failure again, whatever its order, also at a concurrency of 1. None of what a failure before it in
    /// the chunk brings back goes to the [sink](Self::permanent_sink), even if its own error is permanent.
    ///
    /// A record that cannot be parsed fails alone, and what must not start after it is not in the
    /// chunk. One that would go to the [sink](Self::permanent_sink) waits for those before it in the
    /// chunk that can bring it back, and those after it are in the chunk. If the handler panics or returns
    /// another number of results, all records of the chunk fail, since it is unknown which result belongs
    /// to which record. If the time runs out, the records that the handler of a pending chunk has are
    /// [stopped](Outcome::Stopped), unless only the sink is still pending.
    ///
    /// The scope of a chunk is that of the batch: it has no [record](crate::Invocation::record).
    ///
    /// ```
    /// use lambda_runtime::LambdaEvent;
    /// use powertools::batch::{self, Message, RecordError, Reply};
    /// use powertools::events::SqsEvent;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Order {
    ///     id: String,
    /// }
    ///
    /// /// Writes all orders with one request, and returns the result of each.
    /// async fn index(orders: Vec<Message<Order>>) -> Vec<Result<(), RecordError>> {
    ///     let written = |order: &Message<Order>| {
    ///         if order.body.id.is_empty() { Err("rejected".into()) } else { Ok(()) }
    ///     };
    ///     orders.iter().map(written).collect()
    /// }
    ///
    /// async fn handle(event: LambdaEvent<SqsEvent>) -> Result<Reply, batch::Error> {
    ///     batch::sqs(event.payload).run_chunks(500, index).await.into_reply()
    /// }
    /// # let _ = handle;
    /// ```
    pub async fn run_chunks<M, F, Fut, E>(self, size: usize, handler: F) -> Report<S>
    where
        M: FromRecord<S::Record>,
        F: Fn(Vec<M>) -> Fut,
        Fut: Future<Output = Vec<Result<ValueOf<S>, E>>>,
        E: Into<RecordError>,
    {
        let mut prepared = self.prepare();
        // In a box, and in a block, as in `each`.
        let work = Box::pin(async move {
            let values = match &mut prepared {
                Ok(work) => {
                    let handler = &handler;
                    let process = work.process(move |handling, records, plan| {
                        let places = plan.start_chunk(size.max(1));
                        (!places.is_empty()).then(|| handling.chunk(places, records, handler))
                    });
                    process.await
                }
                Err(_) => Vec::new(),
            };
            let mut report = prepared.map_or_else(|refused| *refused, Work::into_report);
            report.values = values;
            report
        });
        work.await
    }

    /// Processes each record by itself: `attempt` parses and handles it. Returns the values beside the
    /// report.
    fn each<A, Fut, V>(self, attempt: A) -> impl Future<Output = (Report<S>, Vec<Option<V>>)>
    where
        A: Fn(S::Record) -> Fut,
        Fut: Future<Output = Result<V, RecordError>>,
    {
        let mut prepared = self.prepare();
        // In a box, because the future of a handler is moved several times before it is polled. In a
        // block, because an async function has room for its arguments twice.
        Box::pin(async move {
            let values = match &mut prepared {
                Ok(work) => {
                    let attempt = &attempt;
                    let process = work.process(move |handling, records, plan| {
                        let index = plan.start()?;
                        let record = handling.record(index, &records[index], attempt);
                        Some(OfRecord::new(index, record))
                    });
                    process.await
                }
                Err(refused) => refused.outcomes.iter().map(|_| None).collect(),
            };
            (prepared.map_or_else(|refused| *refused, Work::into_report), values)
        })
    }
}

impl<'b, S: Source> Batch<'b, S> {
    /// Returns what processes the batch, or its report if the event is rejected.
    fn prepare(self) -> Result<Work<'b, S>, Box<Report<S>>> {
        let Self { mut source, policy, concurrency, hook, postpone, .. } = self;
        let (records, mut refused) = match source.take_records() {
            Ok(records) => (records, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        if let Some(index) = records.iter().position(|record| !record.has_identifier()) {
            refused = Some(Error::IdentifierMissing { index });
        }
        let records = Arc::new(List(records));
        let outcomes = vec![Outcome::NotStarted; records.0.len()];
        if refused.is_some() {
            let report = Report::new(source, records, outcomes, policy);
            return Err(Box::new(Report { refused, ..report }));
        }

        let after_failure = match S::REPORTING {
            Reporting::Checkpoint => AfterFailure::Earlier,
            Reporting::EachFailure if self.stop_at_first_failure => AfterFailure::None,
            Reporting::EachFailure => AfterFailure::Others,
        };
        let mut plan = Plan::new(outcomes.len(), after_failure);
        // If a failure stops every later record, sequential processing needs no groups.
        if concurrency > 1 || after_failure == AfterFailure::Others {
            plan = plan.keep_order(records.0.iter().map(Record::order));
        }
        let handling =
            Handling::new(self.reserve, &records, after_failure, self.sink, self.permanent_if);
        Ok(Work { source, policy, records, outcomes, plan, concurrency, hook, postpone, handling })
    }
}

/// A batch that is being processed.
struct Work<'b, S: Source> {
    /// The event without its records.
    source: S,
    policy: Policy,
    records: Arc<List<S::Record>>,
    outcomes: Vec<Outcome>,
    plan: Plan,
    concurrency: usize,
    hook: Option<Hook<'b, S::Record>>,
    postpone: Option<Postpone<'b, S::Record>>,
    handling: Handling<'b, S::Record>,
}

impl<'b, S: Source> Work<'b, S> {
    /// Processes all records, writes their outcomes, and returns the values of their handlers.
    async fn process<'w, F, V>(
        &'w mut self,
        start: impl Fn(&'w Handling<'b, S::Record>, &'w [S::Record], &mut Plan) -> Option<F>,
    ) -> Vec<Option<V>>
    where
        F: Future<Output: IntoIterator<Item = Ended<V>>>,
    {
        let Self { plan, outcomes, hook, handling, .. } = self;
        let (handling, records) = (&*handling, &self.records.0[..]);
        let mut observer = Observer { hook: hook.as_mut(), scope: handling.scope() };
        let mut values: Vec<_> = outcomes.iter().map(|_| None).collect();
        let work = engine::handle(
            plan,
            self.concurrency,
            outcomes,
            &mut values,
            |plan| start(handling, records, plan),
            |index, outcome| handling.order_continues(&records[index], outcome),
            |index, outcome| observer.observe(index, &records[index], outcome),
        );
        let ended = Guarded::new(handling.budget.clone(), work).await;
        // A guard around a part of a record can stop it, or a record can end by itself at the limit.
        let is_interrupted = handling.scope().is_some_and(Invocation::is_interrupted);
        let is_stopped = !matches!(ended, budget::Ended::Returned(()));
        if is_interrupted || is_stopped {
            handling.note_out_of_time();
        }
        for (index, outcome) in handling.take_unparsed() {
            if matches!(outcomes[index], Outcome::NotStarted) {
                observer.observe(index, &records[index], &outcome);
                outcomes[index] = outcome;
            }
        }
        for (index, outcome) in outcomes.iter_mut().enumerate() {
            if matches!(outcome, Outcome::NotStarted) && handling.progress.is_started(index) {
                *outcome = Outcome::Stopped;
            }
        }
        // A guard around a part of a record, which is noted too, keeps no other record from starting.
        let is_over = is_stopped || handling.budget.as_ref().is_some_and(Budget::is_over);
        observer.observe_the_rest(records, outcomes, is_over);
        if let Some(postpone) = &self.postpone {
            let delays = visibility::delays(zip(records, &*outcomes), |record, outcome| {
                handling.order_continues(record, outcome)
            });
            visibility::postpone(delays, postpone, handling.budget.as_ref()).await;
        }
        values
    }

    fn into_report(self) -> Report<S> {
        let Self { source, policy, records, outcomes, handling, .. } = self;
        Report {
            out_of_time: handling.is_out_of_time(),
            cleanup: handling.budget.as_ref().map(Budget::of_cleanup),
            ..Report::new(source, records, outcomes, policy)
        }
    }
}
