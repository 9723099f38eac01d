use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::{
    Builder, Idempotency, KeepIf, LONGEST, OnError, OnInterrupt, OnMissingKey, OnSaveFailure,
    WhileInProgress,
};
use crate::clock::Clock;
use crate::environment::{Environment, IDEMPOTENCY_DISABLED};
use crate::idempotency::{Error, Json, KeyCodec, LocalCache, Record, Store};
use crate::process::First;

/// The shortest lease. A shorter one would end while its own requests are in flight.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);

impl<S: Store> Builder<S> {
    /// Sets how long a result is kept, counted from the completion of the work. The default is 1
    /// hour, and 24 hours for the records of a [batch](mod@crate::batch).
    ///
    /// It must exceed the time during which the event's source may deliver the event again: a later
    /// delivery is new work.
    ///
    /// | source | delivers again for |
    /// |---|---|
    /// | an API | as long as its clients retry |
    /// | an asynchronous invocation | its maximum event age, at most 6 hours |
    /// | SQS | the retention period of the queue, at most 14 days |
    /// | Kinesis, DynamoDB streams | the retention of the stream: 24 hours, for Kinesis up to a year |
    pub fn expires_after(mut self, time: Duration) -> Self {
        self.options.expires_after = Some(time);
        self
    }

    /// Sets how long the work may take, counted from its claim. By default it may take until
    /// shortly before the invocation's deadline, or 15 minutes outside an invocation.
    ///
    /// The work is stopped when its lease ends. The claim excludes others for the
    /// [grace](Self::grace) longer, so that a result can be saved and clocks may differ. A lease that
    /// is longer than the invocation excludes others after a timeout, when the outcome of the work is
    /// unknown. A lease lasts at least 1 second.
    ///
    /// Work in a [durable execution](crate::DurableExecution) needs a lease that lasts for the longest
    /// execution, counted from its first claim. There is no default: without one, the work is
    /// [`Error::Config`] before it starts. An execution that is stopped from outside, that its SDK fails, or
    /// that never ends leaves its claim, and other executions are refused until the lease and the grace
    /// have passed: two days, for example, with `lease(Duration::from_secs(2 * 24 * 60 * 60))`.
    pub fn lease(mut self, time: Duration) -> Self {
        self.options.lease = Some(time);
        self
    }

    /// Renews the [lease](Self::lease) while the work runs, so that long work can have a short
    /// lease: if its process dies, another invocation can take over within seconds, instead of after
    /// the deadline.
    ///
    /// After a third of the lease, one request extends it to its full time from then. A failed
    /// request is retried while time remains. The lease never outlasts the invocation's deadline and
    /// its [grace](Self::grace). Each renewal costs what completing a record without its result
    /// costs: in DynamoDB, one write unit for each started KB of the record.
    ///
    /// The lease of work that is done is renewed until its result is saved, but not while a
    /// [commit](crate::idempotency::Call::commit) is sent, which another invocation cannot repeat.
    ///
    /// The work is stopped with [`Error::LeaseExpired`] when the last lease that the store has
    /// *confirmed* ends. If a renewal finds that another invocation has taken the record over, or that it
    /// was deleted, the work is stopped immediately, with [`Error::LeaseLost`] or
    /// [`Error::RecordGone`]. The renewals run in the task that runs the work, so that work which blocks
    /// its thread for longer than the lease loses it. [`Invocation::limit`] inside of the work is the
    /// latest limit that it can have.
    ///
    /// ```
    /// use std::time::Duration;
    /// use powertools::idempotency::{Error, Idempotency, MemoryStore};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Error> {
    /// let idempotency = Idempotency::builder(MemoryStore::new())
    ///     .lease(Duration::from_secs(6))
    ///     .renew_lease()
    ///     .build()?;
    /// let report = idempotency.run("report", "2026-11", async {
    ///     tokio::time::sleep(Duration::from_secs(10 * 60)).await;
    ///     Ok::<_, Error>("a report that takes ten minutes".to_owned())
    /// });
    /// assert_eq!(report.await?, "a report that takes ten minutes");
    /// # Ok(()) }
    /// ```
    ///
    /// [`Invocation::limit`]: crate::Invocation::limit
    pub fn renew_lease(mut self) -> Self {
        self.options.renew_lease = true;
        self
    }

    /// Sets how long a claim outlasts the invocation's deadline, or an explicit
    /// [lease](Self::lease). The default is 1 second.
    ///
    /// Lambda may kill a function later than at its deadline, and clocks differ. Without a grace, a
    /// retry can start while the first run still continues.
    pub fn grace(mut self, time: Duration) -> Self {
        self.options.grace = time;
        self
    }

    /// Sets how long before the deadline the work is stopped, so that its result can be saved or its
    /// claim released. The default is 500 milliseconds.
    ///
    /// An invocation with no more than this remaining claims nothing and receives
    /// [`Error::NoTime`].
    pub fn save_reserve(mut self, time: Duration) -> Self {
        self.options.save_reserve = time;
        self
    }

    /// Sets what happens to an event without a key. The default is an error.
    pub fn on_missing_key(mut self, policy: OnMissingKey) -> Self {
        self.options.on_missing_key = policy;
        self
    }

    /// Allows keys that are a tuple or list of which some members are null.
    ///
    /// By default they are [`Error::KeyIncomplete`], whatever [`on_missing_key`](Self::on_missing_key)
    /// is: without the part that distinguishes two events, one of them would receive the result of the
    /// other. Use it only if the other members identify the event.
    pub fn allow_incomplete_keys(mut self) -> Self {
        self.options.allow_incomplete_keys = true;
        self
    }

    /// Sets what happens while another invocation works under the same key. The default is an error.
    pub fn while_in_progress(mut self, policy: WhileInProgress) -> Self {
        self.options.while_in_progress = policy;
        self
    }

    /// Sets what the caller receives when the work is done but its result could not be saved. The
    /// default is an error, and for
    /// [`IdempotencyKeyLayer`](crate::http::IdempotencyKeyLayer) the result.
    pub fn on_save_failure(mut self, policy: OnSaveFailure) -> Self {
        self.options.on_save_failure = Some(policy);
        self
    }

    /// Sets what the first caller receives when the result is too large to be stored or cannot be
    /// written as JSON. The default is the result. Later callers always receive
    /// [`Error::ResultNotStored`].
    pub fn on_unstorable_result(mut self, policy: OnSaveFailure) -> Self {
        self.options.on_unstorable_result = policy;
        self
    }

    /// Sets what happens to the claim of work that was interrupted by the deadline, the end of the
    /// lease, a time guard or its caller. By default it is released, or held if a
    /// [`lease`](Self::lease) is set.
    pub fn on_interrupt(mut self, policy: OnInterrupt) -> Self {
        self.options.on_interrupt = Some(policy);
        self
    }

    /// Sets what happens to the claim of work that returned an error or panicked. By default it is
    /// released.
    ///
    /// After an interruption, [`on_interrupt`](Self::on_interrupt) applies instead.
    pub fn on_error(mut self, policy: OnError) -> Self {
        self.options.on_error = policy;
        self
    }

    /// Sets which results are stored. By default all are.
    ///
    /// `keep` receives the result of work that succeeded, as JSON, in which integers of more than 64 bits are
    /// floats. A result that is not kept is
    /// returned to the caller, and its claim is treated as after an [error](Self::on_error): a retry
    /// runs the work again. Use it for a success that is not a final answer, such as a response
    /// with status 503.
    ///
    /// ```
    /// use powertools::idempotency::{Error, Idempotency, MemoryStore};
    /// use serde_json::{Value, json};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
    /// let idempotency = Idempotency::builder(MemoryStore::new())
    ///     .keep_if(|response| response["statusCode"] != 503)
    ///     .build()?;
    /// for status in [503, 200, 500] {
    ///     let work = async { Ok::<Value, Error>(json!({ "statusCode": status })) };
    ///     let response = idempotency.run("charge", "order-7", work).await?;
    ///     assert_eq!(response["statusCode"], if status == 503 { 503 } else { 200 });
    /// }
    /// # Ok(()) }
    /// ```
    pub fn keep_if(mut self, keep: impl Fn(&Value) -> bool + Send + Sync + 'static) -> Self {
        self.options.keep_if = Some(KeepIf::new(keep));
        self
    }

    /// Caches completed records in memory. By default nothing is cached.
    pub fn local_cache(mut self, cache: LocalCache) -> Self {
        self.options.local_cache = Some(cache);
        self
    }

    /// Sets how keys and results are written. The default is [`KeyCodec::Native`].
    pub fn codec(mut self, codec: KeyCodec) -> Self {
        self.options.codec = codec;
        self
    }

    /// Sets a prefix that is part of every key, such as a stage or an application. It appears in front
    /// of the name of the operation, separated by a dot.
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.options.key_prefix = prefix.into();
        self
    }

    /// Makes the invocation's tenant part of every key, so that tenants never receive each other's
    /// results. Only for [`KeyCodec::Native`].
    ///
    /// Without a tenant, for example in a task that was spawned without
    /// [`Invocation::carry`](crate::Invocation::carry), a key is an error.
    pub fn tenant_in_key(mut self) -> Self {
        self.options.tenant_in_key = true;
        self
    }

    /// Changes a stored result before it is replayed, for example to mark it as a replay.
    ///
    /// `hook` receives the result as JSON and the record, and must return JSON that still
    /// deserialises into the result's type. Numbers that it does not change keep their digits.
    pub fn response_hook(
        mut self,
        hook: impl Fn(Json, &Record) -> Json + Send + Sync + 'static,
    ) -> Self {
        self.options.response_hook = Some(Box::new(hook));
        self
    }

    /// Sets the clock, instead of the invocation's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.options.clock = Some(clock);
        self
    }

    /// Checks the options and creates the `Idempotency`.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Config`] if the lease is shorter than 1 second, if
    /// [`renew_lease`](Self::renew_lease) is set without a lease, if the time to keep results is zero, if
    /// a duration exceeds ten years, if [`tenant_in_key`](Self::tenant_in_key) is set for a codec without
    /// tenants, or if `POWERTOOLS_IDEMPOTENCY_DISABLED` has a value that is neither true (`1`, `y`,
    /// `yes`, `t`, `true`, `on`) nor false (`0`, `n`, `no`, `f`, `false`, `off`), in any case.
    pub fn build(mut self) -> Result<Idempotency<S>, Error> {
        let config = |message: &str| Err(Error::Config(message.to_owned()));
        if self.options.lease.is_some_and(|lease| lease < SHORTEST_LEASE) {
            return config("a lease lasts at least 1 second, for requests and clocks that differ");
        }
        if self.options.renew_lease && self.options.lease.is_none() {
            return config("only an explicit lease can be renewed: set its time with `lease`");
        }
        if self.options.expires_after == Some(Duration::ZERO) {
            return config("results would expire at once: set a longer `expires_after`");
        }
        if self.options.tenant_in_key && self.options.codec != KeyCodec::Native {
            return config("only keys of the native codec can contain the tenant");
        }
        let wait = match self.options.while_in_progress {
            WhileInProgress::Wait(bound) => bound,
            WhileInProgress::Fail => Duration::ZERO,
        };
        let longest = [
            wait,
            self.options.expires_after.unwrap_or_default(),
            self.options.lease.unwrap_or_default(),
            self.options.grace,
            self.options.save_reserve,
        ];
        if longest.into_iter().any(|time| time > LONGEST) {
            return config("a duration exceeds ten years");
        }
        self.options.disabled = match Environment::process().flag(IDEMPOTENCY_DISABLED) {
            Ok(disabled) => disabled.unwrap_or(false),
            Err(error) => return config(&error.to_string()),
        };
        if self.options.disabled {
            static WARNING: First = First::new();
            if WARNING.is_first() {
                tracing::warn!("idempotency is off: POWERTOOLS_IDEMPOTENCY_DISABLED is set");
            }
        }
        Ok(Idempotency { store: Arc::new(self.store), options: Arc::new(self.options) })
    }
}
