//! What of an invocation's end is kept for what follows the work in it.

use std::time::Duration;

use super::Invocation;

/// How much earlier than what is around it nested work is stopped: its error, its fallback or its
/// reply has to travel through the code between the two.
const STEP: Duration = Duration::from_millis(10);

impl Invocation {
    /// What is kept between the limit and the deadline.
    pub(crate) fn reserve(&self) -> Duration {
        self.deadline().duration_since(self.limit()).unwrap_or_default()
    }
}

/// The reserve of work that wants one of `wanted`, inside of work with one of `outer` (zero where
/// there is none), of an invocation with `timeout` in all.
///
/// At most half of the time, for otherwise nothing could be done in it; but more than `outer`.
pub(crate) fn nested(wanted: Duration, outer: Duration, timeout: Duration) -> Duration {
    let kept = wanted.min(timeout / 2);
    if outer.is_zero() {
        return kept;
    }
    // Steps may not use up the time: work within work shares an end in the last resort.
    let most = timeout / 4 * 3;
    kept.max((outer + STEP).min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn at_most_half_of_the_time_is_kept() {
        let alone = |wanted| nested(wanted, Duration::ZERO, 3 * SECOND);
        assert_eq!(alone(SECOND), SECOND);
        assert_eq!(alone(2 * SECOND), 3 * SECOND / 2);
        assert_eq!(alone(9 * SECOND), 3 * SECOND / 2);
        assert_eq!(alone(Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn nested_work_ends_a_step_earlier_until_a_quarter_of_the_time_is_left() {
        let inside = |outer| nested(SECOND, outer, 8 * SECOND);
        assert_eq!(inside(SECOND / 2), SECOND);
        assert_eq!(inside(SECOND), SECOND + STEP);
        assert_eq!(inside(5 * SECOND), 5 * SECOND + STEP);
        assert_eq!(inside(6 * SECOND), 6 * SECOND);
    }
}
