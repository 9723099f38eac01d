//! The size of a reserve.

use std::time::Duration;

/// How much earlier than the work around it nested work is stopped: its error, fallback or reply has to
/// pass through the code between the two.
const STEP: Duration = Duration::from_millis(10);

/// How much shorter than the timeout of the function an invocation may appear, because the event was
/// under way.
const TRAVEL: Duration = Duration::from_millis(50);

/// Returns the reserve of work that requests `wanted`, nested in work with the reserve `outer` (zero
/// where there is none), in an invocation with `timeout` in all.
///
/// At most half of the time, because otherwise nothing could be done in it; but more than `outer`.
pub(super) fn nested(wanted: Duration, outer: Duration, timeout: Duration) -> Duration {
    let kept = wanted.min(timeout / 2);
    if outer.is_zero() {
        return kept;
    }
    // Steps must not exhaust the time: as a last resort, deeply nested work shares a limit.
    let most = timeout / 4 * 3;
    // Work that ends before that, by a short lease, has the same share of its own time.
    let most = if outer > most { outer + timeout.saturating_sub(outer) / 4 * 3 } else { most };
    kept.max((outer + STEP).min(most))
}

/// Returns true if what can be kept of a reserve is markedly less than the reserve.
pub(super) fn is_cut(reserve: Duration, timeout: Duration) -> bool {
    reserve > timeout / 2 + TRAVEL / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn the_reserve_is_at_most_half_of_the_time() {
        let alone = |wanted| nested(wanted, Duration::ZERO, 3 * SECOND);
        assert_eq!(alone(SECOND), SECOND);
        assert_eq!(alone(2 * SECOND), 3 * SECOND / 2);
        assert_eq!(alone(9 * SECOND), 3 * SECOND / 2);
        assert_eq!(alone(Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn nested_work_ends_a_step_earlier_until_a_quarter_of_the_time_remains() {
        let inside = |outer| nested(SECOND, outer, 8 * SECOND);
        assert_eq!(inside(SECOND / 2), SECOND);
        assert_eq!(inside(SECOND), SECOND + STEP);
        assert_eq!(inside(5 * SECOND), 5 * SECOND + STEP);
        assert_eq!(inside(6 * SECOND), 6 * SECOND);
    }

    #[test]
    fn work_in_a_short_lease_ends_a_step_earlier_too() {
        let in_lease = |lease| nested(SECOND, 900 * SECOND - lease, 900 * SECOND);
        assert_eq!(in_lease(30 * SECOND), 870 * SECOND + STEP);
        assert_eq!(in_lease(4 * MILLI), 900 * SECOND - MILLI);
        assert_eq!(in_lease(Duration::ZERO), 900 * SECOND);
    }

    #[test]
    fn a_reserve_of_over_half_of_the_time_is_shortened() {
        assert!(!is_cut(SECOND, 3 * SECOND));
        assert!(is_cut(2 * SECOND, 3 * SECOND));
        assert!(!is_cut(Duration::ZERO, Duration::ZERO));
    }

    #[test]
    fn a_timeout_of_one_second_takes_the_default_reserve_without_a_warning() {
        let event_was_on_its_way = 3 * MILLI;
        let timeout = SECOND - event_was_on_its_way;
        assert!(nested(500 * MILLI, Duration::ZERO, timeout) >= 498 * MILLI);
        assert!(!is_cut(500 * MILLI, timeout));
    }
}
