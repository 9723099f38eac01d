//! The cached value of one request: when it is read, when it is fetched, and who waits for that.

mod flight;
mod settings;

#[cfg(target_os = "linux")]
mod tick;
#[cfg(not(target_os = "linux"))]
#[path = "no_tick.rs"]
mod tick;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;

use self::flight::State;
pub(super) use self::flight::{no_runtime, shut_down};
pub(super) use self::settings::{LONGEST, Running, Settings};
use super::content::Misfit;
use super::{Content, Error, Request, Source, Value};
use crate::invocation::Invocation;
use crate::process::restores;

/// The time of an invocation that must remain for a refresh ahead of time to begin.
const REFRESH_NEEDS: Duration = Duration::from_secs(1);

/// The cached value of one request. It has no `Debug` form, which would contain the value.
pub(super) struct Cell<T> {
    request: Request,
    decode: fn(&Content) -> Result<T, Misfit>,
    source: Arc<dyn Source>,
    settings: Settings,
    entry: ArcSwapOption<Entry<T>>,
    state: Mutex<State<T>>,
}

/// A value with its times.
pub(super) struct Entry<T> {
    pub(super) value: T,
    pub(super) version: Option<String>,
    /// When its fetch began.
    from: SystemTime,
    /// From here on it is refreshed ahead of time.
    soft: SystemTime,
    /// From here on it is not returned, unless the fetch of a new one fails.
    hard: SystemTime,
    /// The number of restores before its fetch began.
    restores: u64,
}

impl<T> Entry<T> {
    /// Returns true if it belongs to this life of the process.
    fn is_of_this_life(&self) -> bool {
        self.restores == restores()
    }

    /// Returns true if it may be returned without a fetch. A clock that was set back is no proof of
    /// youth.
    fn is_valid(&self, now: SystemTime) -> bool {
        self.from <= now && now < self.hard
    }

    /// Returns true if it may be returned where the fetch of a new one fails.
    fn is_of_use(&self, now: SystemTime, max_stale: Duration) -> bool {
        // Without such a time never, though a clock that was set back makes it younger.
        !max_stale.is_zero() && now < self.hard + max_stale
    }
}

impl<T: Send + Sync + 'static> Cell<T> {
    pub(super) fn new(
        request: Request,
        decode: fn(&Content) -> Result<T, Misfit>,
        source: Arc<dyn Source>,
        settings: Settings,
    ) -> Self {
        let (entry, state) = (ArcSwapOption::empty(), Mutex::default());
        Self { request, decode, source, settings, entry, state }
    }

    /// Returns the value if it is young enough to be returned without anything else.
    #[inline]
    pub(super) fn young(&self) -> Option<Value<T>> {
        let value = Value::of(self.entry.load())?;
        let entry = value.entry();
        let now = tick::now(&self.settings.clock);
        (entry.from <= now && now < entry.soft && entry.is_of_this_life()).then_some(value)
    }

    /// Returns the value: the cached one if it is valid, else a fetched one, else an old one.
    pub(super) async fn get(self: &Arc<Self>) -> Result<Value<T>, Error> {
        let (cached, now) = self.cached_now();
        if let Some(entry) = &cached
            && entry.is_valid(now)
        {
            if now >= entry.soft {
                self.refresh_ahead(now);
            }
            return Ok(Value::new(entry.clone()));
        }

        let (begun, old, now) = {
            let state = self.state();
            // A fetch may have ended since.
            let (cached, now) = self.cached_now();
            let old = match cached {
                Some(entry) if entry.is_valid(now) => return Ok(Value::new(entry)),
                cached => cached.filter(|entry| entry.is_of_use(now, self.settings.max_stale)),
            };
            let begun = match state.failure(now) {
                Some(error) => Err(error),
                None => self.join_or_begin(state),
            };
            (begun, old, now)
        };
        let fetched = match begun {
            // With an old value at hand, half of the time is left to the handler.
            Ok(flight) => self.wait(flight, if old.is_some() { 2 } else { 1 }).await,
            Err(error) => Err(error),
        };
        match (fetched, old) {
            (Ok(entry), _) => Ok(Value::new(entry)),
            (Err(error), Some(old)) => {
                self.warn_of_age(&old, &error, now);
                Ok(Value::new(old))
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Returns a value whose fetch began after this call. The cached one stays if it fails.
    pub(super) async fn get_fresh(self: &Arc<Self>) -> Result<Value<T>, Error> {
        let before = self.state().begun;
        loop {
            let flight = self.join_or_begin(self.state())?;
            let number = flight.number;
            let fetched = self.wait(flight, 1).await;
            if number > before || matches!(fetched, Err(Error::OutOfTime { .. })) {
                return fetched.map(Value::new);
            }
        }
    }

    /// Returns a value that `is_bad` does not hold for, or one whose fetch began after this call.
    /// Within the refresh interval, it returns what `get` does.
    pub(super) async fn refresh_if(
        self: &Arc<Self>,
        mut is_bad: impl FnMut(&T) -> bool,
    ) -> Result<Value<T>, Error> {
        let before = self.state().begun;
        loop {
            let cached = self.cached();
            if let Some(entry) = &cached
                && !is_bad(&entry.value)
            {
                if entry.is_valid(self.settings.clock.now()) {
                    return Ok(Value::new(entry.clone()));
                }
                // Too old to be returned without an attempt to fetch it.
                let value = self.get().await?;
                if !is_bad(&value) {
                    return Ok(value);
                }
                continue;
            }
            let flight = {
                let (mut state, now) = (self.state(), self.settings.clock.now());
                // A fetch may have ended since.
                if self.cached().as_ref().map(Arc::as_ptr) != cached.as_ref().map(Arc::as_ptr) {
                    continue;
                }
                let may_begin = state.runs().is_some()
                    || state.may_refresh(now, self.settings.refresh_interval);
                may_begin.then(|| self.join_or_begin(state)).transpose()?
            };
            let Some(flight) = flight else { return self.get().await };
            let number = flight.number;
            let fetched = self.wait(flight, 1).await;
            // One that ran already may have read what the caller rejects.
            if number > before || matches!(fetched, Err(Error::OutOfTime { .. })) {
                return fetched.map(Value::new);
            }
        }
    }

    /// Forgets the value. A fetch that runs already does not bring it back.
    pub(super) fn invalidate(&self) {
        let mut state = self.state();
        state.invalidate();
        let old = self.entry.swap(None);
        drop(state);
        // Without the lock: this is code of the user.
        drop(old);
    }

    fn cached(&self) -> Option<Arc<Entry<T>>> {
        self.entry.load_full().filter(|entry| entry.is_of_this_life())
    }

    /// Returns the cached entry, and a time that is not before its fetch.
    fn cached_now(&self) -> (Option<Arc<Entry<T>>>, SystemTime) {
        let cached = self.cached();
        (cached, self.settings.clock.now())
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a fetch that no caller waits for, if none runs and the invocation has the time for it.
    fn refresh_ahead(self: &Arc<Self>, now: SystemTime) {
        let has_time =
            Invocation::with_current(|invocation| invocation.remaining() > REFRESH_NEEDS);
        let state = self.state();
        if has_time.unwrap_or(true) && state.runs().is_none() && state.failure(now).is_none() {
            // Its error is the flight's to remember, and the value is still valid.
            let _ = self.join_or_begin(state);
        }
    }

    /// Logs once, until a fetch succeeds, that an old value is returned.
    fn warn_of_age(&self, old: &Entry<T>, error: &Error, now: SystemTime) {
        if !std::mem::replace(&mut self.state().has_warned, true) {
            let age = now.duration_since(old.from).unwrap_or_default();
            tracing::warn!(
                age_s = age.as_secs(),
                error = crate::error::with_causes(error),
                "the old {} is used, since a new one cannot be fetched",
                self.request
            );
        }
    }
}
