use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::{Deadline, Error};
use crate::carries::Carries;
use crate::invocation::budget::{Budget, Ended, Guarded};
use crate::invocation::{Invocation, Mark};

/// How a guard is named in warnings.
const WHO: &str = "a time guard";

/// Returns the budget of work under a guard with this reserve.
pub(super) fn budget(invocation: &Invocation, reserve: Duration) -> Budget {
    Budget::reserving(invocation, reserve, WHO)
}

/// Returns the error for work that needs this much time and was not started.
#[cold]
pub(super) fn no_time(invocation: &Invocation, needed: Duration) -> Error {
    Error::NoTime { needed, reserve: invocation.reserve(), remaining: invocation.remaining() }
}

/// Guarded work whose time ran out.
pub(super) struct OutOfTime<E> {
    pub(super) error: Error,
    /// The error that the work itself returned, if it returned one.
    pub(super) own: Option<E>,
}

/// Distinguishes a result of guarded work in `scope` from its interruption.
///
/// A success is never an interruption, however late it came. An error is one if something in the
/// work was stopped, or was not started for lack of time.
pub(super) fn result_of<T, E>(
    ended: Ended<Result<T, E>>,
    scope: Option<&Invocation>,
) -> Result<Result<T, E>, OutOfTime<E>> {
    let Some(scope) = scope else {
        let Ended::Returned(result) = ended else { unreachable!("nothing stops it") };
        return Ok(result);
    };
    let own = match ended {
        Ended::Returned(Err(error)) if scope.has(Mark::STOPPED | Mark::REFUSED) => Some(error),
        Ended::Returned(result) => return Ok(result),
        Ended::Stopped => None,
        Ended::NotStarted => {
            return Err(OutOfTime { error: no_time(scope, Duration::ZERO), own: None });
        }
    };
    if scope.has(Mark::STOPPED) {
        scope.mark_out(Mark::STOPPED);
    }
    Err(OutOfTime { error: Error::OutOfTime { remaining: scope.remaining() }, own })
}

pin_project! {
    /// Work that a guard begins when it is first polled: by then, other work may have begun around it since the
    /// deadline was asked for, such as idempotent work, which has to learn what the guard stops.
    #[project = GuardProjection]
    #[must_use = "a future does nothing until it is awaited"]
    pub(super) enum Guard<F> {
        // Not pinned yet.
        Waiting { work: Option<(Deadline, Duration, F)> },
        Begun { #[pin] work: Guarded<F> },
    }
}

impl<F> Guard<F> {
    pub(super) fn new(deadline: Deadline, reserve: Duration, work: F) -> Self {
        Self::Waiting { work: Some((deadline, reserve, work)) }
    }
}

/// How the work ended, and its scope.
impl<F: Future> Future for Guard<F> {
    type Output = (Ended<F::Output>, Option<Invocation>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let GuardProjection::Waiting { work } = self.as_mut().project() {
            let (deadline, reserve, work) = work.take().expect("only this takes it");
            let work = Guarded::new(deadline.begin(reserve), work);
            self.set(Self::Begun { work });
        }
        let GuardProjection::Begun { mut work } = self.project() else {
            unreachable!("it has begun");
        };
        let ended = ready!(work.as_mut().poll(cx));
        Poll::Ready((ended, work.scope().cloned()))
    }
}

pin_project! {
    /// Work under a time guard. Created by [`Deadline::run`](super::Deadline::run) and
    /// [`DeadlineService`](super::DeadlineService).
    #[must_use = "a future does nothing until it is awaited"]
    pub struct ResponseFuture<F> {
        #[pin]
        work: Guard<F>,
    }
}

impl<F> ResponseFuture<F> {
    /// Returns the future of work that has begun.
    pub(crate) fn new(work: Guarded<F>) -> Self {
        Self::of(Guard::Begun { work })
    }

    pub(super) fn of(work: Guard<F>) -> Self {
        Self { work }
    }
}

impl<F, T, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: Carries<Error>,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (ended, scope) = ready!(self.project().work.poll(cx));
        Poll::Ready(match result_of(ended, scope.as_ref()) {
            Ok(result) => result,
            Err(OutOfTime { own: Some(error), .. }) => Err(error),
            Err(OutOfTime { error, own: None }) => Err(error.into()),
        })
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
