use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use futures_util::future::Either;
use pin_project_lite::pin_project;
use tokio::task::futures::TaskLocalFuture;

use super::warnings::note_overrun;
use super::{Budget, Invocation, Timer};
use crate::invocation::{Mark, stopping};

/// The name of the error of work that was stopped.
pub(crate) const OUT_OF_TIME: &str = "Powertools.DeadlineOutOfTime";

/// How guarded work ended.
pub(crate) enum Ended<T> {
    /// It returned. The marks of its scope show whether it was interrupted.
    Returned(T),
    /// It was dropped because its time ran out.
    Stopped,
    /// It was never polled: no time remained for it.
    NotStarted,
}

pin_project! {
    /// Work that is stopped when its time runs out.
    #[must_use = "a future does nothing until it is awaited"]
    pub(crate) struct Guarded<F> {
        // Emptied when the work is stopped, so that whatever it holds is dropped before the guard
        // returns.
        #[pin]
        work: Option<Either<TaskLocalFuture<Invocation, F>, F>>,
        #[pin]
        timer: Timer,
        budget: Option<Budget>,
        is_started: bool,
    }
}

impl<F> Guarded<F> {
    /// Creates the guard. Without a budget the work is never stopped.
    pub(crate) fn new(budget: Option<Budget>, work: F) -> Self
    where
        F: Future,
    {
        let work = match budget.as_ref().and_then(Budget::scope) {
            Some(scope) => Either::Left(scope.clone().named_scope(work)),
            None => Either::Right(work),
        };
        Self { work: Some(work), timer: Timer::default(), budget, is_started: false }
    }

    /// Moves the limit of the work, up to that of its scope. Without effect once the limit has passed.
    pub(crate) fn prolong(self: Pin<&mut Self>, limit: SystemTime) {
        let mut this = self.project();
        if let Some(budget) = this.budget
            && !this.timer.is_late()
        {
            *budget = Budget::up_to(limit, budget.clock.clone(), budget.scope.take());
            this.timer.set(Timer::default());
        }
    }

    /// Returns the scope of the work.
    pub(crate) fn scope(&self) -> Option<&Invocation> {
        self.budget.as_ref()?.scope()
    }
}

impl<F: Future> Future for Guarded<F> {
    type Output = Ended<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let work = this.work.as_mut().as_pin_mut().expect("it is polled until it is ready");
        let Some(budget) = this.budget else { return work.poll(cx).map(Ended::Returned) };
        if !*this.is_started {
            if budget.is_over() {
                this.work.set(None);
                if let Some(scope) = budget.scope() {
                    scope.mark_out(Mark::REFUSED);
                }
                return Poll::Ready(Ended::NotStarted);
            }
            *this.is_started = true;
        }

        if let Poll::Ready(output) = work.poll(cx) {
            if !this.timer.is_late() {
                note_overrun(budget);
            }
            return Poll::Ready(Ended::Returned(output));
        }

        ready!(this.timer.poll(budget, cx));
        stopping(OUT_OF_TIME, || this.work.set(None));
        if let Some(scope) = budget.scope() {
            scope.mark_out(Mark::STOPPED);
        }
        Poll::Ready(Ended::Stopped)
    }
}
