//! Processes a batch, record by record or in chunks.

use std::future::Future;
use std::iter::zip;
use std::sync::Arc;

use super::engine::Ended;
use super::handling::Handling;
use super::observer::Observer;
use super::options::Postpone;
use super::plan::{AfterFailure, Plan};
use super::report::List;
use super::spawned::spawned;
use super::{
    Batch, Error, FromRecord, Outcome, Record, RecordError, Report, Reporting, Source, SourceReply,
    ValueOf, engine, visibility,
};
use crate::invocation::OfRecord;
use crate::invocation::budget::{self, Budget, Guarded};

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
    /// `Ok`: the source delivers all of them again, in order.
    ///
    /// A record that cannot be parsed fails alone, and what must not start after it is not in the
    /// chunk. If the handler panics or returns another number of results, all records of the chunk
    /// fail, since it is unknown which result belongs to which record. If the time runs out, the
    /// records of a pending chunk are [stopped](Outcome::Stopped).
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
        let (mut report, prepared) = self.prepare();
        let Some((work, handling)) = prepared else { return report };
        let list = report.records.clone();
        let (handling, records, handler) = (&handling, &list.0[..], &handler);
        let start = move |plan: &mut Plan| {
            let places = plan.start_chunk(size.max(1));
            (!places.is_empty()).then(|| handling.chunk(places, records, handler))
        };
        report.values = work.finish(handling, records, &mut report.outcomes, start).await;
        report.out_of_time = handling.is_out_of_time();
        report
    }

    /// Processes each record by itself: `attempt` parses and handles it. Returns the values beside the
    /// report.
    async fn each<A, Fut, V>(self, attempt: A) -> (Report<S>, Vec<Option<V>>)
    where
        A: Fn(S::Record) -> Fut,
        Fut: Future<Output = Result<V, RecordError>>,
    {
        let (mut report, prepared) = self.prepare();
        let Some((work, handling)) = prepared else {
            let values = report.outcomes.iter().map(|_| None).collect();
            return (report, values);
        };
        let list = report.records.clone();
        let (handling, records, attempt) = (&handling, &list.0[..], &attempt);
        let start = move |plan: &mut Plan| {
            let index = plan.start()?;
            Some(OfRecord::new(index, handling.record(index, &records[index], attempt)))
        };
        let values = work.finish(handling, records, &mut report.outcomes, start).await;
        report.out_of_time = handling.is_out_of_time();
        (report, values)
    }
}

impl<'b, S: Source> Batch<'b, S> {
    /// Returns the report of a batch that has not started, and what processes it: `None` if the
    /// event was rejected.
    #[expect(clippy::type_complexity, reason = "both are used at once, and nowhere else")]
    fn prepare(self) -> (Report<S>, Option<(Work<'b, S::Record>, Handling<'b, S::Record>)>) {
        let mut report = Report {
            source: self.source,
            records: Arc::new(List(Vec::new())),
            outcomes: Vec::new(),
            values: Vec::new(),
            policy: self.policy,
            out_of_time: false,
            cleanup: None,
            refused: None,
        };
        match report.source.take_records() {
            Ok(records) => report.records = Arc::new(List(records)),
            Err(error) => {
                report.refused = Some(error);
                return (report, None);
            }
        }
        let list = &report.records;
        let records = &list.0[..];
        report.outcomes = vec![Outcome::NotStarted; records.len()];
        if let Some(index) = records.iter().position(|record| !record.has_identifier()) {
            report.refused = Some(Error::IdentifierMissing { index });
            return (report, None);
        }

        let after_failure = match S::REPORTING {
            Reporting::Checkpoint => AfterFailure::Earlier,
            Reporting::EachFailure if self.stop_at_first_failure => AfterFailure::None,
            Reporting::EachFailure => AfterFailure::Others,
        };
        let mut plan = Plan::new(records.len(), after_failure);
        // If a failure stops every later record, sequential processing needs no groups.
        if self.concurrency > 1 || after_failure == AfterFailure::Others {
            plan = plan.keep_order(records.iter().map(Record::order));
        }
        let handling =
            Handling::new(self.reserve, list, after_failure, self.sink, self.permanent_if);
        report.cleanup = handling.budget.as_ref().map(Budget::of_cleanup);
        let observer = Observer { hook: self.hook, scope: handling.scope().cloned() };
        let Self { concurrency, postpone, .. } = self;
        (report, Some((Work { plan, concurrency, observer, postpone }, handling)))
    }
}

/// What processes a batch.
struct Work<'b, R> {
    plan: Plan,
    concurrency: usize,
    observer: Observer<'b, R>,
    postpone: Option<Postpone<'b, R>>,
}

impl<R: Record> Work<'_, R> {
    /// Processes all records, writes their outcomes, and returns the values of their handlers.
    async fn finish<F, V>(
        mut self,
        handling: &Handling<'_, R>,
        records: &[R],
        outcomes: &mut [Outcome],
        start: impl Fn(&mut Plan) -> Option<F>,
    ) -> Vec<Option<V>>
    where
        F: Future<Output: IntoIterator<Item = Ended<V>>>,
    {
        let mut values: Vec<_> = outcomes.iter().map(|_| None).collect();
        let observer = &mut self.observer;
        let work = engine::handle(
            self.plan,
            self.concurrency,
            outcomes,
            &mut values,
            start,
            |index, outcome| handling.order_continues(&records[index], outcome),
            |index, outcome| observer.observe(index, &records[index], outcome),
        );
        let ended = Guarded::new(handling.budget.clone(), work).await;
        if !matches!(ended, budget::Ended::Returned(())) {
            handling.note_out_of_time();
        }
        for (index, outcome) in outcomes.iter_mut().enumerate() {
            if matches!(outcome, Outcome::NotStarted) && handling.progress.is_started(index) {
                *outcome = Outcome::Stopped;
            }
        }
        observer.observe_the_rest(records, outcomes);
        if let Some(postpone) = &self.postpone {
            let delays = visibility::delays(zip(records, &*outcomes));
            visibility::postpone(delays, postpone, handling.budget.as_ref()).await;
        }
        values
    }
}
