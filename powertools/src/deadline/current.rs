use std::time::Duration;

use futures_util::FutureExt;

use super::guard::{OutOfTime, ResponseFuture, budget, no_time, result_of};
use super::{Error, Items};
use crate::invocation::Mark;
use crate::invocation::budget::{Budget, Guarded, warn_if_missed};
use crate::{Carries, Invocation};

/// The time that is left for the event being handled.
///
/// It counts until work must stop: the invocation's deadline, less what the guards around the work
/// keep in reserve. In a handler under [`Powertools`](crate::Powertools) that is 500 ms before
/// Lambda ends the invocation.
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
    /// The deadline of the current invocation.
    ///
    /// Without one there is no limit; in Lambda a warning says so once.
    #[must_use]
    pub fn current() -> Self {
        Self::of(Invocation::current())
    }

    /// The deadline of `invocation`. Without one there is no limit; in Lambda a warning says so
    /// once.
    #[must_use]
    pub fn of(invocation: Option<Invocation>) -> Self {
        if invocation.is_none() {
            warn_if_missed("a time guard");
        }
        Self(invocation)
    }

    /// The time left for work; zero when it is over, [`Duration::MAX`] where there is no limit.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        let Some(invocation) = &self.0 else { return Duration::MAX };
        invocation.limit().duration_since(invocation.clock().now()).unwrap_or_default()
    }

    /// Refuses work that will not fit into the time that is left.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NoTime`] if less than `estimate` [remains](Self::remaining), or nothing.
    pub fn ensure(&self, estimate: Duration) -> Result<(), Error> {
        let Some(invocation) = &self.0 else { return Ok(()) };
        let left = self.remaining();
        if left < estimate || left.is_zero() {
            return Err(no_time(invocation, estimate));
        }
        Ok(())
    }

    /// The same deadline, with so much of the invocation's end kept for what follows the work.
    ///
    /// The table of the [module](super) says what becomes of a reserve that is too long.
    #[must_use]
    pub fn reserving(&self, reserve: Duration) -> Self {
        let budget = self.budget(reserve);
        Self(budget.as_ref().and_then(Budget::scope).cloned())
    }

    /// Takes items while at least `estimate` remains for each, and gives the rest back.
    ///
    /// An `estimate` of zero takes items until no time is left.
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
    /// Work that cleans up when its time is over, such as idempotent work, gets up to half of the
    /// reserve for that. What it returns then is returned, be it a result or an error: nothing is
    /// lost, and the error of idempotent work names its key.
    ///
    /// # Errors
    ///
    /// Returns the error of `work`, unchanged; [`Error::OutOfTime`] when it was stopped; and
    /// [`Error::NoTime`] when no time was left to begin it. Then it is not polled.
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
        ResponseFuture::new(Guarded::new(self.budget(reserve), work))
    }

    /// Runs `work`, and when its time runs out returns what `fallback` makes of that.
    ///
    /// As [`run`](Self::run), but for an error of work that was cleaning up: it came of the time
    /// that ran out, so the fallback is returned in place of it. A result is still returned.
    ///
    /// # Errors
    ///
    /// Returns the error of `work`, unchanged, and that of `fallback`.
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
    pub fn run_or<F, T, E>(
        &self,
        reserve: Duration,
        work: F,
        fallback: impl FnOnce(Error) -> Result<T, E>,
    ) -> impl Future<Output = Result<T, E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        let work = Guarded::new(self.budget(reserve), work);
        let scope = work.scope().cloned();
        work.map(move |ended| {
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
}
