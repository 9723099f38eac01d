//! Jobs that are done in steps, over as many events as it takes.

use std::time::{Duration, SystemTime};

use powertools::Invocation;
use powertools::testing::{ManualClock, invocation};

mod lambda;
mod rules;

const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// A clock that follows tokio's paused time.
fn clock() -> ManualClock {
    ManualClock::following_tokio(SystemTime::UNIX_EPOCH + 1_800_000_000 * SECOND)
}

/// An invocation with ten seconds, of which idempotent work keeps half of one.
fn event(clock: &ManualClock) -> Invocation {
    invocation().clock(clock).remaining(10 * SECOND).build()
}
