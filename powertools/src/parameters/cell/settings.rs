use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::error::panic::catch_future;
use crate::parameters::{SourceError, SourceErrorKind};

/// The longest age that can be set: ten years. Beyond it, a time could not be expressed.
pub(in crate::parameters) const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// What decides how long values are kept, and how long fetches take.
#[derive(Clone, Debug)]
pub(in crate::parameters) struct Settings {
    /// The age at which a value is not returned any more, unless the fetch of a new one fails.
    pub(in crate::parameters) max_age: Duration,
    /// How much longer it is returned if that fails.
    pub(in crate::parameters) max_stale: Duration,
    /// How long a failure is returned without another fetch.
    pub(in crate::parameters) failure_age: Duration,
    /// The shortest time between two fetches that `refresh_if` begins.
    pub(in crate::parameters) refresh_interval: Duration,
    /// The limit for a fetch.
    pub(in crate::parameters) timeout: Duration,
    pub(in crate::parameters) clock: Clock,
    pub(in crate::parameters) running: Running,
}

impl Settings {
    /// Sets the age of a declaration, if it has its own. An age of zero turns all of the cache off.
    pub(in crate::parameters) fn max_age(mut self, age: Option<Duration>) -> Self {
        self.max_age = age.unwrap_or(self.max_age);
        if self.max_age.is_zero() {
            self.max_stale = Duration::ZERO;
            self.failure_age = Duration::ZERO;
        }
        self
    }

    /// Returns the ages at which a value is refreshed ahead of time, and at which it must be.
    ///
    /// The first is 70 to 90 per cent of the second, at random, so that environments which started
    /// together do not fetch together.
    pub(super) fn ages(&self, min_age: Duration) -> (Duration, Duration) {
        let min_age = min_age.min(LONGEST);
        let hard = self.max_age.min(LONGEST).max(min_age);
        let soft = hard.mul_f64(0.7 + 0.2 * random()).max(min_age);
        (soft, hard)
    }

    /// Returns what a call of a source returns within the timeout.
    pub(in crate::parameters) async fn answer<'a, A>(
        &self,
        call: impl FnOnce() -> BoxFuture<'a, Result<A, SourceError>>,
    ) -> Result<A, SourceError> {
        match timeout(self.timeout, catch_future(call)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(SourceError::new(SourceErrorKind::Other, "the source panicked")),
            Err(_) => {
                let message = format!("no answer after {:?}", self.timeout);
                Err(SourceError::new(SourceErrorKind::Timeout, message))
            }
        }
    }
}

/// Returns a number from 0 to 1; 0.5 if the operating system has none.
fn random() -> f64 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}

/// The number of fetches and writes that run.
#[derive(Clone, Debug)]
pub(in crate::parameters) struct Running(Arc<watch::Sender<usize>>);

impl Default for Running {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Running {
    pub(in crate::parameters) fn begin(&self) {
        self.0.send_modify(|running| *running += 1);
    }

    pub(in crate::parameters) fn end(&self) {
        self.0.send_modify(|running| *running -= 1);
    }

    /// Waits until none runs, for `time` at most.
    pub(in crate::parameters) async fn settle(&self, time: Duration) {
        if *self.0.borrow() > 0 {
            let mut running = self.0.subscribe();
            // Neither outcome changes anything: what still runs is frozen with the process.
            let _ = timeout(time, running.wait_for(|running| *running == 0)).await;
        }
    }
}
