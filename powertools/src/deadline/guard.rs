use std::fmt;
use std::pin::Pin;
use std::sync::Once;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use futures_util::future::Either;
use pin_project_lite::pin_project;
use tokio::task::coop::unconstrained;
use tokio::task::futures::TaskLocalFuture;
use tokio::time::{Instant, Sleep, sleep};

use super::Error;
use crate::invocation::budget::nested;
use crate::{Carries, Invocation};

/// How much shorter than the function's timeout an invocation may look, because the event was on
/// its way to us.
const TRAVEL: Duration = Duration::from_millis(50);

/// A guard that is later than this did not wait for its turn: its thread was blocked.
const BLOCKED: Duration = Duration::from_millis(100);

/// When guarded work is stopped.
#[derive(Debug)]
pub(super) struct Limits {
    /// The invocation as the work sees it: its limit is that of the work.
    invocation: Invocation,
    /// When work that cleans up is dropped all the same.
    last: SystemTime,
}

impl Limits {
    pub(super) fn new(invocation: &Invocation, reserve: Duration) -> Self {
        let invocation = reserving(invocation, reserve);
        let last = invocation.deadline() - invocation.reserve() / 2;
        Self { invocation, last }
    }

    /// Calls `f` as the work is called.
    pub(super) fn sync_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        self.invocation.clone().sync_scope(f)
    }

    fn until(&self, end: SystemTime) -> Duration {
        end.duration_since(self.invocation.clock().now()).unwrap_or_default()
    }

    /// Notices that the work has kept its guard from looking at the time.
    fn note_overrun(&self) {
        let now = self.invocation.clock().now();
        let overrun = now.duration_since(self.invocation.limit()).unwrap_or_default();
        if overrun > BLOCKED {
            tracing::warn!(
                request_id = self.invocation.request_id(),
                overrun_ms = overrun.as_millis(),
                "work blocked its thread past its time limit and could not be stopped: move what \
                 blocks to spawn_blocking"
            );
        }
    }
}

/// The invocation with a limit for work under a guard with this reserve.
pub(crate) fn reserving(invocation: &Invocation, reserve: Duration) -> Invocation {
    let timeout = invocation.timeout();
    if is_cut(reserve, timeout) {
        warn_of_cut(reserve, timeout);
    }
    invocation.reserving(nested(reserve, invocation.reserve(), timeout))
}

/// Why work that needs so much is not begun.
#[cold]
pub(super) fn no_time(invocation: &Invocation, needed: Duration) -> Error {
    Error::NoTime { needed, reserve: invocation.reserve(), remaining: invocation.remaining() }
}

/// Whether what can be kept of a reserve is markedly less.
fn is_cut(reserve: Duration, timeout: Duration) -> bool {
    reserve > timeout / 2 + TRAVEL / 2
}

#[cold]
fn warn_of_cut(reserve: Duration, timeout: Duration) {
    static WARNING: Once = Once::new();
    WARNING.call_once(|| {
        tracing::warn!(
            reserve_ms = reserve.as_millis(),
            timeout_ms = timeout.as_millis(),
            "a time guard keeps more than half of the invocation's time in reserve: half is kept \
             instead; shorten the reserve or raise the timeout of the function"
        );
    });
}

/// How guarded work ended.
pub(super) enum Ended<T> {
    InTime(T),
    /// While it cleaned up; with the error that it would have got when stopped.
    Late(T, Error),
    Stopped(Error),
}

pin_project! {
    /// Work that is stopped when its time is up.
    pub(super) struct Guard<F> {
        // Emptied when the work is stopped: what it holds must go before anyone is told.
        #[pin]
        work: Option<Either<TaskLocalFuture<Invocation, F>, F>>,
        // Made at the first poll, since that is inside the runtime.
        #[pin]
        sleep: Option<Sleep>,
        limits: Option<Limits>,
        is_late: bool,
    }
}

impl<F: Future> Guard<F> {
    /// Without `limits` the work is never stopped.
    pub(super) fn new(limits: Option<Limits>, work: F) -> Self {
        let work = match &limits {
            Some(limits) => Either::Left(limits.invocation.clone().named_scope(work)),
            None => Either::Right(work),
        };
        Self { work: Some(work), sleep: None, limits, is_late: false }
    }
}

impl<F: Future> Future for Guard<F> {
    type Output = Ended<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let work = this.work.as_mut().as_pin_mut().expect("it is polled until it is ready");
        let Some(limits) = this.limits else { return work.poll(cx).map(Ended::InTime) };

        let out_of_time =
            |limits: &Limits| Error::OutOfTime { remaining: limits.invocation.remaining() };
        if this.sleep.is_none() {
            let left = limits.until(limits.invocation.limit());
            if left.is_zero() {
                this.work.set(None);
                let error = no_time(&limits.invocation, Duration::ZERO);
                return Poll::Ready(Ended::Stopped(error));
            }
            this.sleep.set(Some(sleep(left)));
        }
        if let Poll::Ready(output) = work.poll(cx) {
            if *this.is_late {
                return Poll::Ready(Ended::Late(output, out_of_time(limits)));
            }
            limits.note_overrun();
            return Poll::Ready(Ended::InTime(output));
        }

        let mut sleep = this.sleep.as_pin_mut().expect("it was made above");
        // Work that is never short of something to do uses up its turn; the time is looked at all
        // the same.
        ready!(Pin::new(&mut unconstrained(sleep.as_mut())).poll(cx));
        if !*this.is_late {
            *this.is_late = true;
            limits.note_overrun();
            let left = limits.until(limits.last);
            if limits.invocation.has_cleanup() && !left.is_zero() {
                sleep.as_mut().reset(Instant::now() + left);
                ready!(Pin::new(&mut unconstrained(sleep.as_mut())).poll(cx));
            }
        }
        this.work.set(None);
        Poll::Ready(Ended::Stopped(out_of_time(limits)))
    }
}

pin_project! {
    /// Work under a time guard. Made by [`Deadline::run`](super::Deadline::run) and
    /// [`DeadlineService`](super::DeadlineService).
    #[must_use = "a future does nothing until it is awaited"]
    pub struct ResponseFuture<F> {
        #[pin]
        guard: Guard<F>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(guard: Guard<F>) -> Self {
        Self { guard }
    }
}

impl<F, T, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: Carries<Error>,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().guard.poll(cx).map(|ended| match ended {
            Ended::InTime(result) | Ended::Late(result, _) => result,
            Ended::Stopped(error) => Err(error.into()),
        })
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("limits", &self.guard.limits).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn a_reserve_of_over_half_of_the_time_is_cut() {
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
