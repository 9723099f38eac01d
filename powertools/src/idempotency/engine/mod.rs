//! The protocol: claim, run, complete or release.

mod claim;
mod classify;
mod commit;
mod detached;
mod lease;
mod renew;
mod result;
mod save;
mod session;
mod time;
mod wait;

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

use self::claim::HeldClaim;
pub use self::lease::{Claimed, Lease};
use self::renew::Renewals;
use self::session::{Found, Lookup, Session};
use self::time::Window;
use super::{Call, Error, Replay, Store};
use crate::carries::Carries;
use crate::invocation::budget::{Ended, Guarded};
use crate::invocation::{Invocation, Mark, stopping};

impl<S: Store> Call<S> {
    /// Runs `work`, unless it was already completed under this key: then the stored result is
    /// returned, and `work` is dropped without being polled.
    ///
    /// # Errors
    ///
    /// Returns the error of `work`, unchanged, after its claim was released or held; or an [`Error`]
    /// if the protection fails.
    ///
    /// # Panics
    ///
    /// Passes on the panic of `work`, after its claim was released or held.
    pub async fn run<F, R, E>(self, work: F) -> Result<R, E>
    where
        F: Future<Output = Result<R, E>>,
        R: Replay,
        E: Carries<Error>,
    {
        let (result, held) = self.run_to_claim(work).await?;
        if let Some(Held { mut claim, window, .. }) = held {
            let unsaved = claim.unsaved(&window, &result);
            claim.end(unsaved).await?;
        }
        Ok(result)
    }

    /// Runs `work` like [`run`](Self::run), and returns its lease beside its result, for a result whose end is
    /// elsewhere, and the scope of the work, in which the rest of it has to run. Without a lease there is
    /// nothing to complete.
    pub(crate) async fn run_with_lease<F, R, E>(
        self,
        work: F,
    ) -> Result<(R, Option<(Lease<S>, Option<Invocation>)>), E>
    where
        F: Future<Output = Result<R, E>>,
        R: Replay,
        E: Carries<Error>,
    {
        let idempotency = self.idempotency.clone();
        let (result, held) = self.run_to_claim(work).await?;
        let lease = held.map(|Held { claim, window, scope }| {
            (Lease { held: Some((claim, window)), idempotency }, scope)
        });
        Ok((result, lease))
    }

    /// Runs `work`, and returns its claim if that is to be completed.
    async fn run_to_claim<F, R, E>(self, work: F) -> Result<(R, Option<Held<S>>), E>
    where
        F: Future<Output = Result<R, E>>,
        R: Replay,
        E: Carries<Error>,
    {
        let mut work = pin!(Some(work));
        let Some(prepared) = self.prepared else { return Ok((polled(&mut work).await?, None)) };
        let lookup = Lookup::new(self.idempotency, prepared);
        if let Some(result) = lookup.cached()? {
            return Ok((result, None));
        }
        let claim = HeldClaim::new(lookup)?;
        let mut running = Running { work: DroppedInPlace(work), claim, scope: None };
        let mut window = match running.claim.acquire().await? {
            Found::Claim(window) => window,
            Found::Done(record) => return Ok((running.claim.session.replay(&record)?, None)),
        };
        match running.until_end(&mut window).await {
            Finished::Success(result) => {
                let Running { claim, scope, .. } = running;
                Ok((result, Some(Held { claim, window, scope })))
            }
            Finished::Passed(result) => Ok((result?, None)),
        }
    }
}

/// Returns the work, which must not have been dropped.
fn polled<'a, F>(work: &'a mut Pin<&mut Option<F>>) -> Pin<&'a mut F> {
    work.as_mut().as_pin_mut().expect("it is dropped only after it was polled")
}

/// Pinned work, which is dropped in place when this is dropped.
struct DroppedInPlace<'a, F>(Pin<&'a mut Option<F>>);

impl<F> Drop for DroppedInPlace<'_, F> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

/// Work and its claim. The work is dropped first, since another run may start when the claim ends.
struct Running<'a, S: Store, F> {
    work: DroppedInPlace<'a, F>,
    claim: HeldClaim<S>,
    /// That of the work, once it has begun.
    scope: Option<Invocation>,
}

/// The claim of work that succeeded, and which is to be completed.
struct Held<S: Store> {
    claim: HeldClaim<S>,
    window: Window,
    scope: Option<Invocation>,
}

/// How work ended.
enum Finished<T, E> {
    /// It succeeded, and its claim has to be completed.
    Success(T),
    /// Its claim was released or is held, and this is what the caller receives.
    Passed(Result<T, E>),
}

impl<S: Store, F> Running<'_, S, F> {
    /// Runs the work within its window, which each confirmed renewal extends.
    async fn until_end<T, E>(&mut self, window: &mut Window) -> Finished<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Carries<Error>,
    {
        let Self { work, claim, scope } = self;
        let renewals = Renewals::of(&claim.session, window);
        let budget = match &renewals {
            None => claim.session.time.budget(window),
            Some(_) => claim.session.time.renewed_budget(claim.session.options(), window),
        };
        *scope = budget.scope().cloned();
        let has = |marks| scope.as_ref().is_some_and(|scope| scope.has(marks));

        let ended = {
            let work = AssertUnwindSafe(polled(&mut work.0)).catch_unwind();
            let mut guarded = pin!(Guarded::new(Some(budget), work));
            match renewals {
                None => Ok(guarded.await),
                Some(mut renewals) => {
                    poll_fn(|cx| {
                        // First, so that a confirmation still counts if it arrived while the work blocked.
                        while let Poll::Ready(renewed) = renewals.poll(cx) {
                            match renewed {
                                Ok(confirmed) => *window = confirmed,
                                Err(lost) => return Poll::Ready(Err(lost)),
                            }
                            guarded.as_mut().prolong(window.limit);
                        }
                        guarded.as_mut().poll(cx).map(Ok)
                    })
                    .await
                }
            }
        };
        // Stopped work is dropped with all that it holds before its claim ends.
        let error_type = match &ended {
            Ok(Ended::Stopped) => Some(stopped(&claim.session, window).error_type()),
            Ok(_) => None,
            Err(lost) => Some(lost.error_type()),
        };
        match error_type {
            Some(error_type) => stopping(error_type, || work.0.set(None)),
            None => work.0.set(None),
        }
        let ended = match ended {
            Ok(ended) => ended,
            Err(lost) => {
                claim.lost();
                return Finished::Passed(Err(lost.into()));
            }
        };
        match ended {
            Ended::Returned(Ok(Ok(result))) if has(Mark::FELL_BACK) => {
                // This is the fallback of a guard that stopped a part of the work, not the result
                // of the work.
                claim.interrupted(Mark::STOPPED | Mark::FELL_BACK).await;
                Finished::Passed(Ok(result))
            }
            Ended::Returned(Ok(Ok(result))) => Finished::Success(result),
            Ended::Returned(failure) => {
                let is_durable = claim.session.is_durable();
                // Branches that run in the scope of the handler leave their marks there.
                let is_repeated =
                    || has(Mark::REFUSED) || claim.session.time.is_interrupted_around();
                if failure.is_err() && is_durable {
                    // A panic ends the invocation, not the execution, which continues its claim.
                } else if has(Mark::STOPPED) || is_durable && is_repeated() {
                    claim.interrupted(Mark::STOPPED).await;
                } else {
                    if has(Mark::REFUSED) {
                        // The claim ends as after any error. Who is around has to know that this is none.
                        claim.session.time.mark_around(Mark::REFUSED);
                    }
                    claim.failed().await;
                }
                Finished::Passed(failure.unwrap_or_else(|panic| resume_unwind(panic)))
            }
            // An earlier invocation may have begun the work of a durable execution.
            Ended::NotStarted if !claim.session.is_durable() => {
                // The claim took all of the time. Nothing ran, so nothing has to be held.
                claim.session.time.mark_around(Mark::REFUSED);
                claim.release().await;
                Finished::Passed(Err(stopped(&claim.session, window).into()))
            }
            Ended::NotStarted | Ended::Stopped => {
                claim.interrupted(Mark::STOPPED).await;
                Finished::Passed(Err(stopped(&claim.session, window).into()))
            }
        }
    }
}

/// Finishes in a task what its caller dropped. All such tasks have one type, since each type of task
/// adds much code of Tokio to the binary.
fn spawn(runtime: &Handle, work: impl Future<Output = ()> + Send + 'static) {
    let work: BoxFuture<'static, ()> = Invocation::carry(work).boxed();
    runtime.spawn(work);
}

/// Returns the error of work that was stopped at the end of its window.
fn stopped<S: Store>(session: &Session<S>, window: &Window) -> Error {
    let key = session.key().clone();
    if window.ends_with_lease { Error::LeaseExpired { key } } else { Error::OutOfTime { key } }
}
