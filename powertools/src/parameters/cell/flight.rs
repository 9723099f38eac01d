use std::sync::{Arc, MutexGuard};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{Cell, Entry, tick};
use crate::error::panic::catch;
use crate::invocation::{Invocation, Mark};
use crate::parameters::content::Misfit;
use crate::parameters::{Error, Fetched, SourceError, SourceErrorKind};
use crate::process::restores;

type Outcome<T> = Result<Arc<Entry<T>>, Error>;

/// A fetch that runs in a task of its own. Those who wait for it can go without stopping it.
pub(super) struct Flight<T> {
    pub(super) number: u64,
    /// The number of restores before it began.
    restores: u64,
    outcome: Shared<BoxFuture<'static, Outcome<T>>>,
}

impl<T> Clone for Flight<T> {
    fn clone(&self) -> Self {
        Self { number: self.number, restores: self.restores, outcome: self.outcome.clone() }
    }
}

pub(super) struct State<T> {
    /// How many fetches have started. The number of a fetch is the count just after it started.
    pub(super) begun: u64,
    flight: Option<Flight<T>>,
    /// The number of the fetch whose value is cached.
    stored: u64,
    /// Fetches up to this number began before the value was invalidated.
    invalidated: u64,
    failure: Option<Failure>,
    /// When `refresh_if` last began a fetch.
    refreshed: Option<SystemTime>,
    pub(super) has_warned: bool,
}

struct Failure {
    error: Error,
    from: SystemTime,
    until: SystemTime,
    restores: u64,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self {
            begun: 0,
            flight: None,
            stored: 0,
            invalidated: 0,
            failure: None,
            refreshed: None,
            has_warned: false,
        }
    }
}

impl<T> State<T> {
    /// Returns the fetch that runs. One from before a restore is not waited for.
    pub(super) fn runs(&self) -> Option<&Flight<T>> {
        self.flight.as_ref().filter(|flight| flight.restores == restores())
    }

    /// Returns the last failure while it is remembered.
    pub(super) fn failure(&self, now: SystemTime) -> Option<Error> {
        let failure = self.failure.as_ref()?;
        let is_remembered = (failure.from..failure.until).contains(&now);
        (is_remembered && failure.restores == restores()).then(|| failure.error.clone())
    }

    /// Returns true if `refresh_if` may begin a fetch, and counts that as done.
    pub(super) fn may_refresh(&mut self, now: SystemTime, interval: Duration) -> bool {
        let is_soon = self.refreshed.is_some_and(|last| last <= now && now < last + interval);
        if !is_soon {
            self.refreshed = Some(now);
        }
        !is_soon
    }

    pub(super) fn invalidate(&mut self) {
        self.invalidated = self.begun;
        self.flight = None;
        self.failure = None;
    }
}

impl<T: Send + Sync + 'static> Cell<T> {
    /// Returns the fetch that runs, or begins one.
    ///
    /// This ends the lock on the state before there is a task: a runtime that was shut down drops the task at once, and
    /// its end is noted in the state.
    pub(super) fn join_or_begin(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State<T>>,
    ) -> Result<Flight<T>, Error> {
        if let Some(flight) = state.runs() {
            return Ok(flight.clone());
        }
        self.request.check()?;
        let runtime = Handle::try_current().map_err(|_| self.request.failed(no_runtime()))?;

        state.begun += 1;
        let number = state.begun;
        let (sender, receiver) = oneshot::channel();
        let restores = restores();
        let abandoned = self.request.failed(shut_down());
        let outcome = receiver.map(move |outcome| outcome.unwrap_or(Err(abandoned)));
        let flight = Flight { number, restores, outcome: outcome.boxed().shared() };
        state.flight = Some(flight.clone());
        drop(state);

        let landing = Landing { cell: self.clone(), number, restores, sender: Some(sender) };
        self.settings.running.begin();
        runtime.spawn(Invocation::carry(async move {
            let outcome = landing.cell.fetch().await;
            landing.land(outcome);
        }));
        Ok(flight)
    }

    /// Waits for a fetch, for one in `share` parts of the remaining time of the invocation.
    pub(super) async fn wait(&self, flight: Flight<T>, share: u32) -> Outcome<T> {
        match Invocation::with_current(Invocation::time_for_work) {
            None => flight.outcome.await,
            Some(left) => match timeout(left / share, flight.outcome).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    // With an old value at hand nothing is interrupted.
                    if share == 1
                        && let Some(invocation) = Invocation::current()
                    {
                        invocation.mark_out(Mark::STOPPED);
                    }
                    Err(Error::OutOfTime { what: self.request.to_string() })
                }
            },
        }
    }

    async fn fetch(&self) -> Outcome<T> {
        // By the tick, as the age is read: the exact time would be after the tick for some ms.
        let (from, restores) = (tick::now(&self.settings.clock), restores());
        let fetched = self.settings.answer(|| self.source.fetch(&self.request)).await;
        let fetched = fetched.map_err(|error| self.request.failed(error))?;
        let Fetched { content, version, min_age, age } = fetched;
        let from = from.checked_sub(age).unwrap_or(from);
        // Code of the user. What it panics with can quote the value.
        let decoded = catch(|| (self.decode)(&content));
        let decoded =
            decoded.unwrap_or_else(|_| Err(Misfit::new("reading it as its type panicked")));
        let value = decoded.map_err(|misfit| Error::Invalid {
            what: self.request.to_string(),
            reason: misfit.0,
        })?;
        let (soft, hard) = self.settings.ages(min_age.unwrap_or_default());
        let (soft, hard) = (from + soft, from + hard);
        Ok(Arc::new(Entry { value, version, from, soft, hard, restores }))
    }

    /// Keeps the outcome of the fetch with this number, which began after so many restores.
    fn finish(&self, number: u64, restores: u64, outcome: Option<&Outcome<T>>) {
        let mut state = self.state();
        if state.flight.as_ref().is_some_and(|flight| flight.number == number) {
            state.flight = None;
        }
        // One that began later may have ended before.
        if number <= state.invalidated.max(state.stored) {
            return;
        }
        match outcome {
            Some(Ok(entry)) => {
                state.stored = number;
                state.failure = None;
                state.has_warned = false;
                let old = self.entry.swap(Some(entry.clone()));
                drop(state);
                // Without the lock: this is code of the user.
                drop(old);
            }
            Some(Err(error)) => {
                let from = self.settings.clock.now();
                let until = from + self.settings.failure_age;
                state.failure = Some(Failure { error: error.clone(), from, until, restores });
            }
            None => {}
        }
    }
}

pub(in crate::parameters) fn no_runtime() -> SourceError {
    SourceError::new(SourceErrorKind::Other, "there is no tokio runtime")
}

pub(in crate::parameters) fn shut_down() -> SourceError {
    SourceError::new(SourceErrorKind::Other, "the runtime was shut down")
}

/// The end of a fetch, which also comes if its task is dropped with the runtime.
struct Landing<T: Send + Sync + 'static> {
    cell: Arc<Cell<T>>,
    number: u64,
    restores: u64,
    sender: Option<oneshot::Sender<Outcome<T>>>,
}

impl<T: Send + Sync + 'static> Landing<T> {
    fn land(mut self, outcome: Outcome<T>) {
        self.cell.finish(self.number, self.restores, Some(&outcome));
        if let Some(sender) = self.sender.take() {
            // Nobody may wait any more.
            let _ = sender.send(outcome);
        }
    }
}

impl<T: Send + Sync + 'static> Drop for Landing<T> {
    fn drop(&mut self) {
        if self.sender.is_some() {
            self.cell.finish(self.number, self.restores, None);
        }
        self.cell.settings.running.end();
    }
}
