use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::report::Policy;
use super::{Outcome, RecordError, Source};

pub(super) type BoxError = Box<dyn StdError + Send + Sync>;
pub(super) type Hook<'a, R> = Box<dyn FnMut(&R, &Outcome) + Send + 'a>;
pub(super) type Sink<'a, R> =
    Box<dyn Fn(R, RecordError) -> BoxFuture<'a, Result<(), BoxError>> + Send + Sync + 'a>;
pub(super) type Postpone<'a, R> =
    Box<dyn Fn(Vec<(R, Duration)>) -> BoxFuture<'a, Result<(), BoxError>> + Send + Sync + 'a>;
pub(super) type Classifier<'a> = Box<dyn Fn(&(dyn StdError + 'static)) -> bool + Send + Sync + 'a>;

/// A batch and the options for processing it. Created by [`sqs`](super::sqs) and similar functions.
#[must_use = "a batch does nothing until it runs"]
pub struct Batch<'a, S: Source> {
    pub(super) source: S,
    pub(super) concurrency: usize,
    pub(super) reserve: Duration,
    pub(super) stop_at_first_failure: bool,
    pub(super) policy: Policy,
    pub(super) hook: Option<Hook<'a, S::Record>>,
    pub(super) sink: Option<Sink<'a, S::Record>>,
    pub(super) permanent_if: Option<Classifier<'a>>,
    /// Postpones the next delivery of records.
    pub(super) postpone: Option<Postpone<'a, S::Record>>,
}

impl<'a, S: Source> Batch<'a, S> {
    /// Creates a batch of a source of your own; see [`Source`].
    pub fn new(source: S) -> Self {
        Self {
            source,
            concurrency: 1,
            reserve: Duration::from_secs(1),
            stop_at_first_failure: false,
            policy: Policy { all_or_nothing: !S::ACCEPTS_PARTIAL_RESPONSE, ..Policy::default() },
            hook: None,
            sink: None,
            permanent_if: None,
            postpone: None,
        }
    }

    /// Sets how many records are processed concurrently, at most. The default is 1, which is also
    /// the minimum.
    ///
    /// Records of one order, such as those of a message group, are still processed one after another.
    /// For [`run_chunks`](Self::run_chunks) it is the number of chunks.
    pub fn concurrency(mut self, records: usize) -> Self {
        self.concurrency = records.max(1);
        self
    }

    /// Sets the time before the invocation's deadline that is kept for the reply. The default is 1
    /// second. It is at most half of the function's timeout, but longer than the reserve of a time
    /// guard around the batch.
    ///
    /// With less than that remaining, no record starts, and records that are pending are stopped;
    /// both are reported. Idempotent records release their claims then, for which they have half of
    /// the reserve; results may be saved until 50 ms before the deadline.
    pub fn reserve(mut self, time: Duration) -> Self {
        self.reserve = time;
        self
    }

    /// Starts no record after the first failure, whatever its order.
    ///
    /// For sources that report [each failure](super::Reporting::EachFailure); the others always
    /// behave like this.
    ///
    /// Firehose has no later delivery for what did not start: good records that nothing has touched go under the
    /// error prefix with the failed one.
    pub fn stop_at_first_failure(mut self) -> Self {
        self.stop_at_first_failure = true;
        self
    }

    /// Makes a batch fail as a whole if a record fails: for an event source mapping without
    /// `ReportBatchItemFailures`.
    ///
    /// Such a mapping ignores the reply. Without this, SQS would delete the messages that failed.
    /// [`Report::into_reply`](super::Report::into_reply) then returns
    /// [`Error::Incomplete`](super::Error::Incomplete), and Lambda delivers the whole batch again.
    /// The other records are still processed; if they are idempotent, their work is not repeated.
    pub fn all_or_nothing(mut self) -> Self {
        self.policy.all_or_nothing = true;
        self
    }

    /// Makes the invocation fail if no record of the batch succeeded, so that Lambda counts it among
    /// the function's errors. Without this, their identifiers are reported as usual.
    pub fn fail_when_all_failed(mut self) -> Self {
        self.policy.fail_when_all_failed = true;
        self
    }

    /// Calls `hook` with each record and its outcome, as soon as the record has ended and in its
    /// scope.
    ///
    /// Records that were stopped or not started come last. A panic of the hook is logged and has no
    /// other effect.
    pub fn on_outcome(mut self, hook: impl FnMut(&S::Record, &Outcome) + Send + 'a) -> Self {
        self.hook = Some(Box::new(hook));
        self
    }

    /// Sets the sink for records that failed [permanently](RecordError::permanent), for example a
    /// queue that people inspect.
    ///
    /// A record that the sink accepted counts as done and is not reported. If the sink fails, panics or
    /// runs out of time, the record is reported like any other failure, as retryable.
    ///
    /// **A sink must tolerate repeats.** It also receives a record again that it accepted, if another
    /// failure brings the record back: where the batch is reported as a whole (a topic of Kafka without
    /// [`partial_response`](Batch::partial_response), ActiveMQ, RabbitMQ, DocumentDB,
    /// [`all_or_nothing`](Self::all_or_nothing)), in an aggregate of Kinesis, in a stream at a
    /// concurrency above 1, and where [`Report::fail`](super::Report::fail) reports a record before it.
    ///
    /// ```
    /// use powertools::batch::{self, Message, RecordError};
    /// use powertools::events::{SqsEvent, SqsRecord};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let event: SqsEvent = serde_json::from_str(r#"{"Records":[{"messageId":"m","body":"0"}]}"#).unwrap();
    /// let report = batch::sqs(event)
    ///     .permanent_sink(|record: SqsRecord, error| async move {
    ///         println!("set aside: {:?}, {error}", record.body());
    ///         Ok::<_, std::io::Error>(())
    ///     })
    ///     .run(|amount: Message<u64>| async move {
    ///         if amount.body == 0 {
    ///             return Err(RecordError::permanent("an order of nothing"));
    ///         }
    ///         Ok(())
    ///     })
    ///     .await;
    /// assert!(report.is_done());
    /// # }
    /// ```
    pub fn permanent_sink<F, Fut, E>(mut self, sink: F) -> Self
    where
        F: Fn(S::Record, RecordError) -> Fut + Send + Sync + 'a,
        Fut: Future<Output = Result<(), E>> + Send + 'a,
        E: Into<BoxError>,
    {
        self.sink = Some(Box::new(move |record, error| {
            sink(record, error).map(|result| result.map_err(Into::into)).boxed()
        }));
        self
    }

    /// Makes further errors permanent: those for which `classify` returns true.
    ///
    /// `classify` receives the errors of records, including those of this toolkit. For example, records
    /// that cannot be parsed can go to the sink immediately:
    ///
    /// ```
    /// use powertools::batch;
    /// use powertools::events::{ParseError, SqsEvent};
    ///
    /// # let event = SqsEvent::default();
    /// let batch = batch::sqs(event).permanent_if(|error| error.is::<ParseError>());
    /// # let _ = batch;
    /// ```
    ///
    /// It is not asked about an error that is, or was caused by, a
    /// [retryable](crate::events::ParseError::is_retryable) `ParseError`. While S3 or a schema registry does
    /// not answer, or memory is short, good records fail too: they are delivered again, and do not go to
    /// the sink. Firehose delivers records that failed under its error prefix instead of transforming them again,
    /// these too.
    pub fn permanent_if(
        mut self,
        classify: impl Fn(&(dyn StdError + 'static)) -> bool + Send + Sync + 'a,
    ) -> Self {
        self.permanent_if = Some(Box::new(classify));
        self
    }
}

impl<S: Source + fmt::Debug> fmt::Debug for Batch<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("source", &self.source)
            .field("concurrency", &self.concurrency)
            .field("reserve", &self.reserve)
            .field("stop_at_first_failure", &self.stop_at_first_failure)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
