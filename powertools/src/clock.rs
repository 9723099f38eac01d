//! The time of day, in one place.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// Where the toolkit reads the time of day.
///
/// An [`Invocation`](crate::Invocation) carries its clock to everything that works for it. In
/// production that is the system's clock; tests give a
/// `testing::ManualClock` or a function of their own.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use powertools::Clock;
///
/// let fast = Clock::from_fn(|| SystemTime::now() + Duration::from_secs(120));
/// assert!(fast.now() > Clock::system().now());
/// ```
#[derive(Clone, Default)]
pub struct Clock(Option<Arc<dyn Fn() -> SystemTime + Send + Sync>>);

impl Clock {
    /// The clock of the operating system.
    #[must_use]
    pub fn system() -> Self {
        Self(None)
    }

    /// Creates a clock that calls `now` for the time.
    pub fn from_fn(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(now)))
    }

    /// The time of day.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that may")]
    pub fn now(&self) -> SystemTime {
        match &self.0 {
            None => SystemTime::now(),
            Some(now) => now(),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_none() { "Clock(system)" } else { "Clock(custom)" })
    }
}
