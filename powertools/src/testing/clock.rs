use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::clock::Clock;

/// A clock that a test moves.
///
/// It is fixed until [`advance`](Self::advance) or [`set`](Self::set) moves it, or follows
/// tokio's own time when created by [`following_tokio`](Self::following_tokio). Clones are the same
/// clock.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use powertools::testing::{self, ManualClock};
///
/// let clock = ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
/// let invocation =
///     testing::invocation().clock(&clock).remaining(Duration::from_secs(3)).build();
///
/// clock.advance(Duration::from_secs(2));
/// assert_eq!(invocation.remaining(), Duration::from_secs(1));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock {
    at: Arc<Mutex<SystemTime>>,
    tokio: Option<Tokio>,
}

/// The tokio time that a clock follows.
#[derive(Clone, Debug)]
struct Tokio {
    runtime: Handle,
    start: Instant,
}

impl ManualClock {
    /// Creates a clock that is fixed at `at`.
    #[must_use]
    pub fn new(at: SystemTime) -> Self {
        Self { at: Arc::new(Mutex::new(at)), tokio: None }
    }

    /// Creates a clock that shows `at` now and then follows tokio's time.
    ///
    /// In a test that pauses tokio's time, timers and the time of day move together:
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use powertools::testing::ManualClock;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH);
    /// tokio::time::sleep(Duration::from_secs(60)).await;
    /// assert!(clock.now() >= SystemTime::UNIX_EPOCH + Duration::from_secs(60));
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    #[must_use]
    pub fn following_tokio(at: SystemTime) -> Self {
        let tokio = Tokio { runtime: Handle::current(), start: Instant::now() };
        Self { at: Arc::new(Mutex::new(at)), tokio: Some(tokio) }
    }

    /// Returns the time that this clock shows.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        *self.at() + self.elapsed()
    }

    /// Moves the clock forward.
    ///
    /// The timers of tokio do not move with it: for that, make the clock by
    /// [`following_tokio`](Self::following_tokio) and call `tokio::time::advance`.
    pub fn advance(&self, by: Duration) {
        *self.at() += by;
    }

    /// Sets the clock, forward or back.
    pub fn set(&self, to: SystemTime) {
        *self.at() = to - self.elapsed();
    }

    /// Returns this clock as a [`Clock`].
    #[must_use]
    pub fn clock(&self) -> Clock {
        let clock = self.clone();
        Clock::from_fn(move || clock.now())
    }

    /// Returns true if this clock follows tokio's time.
    pub(super) fn follows_tokio(&self) -> bool {
        self.tokio.is_some()
    }

    /// Advances the time, including tokio's if this clock follows it.
    pub(super) async fn pass(&self, by: Duration) {
        if self.follows_tokio() {
            tokio::time::sleep(by).await;
        } else {
            self.advance(by);
        }
    }

    fn at(&self) -> MutexGuard<'_, SystemTime> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far tokio's time has gone since the clock was made.
    fn elapsed(&self) -> Duration {
        let Some(tokio) = &self.tokio else { return Duration::ZERO };
        // A runtime has its own paused time, and the caller may be on a thread outside of it.
        let _runtime = tokio.runtime.enter();
        tokio.start.elapsed()
    }
}

impl From<ManualClock> for Clock {
    fn from(clock: ManualClock) -> Self {
        clock.clock()
    }
}

impl From<&ManualClock> for Clock {
    fn from(clock: &ManualClock) -> Self {
        clock.clock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: SystemTime = SystemTime::UNIX_EPOCH;
    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_time_is_fixed_until_it_is_changed() {
        let clock = ManualClock::new(START);
        let shared = clock.clock();

        clock.advance(MINUTE);
        assert_eq!(shared.now(), START + MINUTE);

        clock.set(START);
        assert_eq!(shared.now(), START);
    }

    #[tokio::test(start_paused = true)]
    async fn follows_the_time_of_tokio() {
        let clock = ManualClock::following_tokio(START);
        tokio::time::advance(MINUTE).await;
        assert_eq!(clock.now(), START + MINUTE);

        clock.advance(MINUTE);
        assert_eq!(clock.now(), START + 2 * MINUTE);

        clock.set(START);
        tokio::time::advance(MINUTE).await;
        assert_eq!(clock.now(), START + MINUTE);
    }

    #[tokio::test(start_paused = true)]
    async fn shows_the_same_time_on_threads_outside_of_the_runtime() {
        let clock = ManualClock::following_tokio(START);
        tokio::time::advance(MINUTE).await;

        let elsewhere = std::thread::spawn(move || clock.now()).join().unwrap();
        assert_eq!(elsewhere, START + MINUTE);
    }
}
