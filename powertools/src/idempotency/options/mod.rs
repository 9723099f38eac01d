mod builder;
mod policies;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::{Call, Error, Json, KeyCodec, LocalCache, Operation, Record, Replay, Store};
use crate::carries::Carries;
use crate::clock::Clock;

pub use self::policies::{OnError, OnInterrupt, OnMissingKey, OnSaveFailure, WhileInProgress};

/// The longest duration in the options, so that adding it to an instant never overflows.
pub(super) const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

/// Runs work once for each key, and returns its result to every later caller.
///
/// It holds the store and the options, and is cheap to clone. Create it at start and use it for
/// every event.
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

/// The store and options of a future [`Idempotency`]. Created by [`Idempotency::builder`].
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct Builder<S> {
    store: S,
    options: Options,
}

/// Changes the result of a record.
type ResponseHook = dyn Fn(Json, &Record) -> Json + Send + Sync;

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
    /// `None` if the call decides.
    pub(super) expires_after: Option<Duration>,
    pub(super) lease: Option<Duration>,
    pub(super) renew_lease: bool,
    pub(super) grace: Duration,
    pub(super) save_reserve: Duration,
    pub(super) on_missing_key: OnMissingKey,
    pub(super) allow_incomplete_keys: bool,
    pub(super) while_in_progress: WhileInProgress,
    /// `None` if the caller decides.
    pub(super) on_save_failure: Option<OnSaveFailure>,
    pub(super) on_unstorable_result: OnSaveFailure,
    pub(super) on_interrupt: Option<OnInterrupt>,
    pub(super) on_error: OnError,
    pub(super) keep_if: Option<KeepIf>,
    pub(super) local_cache: Option<LocalCache>,
    pub(super) codec: KeyCodec,
    pub(super) key_prefix: String,
    pub(super) tenant_in_key: bool,
    pub(super) response_hook: Option<Box<ResponseHook>>,
    pub(super) clock: Option<Clock>,
    pub(super) disabled: bool,
}

impl Options {
    /// Returns what happens to the claim of work that was interrupted.
    pub(super) fn on_interrupt(&self) -> OnInterrupt {
        // A lease that is longer than the invocation is meant to outlast a timeout.
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
            .field("renew_lease", &self.renew_lease)
            .field("grace", &self.grace)
            .field("save_reserve", &self.save_reserve)
            .field("on_missing_key", &self.on_missing_key)
            .field("allow_incomplete_keys", &self.allow_incomplete_keys)
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
    // By hand, since a derive would require `S: Clone`.
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), options: self.options.clone() }
    }
}

impl<S: Store> Idempotency<S> {
    /// Creates an `Idempotency` on `store` with the default options.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Config`] if the value of `POWERTOOLS_IDEMPOTENCY_DISABLED` is not a boolean.
    pub fn new(store: S) -> Result<Self, Error> {
        Self::builder(store).build()
    }

    /// Returns a builder for an `Idempotency` on `store`.
    pub fn builder(store: S) -> Builder<S> {
        let options = Options {
            scope: store.scope().into(),
            expires_after: None,
            lease: None,
            renew_lease: false,
            grace: Duration::from_secs(1),
            save_reserve: Duration::from_millis(500),
            on_missing_key: OnMissingKey::default(),
            allow_incomplete_keys: false,
            while_in_progress: WhileInProgress::default(),
            on_save_failure: None,
            on_unstorable_result: OnSaveFailure::ReturnResult,
            on_interrupt: None,
            on_error: OnError::default(),
            keep_if: None,
            local_cache: None,
            codec: KeyCodec::default(),
            key_prefix: String::new(),
            tenant_in_key: false,
            response_hook: None,
            clock: None,
            disabled: false,
        };
        Builder { store, options }
    }

    /// Returns the store.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Returns an operation with this name. Operations with different names never share a key.
    ///
    /// The name is part of every key: after an operation is renamed, its stored results are no
    /// longer found.
    pub fn operation<'a>(&'a self, name: impl Into<Cow<'a, str>>) -> Operation<'a, S> {
        Operation::new(self, name.into())
    }

    /// Runs `work` unless the operation `name` was already completed for `key`.
    ///
    /// This is the short form of [`operation`](Self::operation), [`key`](Operation::key) and
    /// [`run`](Call::run).
    ///
    /// # Errors
    ///
    /// Returns the error of `work`, unchanged, or an [`Error`] if the protection fails.
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
