use std::time::Duration;

use futures_util::FutureExt;

use super::guard::{Guard, OutOfTime, ResponseFuture, budget, no_time, result_of};
use super::{Error, Items};
use crate::carries::Carries;
use crate::invocation::budget::{Budget, warn_if_missed};
use crate::invocation::{Invocation, Mark};

/// The remaining time of the event that is being handled.
///
/// It counts until work must stop: the invocation's deadline, less what the guards around the work
/// keep in reserve. In a handler under [`Powertools`](crate::Powertools) that is 500 ms before
/// Lambda ends the invocation.
///
/// It can be made early and used later: what it guards is a part of the idempotent work and of the record in which
/// that is awaited, and ends before their limits.
///
/// ```
/// use std::time::Duration;
/// use powertools::{Deadline, testing};
///
/// let invocation = testing::invocation().remaining(Duration::from_secs(10)).build();
/// let deadline = Deadline::of(Some(invocation)).reserving(Duration::from_secs(2));
/// assert!(deadline.remaining() <= Duration::from_secs(8));
/// assert!(deadline.ensure(Duration::from_secs(7)).is_ok());
/// assert!(deadline.ensure(Duration::from_secs(9)).is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Deadline(Option<Invocation>);

impl Deadline {
    /// Returns the deadline of the current invocation.
    ///
    /// Without an invocation there is no limit; in Lambda a warning is logged once.
    #[must_use]
    pub fn current() -> Self {
        Self::of(Invocation::current())
    }

    /// Returns the deadline of `invocation`. Without one there is no limit; in Lambda a warning is
    /// logged once.
    #[must_use]
    pub fn of(invocation: Option<Invocation>) -> Self {
        if invocation.is_none() {
            warn_if_missed("a time guard");
        }
        Self(invocation)
    }

    /// Returns the remaining time for work: zero after the limit, [`Duration::MAX`] if there is no
    /// limit.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.0.as_ref().map_or(Duration::MAX, Invocation::time_for_work)
    }

    /// Checks that work which takes `estimate` fits into the remaining time.
    ///
    /// Work that does not fit counts as not started: an error that the work around it returns afterwards
    /// [came of the time](super#what-stopping-means). If something shorter takes its place, compare
    /// [`remaining`](Self::remaining) instead, or call
    /// [`Invocation::interruption_handled`](crate::Invocation::interruption_handled).
    ///
    /// # Errors
    ///
    /// Returns [`Error::NoTime`] if less than `estimate`, or nothing, [remains](Self::remaining).
    pub fn ensure(&self, estimate: Duration) -> Result<(), Error> {
        match &self.0 {
            Some(invocation) if !self.fits(estimate) => {
                invocation.in_current().mark_out(Mark::REFUSED);
                Err(no_time(invocation, estimate))
            }
            _ => Ok(()),
        }
    }

    /// Returns true if work which takes `estimate` fits into the remaining time.
    pub(super) fn fits(&self, estimate: Duration) -> bool {
        let left = self.remaining();
        left >= estimate && !left.is_zero()
    }

    /// Returns the same deadline with `reserve` kept before it, for what follows the work.
    ///
    /// The table of the [module](super) has the effect of a reserve that is too long.
    #[must_use]
    pub fn reserving(&self, reserve: Duration) -> Self {
        let budget = self.budget(reserve);
        Self(budget.as_ref().and_then(Budget::scope).cloned())
    }

    /// Yields items while at least `estimate` remains for each, and keeps the rest.
    ///
    /// An `estimate` of zero yields items until no time remains. To continue with the rest in another event,
    /// use [`continue_later`](crate::idempotency::Operation::continue_later).
    ///
    /// ```
    /// use std::time::Duration;
    /// use powertools::Deadline;
    ///
    /// # async fn send(_: u32) {}
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let mut items = Deadline::current().items([1, 2, 3], Duration::from_millis(20));
    /// for item in &mut items {
    ///     send(item).await;
    /// }
    /// let not_sent: Vec<_> = items.rest().collect();
    /// assert!(not_sent.is_empty());
    /// # }
    /// ```
    pub fn items<I: IntoIterator>(&self, items: I, estimate: Duration) -> Items<I::IntoIter> {
        Items::new(self.clone(), items.into_iter(), estimate)
    }

    /// Runs `work`, and stops it `reserve` before the invocation's deadline.
    ///
    /// Work that cleans up at its limit, such as idempotent work, has up to half of the reserve for
    /// that. Whatever it returns then, a result or an error, is returned: nothing is lost, and the
    /// error of idempotent work names its key.
    ///
    /// # Errors
    ///
    /// Returns the error of `work`, unchanged; [`Error::OutOfTime`] if it was stopped; and
    /// [`Error::NoTime`] if no time remained to start it, in which case it is not polled.
    ///
    /// ```
    /// use std::time::Duration;
    /// use powertools::{Deadline, deadline};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let work = async { Ok::<_, deadline::Error>("done") };
    /// let done = Deadline::current().run(Duration::from_millis(500), work).await;
    /// assert_eq!(done, Ok("done"));
    /// # }
    /// ```
    pub fn run<F, T, E>(&self, reserve: Duration, work: F) -> ResponseFuture<F>
    where
        F: Future<Output = Result<T, E>>,
        E: Carries<Error>,
    {
        ResponseFuture::of(Guard::new(self.clone(), reserve, work))
    }

    /// Runs `work` like [`run`](Self::run), and returns the value of `fallback` if its time runs out.
    ///
    /// The fallback also replaces an error that came of the time: the [module](super) lists them. A
    /// result is still returned, and so is an error in time.
    ///
    /// A fallback is not the result of the work. Idempotent work around this passes it on without
    /// storing it, and treats its claim as after an interruption
    /// ([`OnInterrupt`](crate::idempotency::OnInterrupt)). If the value is only a part of the result,
    /// such as a default price, call
    /// [`Invocation::interruption_handled`](crate::Invocation::interruption_handled) after it.
    ///
    /// Elsewhere the fallback counts as any value does: an [`InitOnce`](crate::InitOnce) keeps it, and a
    /// record whose handler returns `Ok` with it is done. Return an error there if the work has to be done
    /// again.
    ///
    /// # Errors
    ///
    /// Returns the error of `work`, unchanged, or that of `fallback`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use lambda_runtime::Error;
    /// use powertools::{Deadline, testing};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let invocation = testing::invocation().remaining(Duration::from_secs(3)).build();
    /// # invocation.scope(async {
    /// let slow = std::future::pending::<Result<u16, Error>>();
    /// let status = Deadline::current().run_or(Duration::from_secs(1), slow, |_| Ok(202)).await;
    /// assert_eq!(status.unwrap(), 202);
    /// # }).await }
    /// ```
    pub fn run_or<F, T, E, G>(
        &self,
        reserve: Duration,
        work: F,
        fallback: G,
    ) -> impl Future<Output = Result<T, E>> + use<F, T, E, G>
    where
        F: Future<Output = Result<T, E>>,
        G: FnOnce(Error) -> Result<T, E>,
    {
        let work = Guard::new(self.clone(), reserve, work);
        work.map(move |(ended, scope)| {
            result_of(ended, scope.as_ref()).unwrap_or_else(|OutOfTime { error, .. }| {
                if let Some(scope) = scope {
                    scope.mark_out(Mark::FELL_BACK);
                }
                fallback(error)
            })
        })
    }

    pub(super) fn budget(&self, reserve: Duration) -> Option<Budget> {
        self.0.as_ref().map(|invocation| budget(invocation, reserve))
    }

    /// Returns the budget of work that the current task begins.
    pub(super) fn begin(&self, reserve: Duration) -> Option<Budget> {
        self.0.as_ref().map(|invocation| budget(&invocation.in_current(), reserve))
    }
}
