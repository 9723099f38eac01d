//! The attempts of a store's requests, and their time limits.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::clock::Clock;

/// The maximum number of attempts of a request.
pub(super) const ATTEMPTS: u32 = 3;
/// How long the service has for one answer.
pub(super) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
/// Before the second attempt there is a pause of up to this length, before the third of up to twice
/// this length.
pub(super) const BACKOFF: Duration = Duration::from_millis(50);
/// How long opening a connection before the first event may take.
pub(super) const WARM_UP_TIMEOUT: Duration = Duration::from_secs(4);

/// Returns when requests end that have `timeout`, which can be longer than clocks can tell.
pub(super) fn end_of(timeout: Duration) -> Instant {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    Instant::now() + timeout.min(DAY)
}

/// Returns true if a request that began at `start` has ended by the time of day, which passes in a freeze in which
/// Tokio's clock may stand still. The service can have forgotten the token of a transaction then.
pub(super) fn has_ended(start: SystemTime, timeout: Duration, clock: &Clock) -> bool {
    clock.now().duration_since(start).is_ok_and(|passed| passed >= timeout)
}

/// Returns the pause before the attempt with this number, counted from two: a random part of the
/// longest.
pub(super) fn pause(attempt: u32) -> Duration {
    part_of_pause(attempt, getrandom::u32().unwrap_or(u32::MAX))
}

fn part_of_pause(attempt: u32, random: u32) -> Duration {
    let longest = BACKOFF * 2_u32.saturating_pow(attempt.saturating_sub(2));
    longest.min(ATTEMPT_TIMEOUT).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double() {
        let milliseconds = |attempt| part_of_pause(attempt, u32::MAX).as_millis();
        assert_eq!([2, 3, 4, 5, 9].map(milliseconds), [50, 100, 200, 400, 1000]);
        assert_eq!(part_of_pause(2, 0), Duration::ZERO);
    }
}
