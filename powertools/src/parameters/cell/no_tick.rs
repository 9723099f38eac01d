use std::time::SystemTime;

use crate::clock::Clock;

/// Returns the exact time, where there is no cheaper one.
pub(super) fn now(clock: &Clock) -> SystemTime {
    clock.now()
}
