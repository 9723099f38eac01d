use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, ready};
use std::time::{Duration, SystemTime};

use tokio::task::coop::unconstrained;
use tokio::time::sleep;

use crate::clock::Clock;
use crate::idempotency::options::Options;
use crate::idempotency::{
    EpochMillis, EpochSeconds, Error, Record, Store, StoreError, StoreErrorKind,
};
use crate::invocation::budget::{Budget, REPLY, warn_if_missed};
use crate::invocation::{CleanupGuard, DurableExecution, Invocation, Mark};

/// The maximum time of one store call, with all of its attempts.
pub(super) const CALL: Duration = Duration::from_secs(5);

/// The lease outside an invocation, where there is no deadline, unless the options set one.
const LEASE_OUTSIDE: Duration = Duration::from_secs(15 * 60);

/// The time for a release even if none remains.
const LAST_CALL: Duration = Duration::from_millis(50);

/// The time for a save even if none remains: the work is done, and would otherwise be repeated.
const LAST_SAVE: Duration = Duration::from_secs(1);

/// The time for a renewal on request even if its lease has ended.
const LAST_RENEWAL: Duration = Duration::from_secs(1);

/// The time limits of one call.
#[derive(Debug)]
pub(super) struct Time {
    clock: Clock,
    expires_after: Duration,
    /// `None` outside an invocation.
    invocation: Option<Invocation>,
}

/// The times of a claim.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// The time at which the window was computed, by which an existing record is judged.
    pub(super) now: SystemTime,
    /// When others may claim the key.
    pub(super) lease_end: SystemTime,
    pub(super) expiration: EpochSeconds,
    /// When the work is stopped.
    pub(super) limit: SystemTime,
    /// True if the work is stopped because its lease ends, false if because of the deadline.
    pub(super) ends_with_lease: bool,
}

impl Time {
    pub(super) fn new(options: &Options, expires_after: Duration) -> Self {
        let current = Invocation::current();
        if current.is_none() {
            warn_if_missed("idempotent work");
        }
        let clock = match (&options.clock, &current) {
            (Some(clock), _) => clock.clone(),
            (None, Some(invocation)) => invocation.clock().clone(),
            (None, None) => Clock::system(),
        };
        Self { clock, expires_after, invocation: current }
    }

    /// Returns the durable execution that the call is a part of.
    pub(super) fn execution(&self) -> Option<&DurableExecution> {
        self.invocation.as_ref()?.execution()
    }

    pub(super) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Returns the time from now to `end`.
    pub(super) fn until(&self, end: SystemTime) -> Duration {
        end.duration_since(self.now()).unwrap_or_default()
    }

    /// Returns the times of a claim that is made now, or the error that it is too late for one.
    pub(super) fn window(&self, options: &Options) -> Result<Window, Error> {
        let now = self.now();
        let lease_end = match (options.lease, &self.invocation) {
            (Some(lease), Some(invocation)) if options.renew_lease => {
                (now + lease).min(invocation.deadline()) + options.grace
            }
            (Some(lease), _) => now + lease + options.grace,
            (None, Some(invocation)) => invocation.deadline() + options.grace,
            (None, None) => now + LEASE_OUTSIDE,
        };
        if let (Some(invocation), Some(end)) = (&self.invocation, self.end_of_claimed(options))
            && end <= now
        {
            invocation.mark_out(Mark::REFUSED);
            let remaining = invocation.deadline().duration_since(now).unwrap_or_default();
            return Err(Error::NoTime { remaining });
        }
        let expiration = self.expiration_from(now).max(EpochMillis::from(lease_end).ceil());
        Ok(self.claimed(options, now, lease_end, expiration))
    }

    /// Returns the times of a claim as its record has them. The request that wrote it can be an earlier
    /// one than that of `window`: one that was late, or one of an earlier invocation of this durable
    /// execution.
    pub(super) fn window_of(&self, options: &Options, window: Window, record: &Record) -> Window {
        let lease_end = record.in_progress_expiration.map(EpochMillis::to_system_time);
        let lease_end = lease_end.unwrap_or(window.lease_end);
        let expiration = record.expiration.unwrap_or(window.expiration);
        self.claimed(options, window.now, lease_end, expiration)
    }

    /// Returns the times of a claim with this lease.
    fn claimed(
        &self,
        options: &Options,
        now: SystemTime,
        lease_end: SystemTime,
        expiration: EpochSeconds,
    ) -> Window {
        // The grace is for saving and for clocks that differ; the work cannot use it. Without an
        // explicit lease, the deadline stops the work before that.
        let stop = options.lease.map_or(lease_end, |_| lease_end - options.grace);
        let work_end = self.end_of_claimed(options);
        let ends_with_lease = work_end.is_none_or(|end| stop <= end);
        let limit = if ends_with_lease { stop } else { work_end.unwrap_or(stop) };
        Window { now, lease_end, expiration, limit, ends_with_lease }
    }

    /// Returns when this invocation ends the work of a claim, whatever its lease.
    ///
    /// The work of a durable execution continues in later invocations. If this one ends before it, the
    /// guard around the handler stops both, and an error of this call would end the execution.
    fn end_of_claimed(&self, options: &Options) -> Option<SystemTime> {
        self.work_end(options).filter(|_| self.execution().is_none())
    }

    /// Returns the window of a lease that is extended to `lease` from now, but not past the end of the
    /// invocation.
    pub(super) fn renewed(&self, options: &Options, window: &Window, lease: Duration) -> Window {
        let now = self.now();
        let (mut stop, mut lease_end) = (now + lease, now + lease + options.grace);
        let mut limit = stop;
        if let Some(invocation) = &self.invocation {
            let end = invocation.deadline();
            stop = stop.min(end);
            lease_end = lease_end.min(end + options.grace);
            limit = stop.min(invocation.limit_reserving(options.save_reserve));
        }
        Window {
            now,
            lease_end,
            expiration: self
                .expiration_from(now)
                .max(EpochMillis::from(lease_end).ceil())
                .max(window.expiration),
            limit,
            ends_with_lease: stop <= limit,
        }
    }

    /// Returns true if a renewal can extend a lease with this window: none lasts for longer than the
    /// invocation with its grace.
    pub(super) fn can_grow(&self, options: &Options, window: &Window) -> bool {
        let deadline = self.invocation.as_ref().map(Invocation::deadline);
        deadline.is_none_or(|deadline| window.lease_end < deadline + options.grace)
    }

    /// Returns when a record expires that is written at `now`.
    pub(super) fn expiration_from(&self, now: SystemTime) -> EpochSeconds {
        EpochMillis::from(now + self.expires_after).ceil()
    }

    /// Returns the time for a call that must end before `end`.
    pub(super) fn before(&self, end: SystemTime) -> Duration {
        call_time(self.now(), end)
    }

    /// Returns the time for a renewal on request: until the lease ends, and also some after that, since the
    /// answer tells whether another invocation has taken the record over.
    pub(super) fn for_renewal(&self, window: &Window) -> Duration {
        self.before(window.lease_end).max(LAST_RENEWAL)
    }

    /// Returns when a save that starts at `now` gives up: in time for the reply to reach Lambda,
    /// unless the work has overrun that.
    pub(super) fn save_end(&self, now: SystemTime) -> SystemTime {
        let end = self.end(now);
        if end.duration_since(now).unwrap_or_default() < LAST_CALL { now + LAST_SAVE } else { end }
    }

    /// Returns the time for a release.
    pub(super) fn last_call(&self) -> Duration {
        let now = self.now();
        call_time(now, self.end(now)).max(LAST_CALL)
    }

    /// Returns the latest limit of work in this invocation, whatever its lease.
    pub(super) fn work_end(&self, options: &Options) -> Option<SystemTime> {
        Some(self.invocation.as_ref()?.limit_reserving(options.save_reserve))
    }

    /// Returns the budget of the work, which runs in a scope of its own.
    pub(super) fn budget(&self, window: &Window) -> Budget {
        let scope = self.invocation.as_ref().map(|around| around.for_idempotent(window.limit));
        match scope {
            Some(scope) if !window.ends_with_lease => Budget::of(scope).by(self.clock.clone()),
            scope => Budget::until(window.limit, self.clock.clone(), scope),
        }
    }

    /// Returns the budget of work whose lease is renewed. Inside it, the limit is the latest that
    /// the work can have.
    pub(super) fn renewed_budget(&self, options: &Options, window: &Window) -> Budget {
        let latest = self.work_end(options).unwrap_or(window.limit);
        let scope = self.invocation.as_ref().map(|around| around.for_idempotent(latest));
        Budget::up_to(window.limit, self.clock.clone(), scope)
    }

    /// Marks the scopes around this call with the way in which its work ended.
    pub(super) fn mark_around(&self, mark: Mark) {
        if let Some(around) = &self.invocation {
            around.mark_out(mark);
        }
    }

    /// Returns true if a part of the work around this call was interrupted.
    pub(super) fn is_interrupted_around(&self) -> bool {
        self.invocation.as_ref().is_some_and(Invocation::is_interrupted_around)
    }

    /// Returns when everything that follows the work should be done.
    fn end(&self, now: SystemTime) -> SystemTime {
        match &self.invocation {
            Some(invocation) => invocation.deadline() - REPLY,
            None => now + CALL,
        }
    }

    /// Makes outer time guards wait until the claim is released.
    pub(super) fn cleanup_guard(&self) -> Option<CleanupGuard> {
        self.invocation.as_ref().map(Invocation::cleanup_guard)
    }
}

/// Returns the time for a call that starts at `now` and must end before `end`.
pub(super) fn call_time(now: SystemTime, end: SystemTime) -> Duration {
    end.duration_since(now).unwrap_or_default().min(CALL)
}

/// Waits for a call of the store, at most for `timeout`.
pub(super) async fn bounded<T>(
    store: &impl Store,
    timeout: Duration,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let mut call = pin!(call);
    // Created when it is first needed: a call that never waits needs none.
    let mut timer = pin!(None);
    poll_fn(|cx| {
        if let Poll::Ready(result) = call.as_mut().poll(cx) {
            return Poll::Ready(result);
        }
        if store.keeps_timeouts() {
            return Poll::Pending;
        }
        if timer.is_none() {
            timer.set(Some(sleep(timeout)));
        }
        let timer = timer.as_mut().as_pin_mut().expect("it was created above");
        // A busy call exhausts Tokio's budget of its task; the timer is polled regardless.
        ready!(pin!(unconstrained(timer)).poll(cx));
        let message = format!("there was no answer within {timeout:?}");
        Poll::Ready(Err(StoreError::new(StoreErrorKind::Timeout, message)))
    })
    .await
}

/// Returns a time between half of `pause` and all of it, so that concurrent callers spread out.
pub(super) fn jittered(pause: Duration, random: u32) -> Duration {
    pause / 2 + (pause / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}
