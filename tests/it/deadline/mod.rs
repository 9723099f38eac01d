//! Time guards.

mod idempotent;
mod interruptions;
mod lambda;
mod rules;

use std::time::{Duration, SystemTime};

use powertools::Invocation;
use powertools::testing::{ManualClock, invocation};

const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// An invocation with this remaining time, by a clock that follows tokio's paused time.
fn with_time(remaining: Duration) -> Invocation {
    let start = SystemTime::UNIX_EPOCH + 1_800_000_000 * SECOND;
    invocation().clock(ManualClock::following_tokio(start)).remaining(remaining).build()
}
