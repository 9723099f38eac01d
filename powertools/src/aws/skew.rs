use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use crate::clock::Clock;

/// In seconds. A clock that is off by less is not the reason for a rejection: AWS tolerates 5
/// minutes.
const TOLERATED: i64 = 4 * 60;

/// By how many seconds the clock of a service is ahead of ours; 0 unless a request was rejected for
/// that.
#[derive(Debug, Default)]
pub(crate) struct Skew(AtomicI64);

impl Skew {
    /// Returns the time of the service, as far as it is known.
    pub(crate) fn now(&self, clock: &Clock) -> SystemTime {
        let ahead = self.0.load(Ordering::Relaxed);
        let difference = Duration::from_secs(ahead.unsigned_abs());
        let now = clock.now();
        match ahead {
            ..0 => now.checked_sub(difference).unwrap_or(SystemTime::UNIX_EPOCH),
            0.. => now + difference,
        }
    }

    /// Follows the clock of the service from now on, if its `date` shows that the time of a signature was
    /// off. Returns true if it does. Requests at the same time are all signed by the same wrong clock, so it
    /// does not matter what another one has corrected meanwhile.
    pub(crate) fn follow(&self, clock: &Clock, date: Option<&str>, signed: SystemTime) -> bool {
        let Some(Ok(date)) = date.map(httpdate::parse_http_date) else { return false };
        let seconds = |time: SystemTime| {
            let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        };
        let is_off = (seconds(date) - seconds(signed)).abs() > TOLERATED;
        if is_off {
            self.0.store(seconds(date) - seconds(clock.now()), Ordering::Relaxed);
        }
        is_off
    }
}
