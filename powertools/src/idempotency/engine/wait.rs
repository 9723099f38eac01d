use std::time::{Duration, SystemTime};

use super::time::{Time, jittered};
use crate::idempotency::{EpochMillis, WhileInProgress};

/// The first pause between two reads of a record, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Waits for the holder of a claim, with pauses that grow.
#[derive(Debug)]
pub(super) struct Wait {
    end: Option<SystemTime>,
    pause: Duration,
}

impl Wait {
    /// Creates a wait that starts now, before work that must stop at `work_end`.
    pub(super) fn new(policy: WhileInProgress, time: &Time, work_end: Option<SystemTime>) -> Self {
        let end = match (policy, work_end) {
            (WhileInProgress::Fail, _) => None,
            (WhileInProgress::Wait(bound), None) => Some(time.now() + bound),
            // At most half of the time: the rest is for the work, in case the holder fails.
            (WhileInProgress::Wait(bound), Some(end)) => {
                Some(time.now() + bound.min(time.until(end) / 2))
            }
        };
        Self { end, pause: FIRST_PAUSE }
    }

    /// Pauses before the next read. Returns false if there is no time for one.
    ///
    /// `lease_end` is when the holder's claim expires, if that is known: a pause never exceeds it.
    pub(super) async fn pause(&mut self, time: &Time, lease_end: Option<EpochMillis>) -> bool {
        let left = self.end.map_or(Duration::ZERO, |end| time.until(end));
        if left.is_zero() {
            return false;
        }
        let mut pause = jittered(self.pause, getrandom::u32().unwrap_or(u32::MAX)).min(left);
        if let Some(end) = lease_end {
            pause = pause.min(time.until(end.to_system_time()) + Duration::from_millis(1));
        }
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        tokio::time::sleep(pause).await;
        true
    }
}
