use std::future::Future;
use std::pin::Pin;
use std::sync::Once;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use tokio::task::coop::unconstrained;
use tokio::time::Sleep;

use crate::invocation::budget::nested;
use crate::process::is_missed;
use crate::{Clock, Invocation};

/// A lease that ends later than this is not waited for.
const SHORT_LEASE: Duration = Duration::from_secs(2);

/// What a batch knows of the time that it has.
///
/// Outside an invocation there is no limit.
#[derive(Clone, Debug)]
pub(super) struct Time {
    /// The current invocation, less the reserve.
    invocation: Option<Invocation>,
    /// When records that clean up are dropped too.
    last: SystemTime,
}

impl Time {
    /// The time of a batch that begins now.
    pub(super) fn new(reserve: Duration) -> Self {
        let Some(current) = Invocation::current() else {
            warn_without_invocation();
            return Self { invocation: None, last: SystemTime::UNIX_EPOCH };
        };
        let timeout = current.timeout();
        if reserve > timeout / 2 {
            warn_of_cut(reserve, timeout);
        }
        let reserve = nested(reserve, current.reserve(), timeout);
        let reserved = current.for_records(reserve);
        let last = reserved.limit() + reserve / 2;
        Self { invocation: Some(reserved), last }
    }

    /// The invocation in whose scope the records are handled.
    pub(super) fn invocation(&self) -> Option<&Invocation> {
        self.invocation.as_ref()
    }

    /// True if no record may start any more.
    pub(super) fn is_over(&self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    /// How long to wait for a lease until it ends, if that is worth it.
    pub(super) fn wait_for(&self, lease_end: SystemTime) -> Option<Duration> {
        let lease = lease_end.duration_since(self.now()).unwrap_or_default();
        // It holds up to and including its last millisecond.
        let wait = lease + Duration::from_millis(1);
        let in_time = self.left().is_none_or(|left| wait < left);
        (lease <= SHORT_LEASE && in_time).then_some(wait)
    }

    /// True if a lease may be that of another record of this batch: one that belongs to this
    /// invocation outlasts it, and those of earlier ones do not, or hardly.
    pub(super) fn is_of_this_batch(&self, lease_end: SystemTime) -> bool {
        self.invocation.as_ref().is_none_or(|invocation| lease_end >= invocation.deadline())
    }

    /// What completes when the running records are to be stopped.
    pub(super) fn limit(&self) -> Limit<'_> {
        Limit { time: self, sleep: None, cleaning_up: false }
    }

    fn left(&self) -> Option<Duration> {
        let limit = self.invocation.as_ref()?.limit();
        Some(limit.duration_since(self.now()).unwrap_or_default())
    }

    fn now(&self) -> SystemTime {
        match &self.invocation {
            Some(invocation) => invocation.clock().now(),
            None => Clock::system().now(),
        }
    }
}

/// The end of the time for running records: the limit of their invocation, and half of the reserve
/// later for those that clean up.
#[derive(Debug)]
pub(super) struct Limit<'a> {
    time: &'a Time,
    sleep: Option<Pin<Box<Sleep>>>,
    /// True from the limit on.
    cleaning_up: bool,
}

impl Limit<'_> {
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(invocation) = &self.time.invocation else { return Poll::Pending };
        loop {
            if self.cleaning_up && !invocation.has_cleanup() {
                return Poll::Ready(());
            }
            let end = if self.cleaning_up { self.time.last } else { invocation.limit() };
            let sleep = self.sleep.get_or_insert_with(|| {
                let left = end.duration_since(invocation.clock().now()).unwrap_or_default();
                Box::pin(tokio::time::sleep(left))
            });
            // Records that are never short of something to do use up the turn of their task; the
            // time is looked at all the same.
            if Pin::new(&mut unconstrained(sleep.as_mut())).poll(cx).is_pending() {
                return Poll::Pending;
            }
            if self.cleaning_up {
                return Poll::Ready(());
            }
            self.cleaning_up = true;
            self.sleep = None;
        }
    }
}

fn warn_of_cut(reserve: Duration, timeout: Duration) {
    static WARNING: Once = Once::new();
    WARNING.call_once(|| {
        tracing::warn!(
            "a batch keeps {reserve:?} of the {timeout:?} that its function has in reserve, which \
             is too much: it is half of that now"
        );
    });
}

fn warn_without_invocation() {
    static WARNING: Once = Once::new();
    if !WARNING.is_completed() && is_missed() {
        WARNING.call_once(|| {
            tracing::warn!(
                "a batch is handled outside an invocation and cannot see its deadline: run the \
                 handler with powertools::Powertools, and spawn tasks with Invocation::carry"
            );
        });
    }
}
