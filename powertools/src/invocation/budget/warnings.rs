//! The warnings about time.

use std::time::Duration;

use super::Budget;
use crate::process::{First, is_missed};

/// Work that is later than this blocked its thread: a busy runtime alone does not explain it.
const BLOCKED: Duration = Duration::from_millis(100);

/// Warns once per process if the function runs in Lambda and `who` has no invocation.
pub(crate) fn warn_if_missed(who: &str) {
    static WARNING: First = First::new();
    if !WARNING.is_over() && is_missed() && WARNING.is_first() {
        tracing::warn!(
            "{who} outside an invocation cannot see its deadline and is not stopped in time: run the \
             handler with powertools::Powertools, and spawn tasks with Invocation::carry"
        );
    }
}

/// Warns once per process that a reserve was shortened.
#[cold]
pub(super) fn warn_of_cut(who: &str, reserve: Duration, timeout: Duration) {
    static WARNING: First = First::new();
    if WARNING.is_first() {
        tracing::warn!(
            reserve_ms = reserve.as_millis(),
            timeout_ms = timeout.as_millis(),
            "{who} keeps more than half of the invocation's time in reserve: half is kept \
             instead; shorten the reserve or raise the timeout of the function"
        );
    }
}

/// Warns once per event if work with this budget prevented its timer from firing in time.
pub(super) fn note_overrun(budget: &Budget) {
    let overrun = budget.clock.now().duration_since(budget.limit).unwrap_or_default();
    if overrun > BLOCKED {
        warn_of_overrun(budget, overrun);
    }
}

#[cold]
fn warn_of_overrun(budget: &Budget, overrun: Duration) {
    let Some(scope) = budget.scope() else { return };
    if scope.is_first_overrun() {
        tracing::warn!(
            request_id = scope.request_id(),
            overrun_ms = overrun.as_millis(),
            "work blocked its thread past its time limit and could not be stopped: move what \
             blocks to spawn_blocking"
        );
    }
}
