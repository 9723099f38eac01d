use std::fmt;
use std::future::Future;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use lambda_runtime::LambdaEvent;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::fault::{Faults, Kind};
use self::run::Run;
use self::source::{Mapping, Source};
use super::{Event, FakeRuntime, ManualClock, Outcome};

mod effects;
mod fault;
mod flight;
mod history;
mod random;
mod reply;
mod run;
mod source;
mod sqs;
mod stream;

pub use effects::Effects;
pub use fault::Point;
pub use history::{Delivery, End, Fate, Happening, History, Received, Step};
pub use sqs::Sqs;
pub use stream::Stream;

/// An event source mapping: delivers records to a function until each is handled or given up, by
/// the rules of Lambda.
///
/// It batches, waits, retries, reads the replies, and moves to a dead-letter queue or destination
/// as the mapping of a real function would. What happened comes back as a [`History`]:
///
/// ```
/// use lambda_runtime::{Error, LambdaEvent};
/// use powertools::testing::events::{self, SqsMessage};
/// use powertools::testing::EventSource;
/// use serde_json::{Value, json};
///
/// /// The function under test: it cannot read one of the messages.
/// async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
///     let mut failures = Vec::new();
///     for message in event.payload["Records"].as_array().into_iter().flatten() {
///         let body = message["body"].as_str().unwrap_or_default();
///         if serde_json::from_str::<Value>(body).is_err() {
///             failures.push(json!({ "itemIdentifier": message["messageId"] }));
///         }
///     }
///     Ok(json!({ "batchItemFailures": failures }))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let messages = events::sqs("orders")
///     .message(SqsMessage::from(json!({ "order": 7 })).id("good"))
///     .message(SqsMessage::from("not JSON").id("poison"));
///
/// let history = EventSource::sqs(messages).max_receive_count(3).run(handle).await;
///
/// assert_eq!(history.done(), ["good"]);
/// assert_eq!(history.dead_lettered(), ["poison"]);
/// assert_eq!(history.deliveries_of("good").count(), 1);
/// assert_eq!(history.deliveries_of("poison").count(), 3);
/// # }
/// ```
///
/// # Time
///
/// Time is simulated: a visibility timeout takes none. It is fixed while the function works,
/// unless that moves the [clock](Self::clock); with one that
/// [follows tokio](ManualClock::following_tokio), in a test that pauses tokio's time, the time that
/// the function sleeps passes for the mapping too, and the function's
/// [timeout](Self::timeout) ends it.
///
/// # Faults
///
/// Lambda delivers at least once, and functions die. [`crashes`](Self::crashes),
/// [`timeouts`](Self::timeouts) and [`duplicates`](Self::duplicates) make that happen by chance,
/// and [`crash_at`](Self::crash_at) and similar methods at a chosen point. Everything random comes
/// from the [seed](Self::seed): the same seed, records and function have the same history. A
/// loop over many seeds covers cases that are hard to think of, and a failed assertion writes the
/// history with its seed to the standard error.
///
/// The function is interrupted where it waits: its future is dropped, as when a task is cancelled, and
/// its spawned tasks continue. [`kill_without_drop`](Self::kill_without_drop) runs no destructors, as
/// for a process that is killed; [`FakeRuntime::spawn`] kills a real one.
///
/// # Replies
///
/// They are read as Lambda reads them where the mapping has `ReportBatchItemFailures`, which is on
/// unless a test turns it [off](Self::report_batch_item_failures). Without a `batchItemFailures` in
/// the reply, all records count as handled. An error, a panic, a reply that is neither null nor an
/// object, or one that has an identifier which is null, empty or not in the batch, means the whole
/// batch again.
#[derive(Debug)]
#[must_use = "a source delivers nothing until it runs"]
pub struct EventSource<S> {
    source: S,
    settings: Settings,
    effects: Effects,
}

#[derive(Debug)]
struct Settings {
    batch_size: usize,
    irregular_batches: bool,
    report_batch_item_failures: bool,
    timeout: Duration,
    clock: ManualClock,
    seed: u64,
    faults: Faults,
    kill_without_drop: bool,
    max_invocations: usize,
}

impl<S> EventSource<S> {
    fn new(source: S) -> Self {
        let settings = Settings {
            batch_size: 10,
            irregular_batches: false,
            report_batch_item_failures: true,
            timeout: Duration::from_secs(3),
            clock: ManualClock::new(SystemTime::UNIX_EPOCH + super::events::START),
            seed: 0,
            faults: Faults::default(),
            kill_without_drop: false,
            max_invocations: 10_000,
        };
        Self { source, settings, effects: Effects::new() }
    }

    /// Sets the maximum number of records in a batch. Defaults to 10.
    ///
    /// # Panics
    ///
    /// Panics if `records` is 0.
    pub fn batch_size(mut self, records: usize) -> Self {
        assert!(records > 0, "a batch has at least one record");
        self.settings.batch_size = records;
        self
    }

    /// Makes batches of any size up to [`batch_size`](Self::batch_size), and takes messages from a
    /// standard queue in any order, as real mappings do. By default batches are as full as they can
    /// be and in the order in which the records were sent.
    pub fn irregular_batches(mut self) -> Self {
        self.settings.irregular_batches = true;
        self
    }

    /// Sets whether the mapping has `ReportBatchItemFailures`, and so reads replies. Defaults to
    /// true.
    ///
    /// Without it a reply of whatever content means that the whole batch was handled. So it does for brokers and
    /// DocumentDB, whatever is set here: their mappings read no reply.
    pub fn report_batch_item_failures(mut self, on: bool) -> Self {
        self.settings.report_batch_item_failures = on;
        self
    }

    /// Sets the timeout of the function, from the delivery on. Defaults to 3 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// Sets the clock of the simulation, which the function finds in its
    /// [`Invocation`](crate::Invocation) too. By default one of its own, from the first moment of
    /// 2026.
    pub fn clock(mut self, clock: &ManualClock) -> Self {
        self.settings.clock = clock.clone();
        self
    }

    /// Sets the seed of everything random. Defaults to 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Sets the probability that the process dies at any point of an invocation: from
    /// 0, the default, to 1.
    ///
    /// # Panics
    ///
    /// Panics if this is not from 0 to 1.
    #[track_caller]
    pub fn crashes(mut self, probability: f64) -> Self {
        self.settings.faults.crashes = fault::probability(probability);
        self
    }

    /// Sets the probability that an invocation hangs at any point of its work and is killed when its
    /// [timeout](Self::timeout) has passed: from 0, the default, to 1.
    ///
    /// # Panics
    ///
    /// Panics if this is not from 0 to 1.
    #[track_caller]
    pub fn timeouts(mut self, probability: f64) -> Self {
        self.settings.faults.timeouts = fault::probability(probability);
        self
    }

    /// Sets the probability that records are delivered again although nothing failed: from
    /// 0, the default, to 1.
    ///
    /// A standard queue delivers them again at any time, also while the function still works on
    /// them or after they were deleted. Where there is an order, the reply is lost and the batch
    /// comes again.
    ///
    /// # Panics
    ///
    /// Panics if this is not from 0 to 1.
    #[track_caller]
    pub fn duplicates(mut self, probability: f64) -> Self {
        self.settings.faults.duplicates = fault::probability(probability);
        self
    }

    /// Kills an invocation, counted from 1, at this point.
    pub fn crash_at(mut self, invocation: usize, point: Point) -> Self {
        self.settings.faults.script.entry(invocation).or_default().cut = Some((Kind::Crash, point));
        self
    }

    /// Stops an invocation, counted from 1, at this point, until its [timeout](Self::timeout) kills
    /// it off.
    pub fn time_out_at(mut self, invocation: usize, point: Point) -> Self {
        self.settings.faults.script.entry(invocation).or_default().cut =
            Some((Kind::Timeout, point));
        self
    }

    /// Delivers the records of an invocation, counted from 1, again, as
    /// [`duplicates`](Self::duplicates) does.
    pub fn duplicate_at(mut self, invocation: usize) -> Self {
        self.settings.faults.script.entry(invocation).or_default().duplicate = true;
        self
    }

    /// Kills functions without running destructors, as when a process is killed: what they hold
    /// is leaked. By default their futures are dropped.
    pub fn kill_without_drop(mut self) -> Self {
        self.settings.kill_without_drop = true;
        self
    }

    /// Ends the run after so many invocations, with the rest [unsettled](History::unsettled).
    /// 10,000 by default.
    ///
    /// A record that always fails is otherwise delivered for days, until the source forgets it.
    pub fn max_invocations(mut self, invocations: usize) -> Self {
        self.settings.max_invocations = invocations;
        self
    }

    /// Where the function under test records its effects, for [`History::effects`].
    #[must_use]
    pub fn effects(&self) -> Effects {
        self.effects.clone()
    }
}

impl<S: Source> EventSource<S> {
    /// Delivers everything to `function`: what would be given to `service_fn`.
    ///
    /// The event is read into the function's type, and what it returns is written, as
    /// `lambda_runtime` does; it works in an [`Invocation`](crate::Invocation) that has the time
    /// of the simulation.
    pub async fn run<F, T, R, E>(self, function: F) -> History
    where
        F: AsyncFn(LambdaEvent<T>) -> Result<R, E>,
        T: DeserializeOwned,
        R: Serialize,
        E: fmt::Display,
    {
        let function = async |event: LambdaEvent<Bytes>| {
            let payload = serde_json::from_slice(&event.payload).map_err(text)?;
            let event = LambdaEvent::new(payload, event.context);
            let reply = function(event).await.map_err(text)?;
            serde_json::to_vec(&reply).map(Bytes::from).map_err(text)
        };
        self.deliver(&function).await
    }

    /// Delivers everything to `function`, which takes the bytes of the event and returns those of
    /// the reply.
    pub async fn run_raw<F, R, E>(self, function: F) -> History
    where
        F: AsyncFn(LambdaEvent<Bytes>) -> Result<R, E>,
        R: Into<Bytes>,
        E: fmt::Display,
    {
        let function =
            async |event: LambdaEvent<Bytes>| function(event).await.map(Into::into).map_err(text);
        self.deliver(&function).await
    }

    /// Delivers everything to the functions that run on `lambda`, through the whole runtime loop.
    ///
    /// The function uses the time of day and this source's [timeout](Self::timeout). One
    /// that is interrupted by a fault of this source continues, and its reply is ignored.
    ///
    /// ```
    /// use lambda_runtime::{Error, LambdaEvent, service_fn};
    /// use powertools::testing::{EventSource, FakeRuntime, events};
    /// use serde_json::Value;
    ///
    /// async fn handle(_: LambdaEvent<Value>) -> Result<(), Error> {
    ///     Err("no database".into())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let lambda = FakeRuntime::new();
    /// let _function = lambda.run(lambda_runtime::run(service_fn(handle)));
    ///
    /// let messages = events::sqs("orders").message("7");
    /// let history = EventSource::sqs(messages).max_receive_count(2).run_on(&lambda).await;
    /// assert_eq!(history.dead_lettered().len(), 1);
    /// # }
    /// ```
    pub async fn run_on(self, lambda: &FakeRuntime) -> History {
        let timeout = self.settings.timeout;
        let function = async |event: LambdaEvent<Bytes>| {
            let request =
                Event::raw(event.payload).request_id(event.context.request_id).timeout(timeout);
            match lambda.invoke(request).await {
                Outcome::Response(response) => Ok(response.body().clone()),
                Outcome::Failed(diagnostic)
                | Outcome::TimedOut(diagnostic)
                | Outcome::Exited(diagnostic) => {
                    Err(format!("{}: {}", diagnostic.error_type, diagnostic.error_message))
                }
            }
        };
        self.deliver(&function).await
    }

    fn deliver<F>(self, function: &F) -> impl Future<Output = History>
    where
        F: AsyncFn(LambdaEvent<Bytes>) -> Result<Bytes, String>,
    {
        let Settings { batch_size, timeout, .. } = self.settings;
        self.source.check(Mapping { batch_size, timeout });
        Run::new(self, function).finish()
    }
}

fn text(error: impl fmt::Display) -> String {
    error.to_string()
}
