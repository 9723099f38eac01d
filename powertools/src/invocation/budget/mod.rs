//! The budget of work: when it is stopped, and the clean-up that it may still do after that.
//!
//! Time guards, batches, idempotent work and streamed bodies take their limits, their timers and
//! their warnings from here, and nowhere else.
//!
//! The clock decides when *pending* work is stopped. Work whose future has returned is never late,
//! however late it returned: only a result that is itself an interruption counts as stopped.

mod guarded;
mod reserve;
mod timer;
mod warnings;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub(crate) use self::guarded::{Ended, Guarded, OUT_OF_TIME};
pub(crate) use self::timer::Timer;
pub(crate) use self::warnings::warn_if_missed;
use super::{Invocation, Records};
use crate::clock::Clock;

/// The time before the deadline that is kept for the reply to reach Lambda.
pub(crate) const REPLY: Duration = Duration::from_millis(50);

/// The most that all flushes on one side of the reply may take together.
const FLUSHES: Duration = Duration::from_secs(5);

/// The time before the deadline at which the last flush is stopped, so that the reply is still sent, or the
/// next event is requested.
const AFTER_FLUSHES: Duration = Duration::from_millis(100);

/// How long a piece of work may run.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    /// The scope of the work; `None` outside an invocation.
    scope: Option<Invocation>,
    clock: Clock,
    /// When pending work is stopped.
    limit: SystemTime,
    /// When work that cleans up is dropped all the same.
    cleanup_end: SystemTime,
    /// When work that saves a result is dropped all the same.
    save_end: SystemTime,
    /// Whether the rest is stopped as soon as nothing cleans up any more.
    is_strict: bool,
}

impl Budget {
    /// Returns the budget of work that keeps `reserve` before the deadline of `invocation`.
    ///
    /// Half of the invocation's time is the most that is kept, and a warning names `who` wanted
    /// more.
    pub(crate) fn reserving(invocation: &Invocation, reserve: Duration, who: &str) -> Self {
        let timeout = invocation.timeout();
        if reserve::is_cut(reserve, timeout) {
            warnings::warn_of_cut(who, reserve, timeout);
        }
        let kept = reserve::nested(reserve, invocation.reserve(), timeout);
        Self::of(invocation.reserving(kept))
    }

    /// Returns the budget of work that runs in `scope`, until its limit.
    pub(crate) fn of(scope: Invocation) -> Self {
        let (deadline, limit) = (scope.deadline(), scope.limit());
        Self {
            clock: scope.clock().clone(),
            limit,
            cleanup_end: deadline - scope.reserve() / 2,
            save_end: limit.max(deadline - REPLY),
            is_strict: false,
            scope: Some(scope),
        }
    }

    /// Returns the budget of work that ends at `limit` and has no time after it.
    pub(crate) fn until(limit: SystemTime, clock: Clock, scope: Option<Invocation>) -> Self {
        let is_strict = false;
        Self { scope, clock, limit, cleanup_end: limit, save_end: limit, is_strict }
    }

    /// Returns the budget of work that ends at `limit`, or at the limit of its scope if that is
    /// earlier.
    pub(crate) fn up_to(limit: SystemTime, clock: Clock, scope: Option<Invocation>) -> Self {
        match scope {
            Some(scope) if scope.limit() <= limit => Self::of(scope).by(clock),
            scope => Self::until(limit, clock, scope),
        }
    }

    /// Returns the same budget without patience: at its limit, the work is stopped as soon as nothing
    /// in it cleans up any more.
    pub(crate) fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// Returns the same budget for work that also keeps `reserve`, or half of `window` if that is less, before the
    /// end of `window`, which begins with the invocation.
    #[cfg(feature = "custom-resources")]
    pub(crate) fn within(
        mut self,
        window: Duration,
        invocation: &Invocation,
        reserve: Duration,
    ) -> Self {
        if window < invocation.timeout() {
            let deadline = invocation.deadline();
            let end = deadline - (invocation.timeout() - window);
            let kept = reserve.min(window / 2);
            self.limit = self.limit.min(end - kept);
            self.cleanup_end = self.cleanup_end.min(end - kept / 2);
            self.save_end = self.save_end.min(end);
            let before = deadline.duration_since(self.limit).unwrap_or_default();
            self.scope = Some(invocation.reserving(before));
        }
        self
    }

    /// Returns the same budget for work that something follows which needs the time before the deadline: what
    /// saves a result has no more of it than what cleans up.
    #[cfg(feature = "custom-resources")]
    pub(crate) fn with_something_after_it(mut self) -> Self {
        self.save_end = self.cleanup_end;
        self
    }

    /// Returns the budget of what cleans up after the work, outside its scope.
    pub(crate) fn of_cleanup(&self) -> Self {
        Self::until(self.cleanup_end, self.clock.clone(), None)
    }

    /// Returns the budget of a part of the work that is stopped by itself at the limit, in the scope in which it
    /// is polled.
    pub(crate) fn of_part(&self) -> Self {
        Self::until(self.limit, self.clock.clone(), None)
    }

    /// Returns the same budget for the records of a batch.
    pub(crate) fn for_records(mut self, records: Arc<dyn Records>) -> Self {
        self.scope = self.scope.map(|scope| scope.for_records(records));
        self
    }

    /// Returns the same budget for work that was begun in `scope`, around its own: what cleans up or saves
    /// there has the time after the limit, too.
    pub(crate) fn around(mut self, scope: Option<Invocation>) -> Self {
        self.scope = scope.or(self.scope);
        self
    }

    /// Returns the same budget with another clock.
    pub(crate) fn by(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Returns the scope in which the work runs.
    pub(crate) fn scope(&self) -> Option<&Invocation> {
        self.scope.as_ref()
    }

    /// Returns the remaining time until pending work is stopped.
    pub(crate) fn left(&self) -> Duration {
        self.time_to(self.limit)
    }

    /// Returns true if nothing may start any more.
    pub(crate) fn is_over(&self) -> bool {
        // Not by the remaining time: a batch asks for each record, and a difference takes longer.
        self.clock.now() >= self.limit
    }

    fn time_to(&self, end: SystemTime) -> Duration {
        end.duration_since(self.clock.now()).unwrap_or_default()
    }
}

impl Invocation {
    /// Returns the time between the limit and the deadline.
    pub(crate) fn reserve(&self) -> Duration {
        self.deadline().duration_since(self.limit()).unwrap_or_default()
    }

    /// Returns the time until work must stop; zero after its limit.
    pub(crate) fn time_for_work(&self) -> Duration {
        self.limit().duration_since(self.clock().now()).unwrap_or_default()
    }

    /// Returns the time that all flushes on one side of the reply have together.
    pub(crate) fn time_to_flush(&self) -> Duration {
        self.remaining().saturating_sub(AFTER_FLUSHES).min(FLUSHES)
    }

    /// Returns the [`limit`](Self::limit) that [`reserving`](Self::reserving) sets.
    pub(crate) fn limit_reserving(&self, reserve: Duration) -> SystemTime {
        let limit = self.deadline().checked_sub(reserve).unwrap_or(SystemTime::UNIX_EPOCH);
        limit.min(self.limit())
    }
}

#[cfg(test)]
mod tests {
    use lambda_runtime::Context;

    use super::*;

    #[cfg(feature = "custom-resources")]
    #[tokio::test(start_paused = true)]
    async fn what_saves_leaves_the_time_of_what_follows() {
        use std::future::pending;

        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        for (is_followed, end) in [(false, 9_950), (true, 8_500)] {
            let began = tokio::time::Instant::now();
            let mut context = Context::default();
            context.deadline = 1_700_000_010_000;
            let clock = Clock::from_fn(move || start + began.elapsed());
            let invocation = Invocation::with_clock(&context, clock);
            let budget = Budget::reserving(&invocation, Duration::from_secs(3), "a test");
            let budget = if is_followed { budget.with_something_after_it() } else { budget };
            let mut guard = budget.scope().unwrap().cleanup_guard();
            guard.save();
            Guarded::new(Some(budget), pending::<()>()).await;
            assert_eq!(began.elapsed().as_millis(), end);
        }
    }

    #[cfg(feature = "custom-resources")]
    #[tokio::test(start_paused = true)]
    async fn work_within_a_window_keeps_the_reserve_before_its_end() {
        use std::future::pending;

        let second = Duration::from_secs(1);
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        for (window, cleans_up, end) in [
            (60, false, 57_000),
            (60, true, 58_500),
            (4, false, 2_000),
            (4, true, 3_000),
            (899, false, 896_000),
            (900, false, 897_000),
            (3600, true, 898_500),
        ] {
            let began = tokio::time::Instant::now();
            let mut context = Context::default();
            context.deadline = 1_700_000_900_000;
            let clock = Clock::from_fn(move || start + began.elapsed());
            let invocation = Invocation::with_clock(&context, clock);
            let budget = Budget::reserving(&invocation, 3 * second, "a test")
                .within(window * second, &invocation, 3 * second)
                .with_something_after_it();
            let scope = budget.scope().unwrap().clone();
            assert_eq!(scope.limit(), budget.limit, "the work knows its limit");
            let _guard = cleans_up.then(|| scope.cleanup_guard());
            Guarded::new(Some(budget), pending::<()>()).await;
            assert_eq!(began.elapsed().as_millis(), end, "{window} s");
        }
    }

    #[test]
    fn flushes_have_five_seconds_or_until_shortly_before_the_deadline() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        for (left, flushes) in [(60_000, 5_000), (5_100, 5_000), (3_000, 2_900), (60, 0)] {
            let mut context = Context::default();
            context.deadline = 1_700_000_000_000 + left;
            let invocation = Invocation::with_clock(&context, Clock::from_fn(move || now));
            assert_eq!(invocation.time_to_flush(), Duration::from_millis(flushes), "{left}");
        }
    }
}
