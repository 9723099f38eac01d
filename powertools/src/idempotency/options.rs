use std::fmt;
use std::sync::{Arc, Once};
use std::time::Duration;

use serde_json::Value;

use super::cache::Cache;
use super::codec::Codec;
use super::{Call, Error, KeyCodec, LocalCache, Operation, Record, Replay, Store};
use crate::environment::{Environment, IDEMPOTENCY_DISABLED};
use crate::{Carries, Clock};

/// No time in the options is longer, so that adding one to a date stays a date.
pub(super) const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

/// Runs work once for each key, and gives its result to everyone who asks again.
///
/// Holds the store and the options; cloning is cheap. Make one at start and use it for every
/// event.
///
/// ```
/// use powertools::idempotency::{Error, Idempotency, MemoryStore};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
/// let idempotency = Idempotency::new(MemoryStore::new())?;
///
/// for _ in 0..2 {
///     let receipt = idempotency
///         .run("charge", &"order-7", async { Ok::<_, Error>("charged once".to_owned()) })
///         .await?;
///     assert_eq!(receipt, "charged once");
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Idempotency<S> {
    pub(super) store: Arc<S>,
    pub(super) options: Arc<Options>,
}

/// Sets the options of an [`Idempotency`]. Made by [`Idempotency::builder`].
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct Builder<S> {
    store: S,
    options: Options,
}

/// What is done with an event that has no key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnMissingKey {
    /// [`Error::KeyMissing`], and nothing runs.
    #[default]
    Error,
    /// The work runs without protection: each time that the event arrives.
    Bypass,
}

/// What is done when another invocation is working under the same key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhileInProgress {
    /// [`Error::InProgress`], at once.
    #[default]
    Fail,
    /// Wait for its result, at most for this long, then [`Error::InProgress`].
    ///
    /// Waiting takes at most half of the time that the handler would have, so that it can still
    /// run when the other invocation gives up. Each look is a consistent read.
    Wait(Duration),
}

/// What the caller gets when the work was done and its result is not in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnSaveFailure {
    /// An error: the caller shall know that a repetition may not be recognised.
    Error,
    /// The result, with a warning in the log.
    ReturnResult,
}

/// What becomes of the claim when the work was stopped before it ended, so that nobody knows how
/// far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnInterrupt {
    /// It is given back: a retry runs the work again at once.
    Release,
    /// It stays until the lease ends: a retry is refused until then.
    Hold,
}

/// What becomes of the claim when the work returned an error or panicked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnError {
    /// It is released: a retry runs the work again at once.
    #[default]
    Release,
    /// It is held until the lease expires: a retry is refused until then. For work whose errors
    /// leave open whether its effect took place, such as a payment request that was not answered.
    Hold,
}

/// Reads the result of a record and gives it back changed, as JSON.
type ResponseHook = dyn Fn(Codec, &Record) -> Result<String, serde_json::Error> + Send + Sync;

/// Decides from a result, as JSON, whether it is stored.
#[derive(Clone)]
pub(super) struct KeepIf(Arc<dyn Fn(&Value) -> bool + Send + Sync>);

impl KeepIf {
    pub(super) fn new(keep: impl Fn(&Value) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(keep))
    }

    pub(super) fn keeps(&self, result: &Value) -> bool {
        (self.0)(result)
    }
}

impl fmt::Debug for KeepIf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeepIf")
    }
}

pub(super) struct Options {
    pub(super) scope: Arc<str>,
    /// `None` if it is up to who runs the work.
    pub(super) expires_after: Option<Duration>,
    pub(super) lease: Option<Duration>,
    pub(super) grace: Duration,
    pub(super) save_reserve: Duration,
    pub(super) on_missing_key: OnMissingKey,
    pub(super) while_in_progress: WhileInProgress,
    pub(super) on_save_failure: OnSaveFailure,
    pub(super) on_unstorable_result: OnSaveFailure,
    pub(super) on_interrupt: Option<OnInterrupt>,
    pub(super) on_error: OnError,
    pub(super) keep_if: Option<KeepIf>,
    pub(super) local_cache: Option<Arc<dyn Cache>>,
    pub(super) codec: Codec,
    pub(super) key_prefix: String,
    pub(super) tenant_in_key: bool,
    pub(super) response_hook: Option<Box<ResponseHook>>,
    pub(super) clock: Option<Clock>,
    pub(super) disabled: bool,
}

impl Options {
    /// What becomes of the claim of work that was stopped.
    pub(super) fn on_interrupt(&self) -> OnInterrupt {
        // Who sets a lease longer than the invocation wants it to outlive a timeout.
        let default = if self.lease.is_some() { OnInterrupt::Hold } else { OnInterrupt::Release };
        self.on_interrupt.unwrap_or(default)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("scope", &self.scope)
            .field("expires_after", &self.expires_after)
            .field("lease", &self.lease)
            .field("grace", &self.grace)
            .field("save_reserve", &self.save_reserve)
            .field("on_missing_key", &self.on_missing_key)
            .field("while_in_progress", &self.while_in_progress)
            .field("on_save_failure", &self.on_save_failure)
            .field("on_unstorable_result", &self.on_unstorable_result)
            .field("on_interrupt", &self.on_interrupt)
            .field("on_error", &self.on_error)
            .field("keep_if", &self.keep_if)
            .field("local_cache", &self.local_cache.is_some())
            .field("codec", &self.codec)
            .field("key_prefix", &self.key_prefix)
            .field("tenant_in_key", &self.tenant_in_key)
            .field("response_hook", &self.response_hook.is_some())
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}

impl<S> Clone for Idempotency<S> {
    // By hand, since a derive would ask for `S: Clone`.
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), options: self.options.clone() }
    }
}

impl<S: Store> Idempotency<S> {
    /// Idempotency on `store` with the default options.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Config`] if `POWERTOOLS_IDEMPOTENCY_DISABLED` has a value that is neither
    /// yes nor no.
    pub fn new(store: S) -> Result<Self, Error> {
        Self::builder(store).build()
    }

    /// Idempotency on `store` with options.
    pub fn builder(store: S) -> Builder<S> {
        let options = Options {
            scope: store.scope().into(),
            expires_after: None,
            lease: None,
            grace: Duration::from_secs(1),
            save_reserve: Duration::from_millis(500),
            on_missing_key: OnMissingKey::default(),
            while_in_progress: WhileInProgress::default(),
            on_save_failure: OnSaveFailure::Error,
            on_unstorable_result: OnSaveFailure::ReturnResult,
            on_interrupt: None,
            on_error: OnError::default(),
            keep_if: None,
            local_cache: None,
            codec: Codec::default(),
            key_prefix: String::new(),
            tenant_in_key: false,
            response_hook: None,
            clock: None,
            disabled: false,
        };
        Builder { store, options }
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Names the work. Keys of differently named work never meet.
    ///
    /// The name is part of every key: renaming an operation forgets what it has done.
    pub fn operation(&self, name: impl Into<String>) -> Operation<'_, S> {
        Operation::new(self, name.into())
    }

    /// Runs `work` unless work of this name was already done for `key`.
    ///
    /// The short form of [`operation`](Self::operation), [`key`](Operation::key) and
    /// [`run`](Call::run), which say more.
    ///
    /// # Errors
    ///
    /// Returns the error of `work`, unchanged, and each [`Error`] of a failed protection.
    pub async fn run<K, F, R, E>(&self, name: &str, key: &K, work: F) -> Result<R, E>
    where
        K: serde::Serialize + ?Sized,
        F: Future<Output = Result<R, E>>,
        R: Replay,
        E: Carries<Error>,
    {
        let call: Call<S> = self.operation(name).key(key)?;
        call.run(work).await
    }
}

impl<S: Store> Builder<S> {
    /// How long a result is kept, counted from when the work was done. 1 hour by default, and 24
    /// hours for the records of a [batch](mod@crate::batch).
    ///
    /// It must exceed the time in which the event's source delivers it again: what returns later
    /// is new work.
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

    /// How long a claim holds, instead of until the invocation's deadline and a second more.
    ///
    /// The work is stopped when its lease ends. A lease that is longer than the invocation keeps
    /// others out after a timeout, when nobody knows how far the work came.
    pub fn lease(mut self, time: Duration) -> Self {
        self.options.lease = Some(time);
        self
    }

    /// How long a claim outlasts the invocation's deadline. 1 second by default.
    ///
    /// Lambda may kill a function later than at its deadline, and clocks differ. Without a grace,
    /// a retry can begin while the first run still goes on.
    pub fn grace(mut self, time: Duration) -> Self {
        self.options.grace = time;
        self
    }

    /// The time before the deadline at which the work is stopped, so that its result can be saved
    /// or its claim given back. 500 milliseconds by default.
    ///
    /// An invocation that has no more than this left when it comes to the work claims nothing and
    /// gets [`Error::NoTime`].
    pub fn save_reserve(mut self, time: Duration) -> Self {
        self.options.save_reserve = time;
        self
    }

    /// What is done with an event that has no key. An error by default.
    pub fn on_missing_key(mut self, policy: OnMissingKey) -> Self {
        self.options.on_missing_key = policy;
        self
    }

    /// What is done when another invocation is working under the same key. An error by default.
    pub fn while_in_progress(mut self, policy: WhileInProgress) -> Self {
        self.options.while_in_progress = policy;
        self
    }

    /// What the caller gets when the work was done but the store could not be told. An error by
    /// default.
    pub fn on_save_failure(mut self, policy: OnSaveFailure) -> Self {
        self.options.on_save_failure = policy;
        self
    }

    /// What the first caller gets when the result is too large to be stored or cannot be written
    /// as JSON. The result by default. Later callers always get [`Error::ResultNotStored`].
    pub fn on_unstorable_result(mut self, policy: OnSaveFailure) -> Self {
        self.options.on_unstorable_result = policy;
        self
    }

    /// What becomes of the claim when the work was stopped by the deadline, the end of the lease,
    /// or its caller. It is released by default, and held once a [`lease`](Self::lease) is set.
    pub fn on_interrupt(mut self, policy: OnInterrupt) -> Self {
        self.options.on_interrupt = Some(policy);
        self
    }

    /// Sets what becomes of the claim when the work returned an error or panicked. It is released by
    /// default.
    ///
    /// An error that came of an interruption goes by [`on_interrupt`](Self::on_interrupt) instead.
    pub fn on_error(mut self, policy: OnError) -> Self {
        self.options.on_error = policy;
        self
    }

    /// Sets which results are stored. All are by default.
    ///
    /// `keep` receives the result of work that succeeded, as JSON. A result that is not kept is
    /// returned to the caller, and its claim is treated as after an [error](Self::on_error): a retry
    /// runs the work again. That is for a success that is no final answer, such as a response with
    /// the status 503.
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

    /// Keeps finished records in memory too. Off by default.
    pub fn local_cache(mut self, cache: LocalCache) -> Self {
        self.options.local_cache = Some(cache.0);
        self
    }

    /// How keys and results are written. [`KeyCodec::Native`] by default.
    pub fn codec(mut self, codec: KeyCodec) -> Self {
        self.options.codec = Codec::of(codec);
        self
    }

    /// A text to put before the name of every operation, with a dot between them, such as a stage
    /// or an application.
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.options.key_prefix = prefix.into();
        self
    }

    /// Makes the invocation's tenant part of every key, so that tenants never get each other's
    /// results. Off by default. Only for [`KeyCodec::Native`].
    ///
    /// Where there is no tenant, for example in a task that was spawned without
    /// [`Invocation::carry`](crate::Invocation::carry), keys are an error.
    pub fn tenant_in_key(mut self) -> Self {
        self.options.tenant_in_key = true;
        self
    }

    /// Changes a stored result before it is given to a later caller, for example to mark it as a
    /// replay. It sees the result as JSON and the record, and its result must still be of the
    /// handler's type.
    pub fn response_hook(
        mut self,
        hook: impl Fn(Value, &Record) -> Value + Send + Sync + 'static,
    ) -> Self {
        self.options.response_hook = Some(Box::new(move |codec, record| {
            let result = codec.decode(record.data.as_ref())?;
            Ok(hook(result, record).to_string())
        }));
        self
    }

    /// The clock to go by, instead of the invocation's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.options.clock = Some(clock);
        self
    }

    /// Checks the options.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Config`] if the lease or the time to keep results is zero, if
    /// [`tenant_in_key`](Self::tenant_in_key) is asked of a codec that cannot have it, or if
    /// `POWERTOOLS_IDEMPOTENCY_DISABLED` has a value that is neither yes (`1`, `y`, `yes`, `t`,
    /// `true`, `on`) nor no (`0`, `n`, `no`, `f`, `false`, `off`), in any case.
    pub fn build(mut self) -> Result<Idempotency<S>, Error> {
        let config = |message: &str| Err(Error::Config(message.to_owned()));
        if self.options.lease == Some(Duration::ZERO) {
            return config("a lease of zero protects nothing");
        }
        if self.options.expires_after == Some(Duration::ZERO) {
            return config("results that expire at once protect nothing");
        }
        if self.options.tenant_in_key && self.options.codec.is != KeyCodec::Native {
            return config("only native keys can have the tenant in them");
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
            return config("a time of more than ten years is a mistake");
        }
        self.options.disabled = match Environment::process().flag(IDEMPOTENCY_DISABLED) {
            Ok(disabled) => disabled.unwrap_or(false),
            Err(error) => return config(&error.to_string()),
        };
        if self.options.disabled {
            static WARNING: Once = Once::new();
            WARNING.call_once(|| {
                tracing::warn!("idempotency is off: POWERTOOLS_IDEMPOTENCY_DISABLED is set");
            });
        }
        Ok(Idempotency { store: Arc::new(self.store), options: Arc::new(self.options) })
    }
}
