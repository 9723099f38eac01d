//! The protocol: claim, run, complete or release.

mod classify;
mod save;
mod session;
mod time;
mod wait;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

use self::save::save_in_any_case;
use self::session::{Claimed, Session};
use self::time::Window;
use super::store::Completion;
use super::{Call, Error, OnError, OnInterrupt, OnSaveFailure, Record, Replay, Status, Store};
use crate::carries::Carries;
use crate::error::causes::{caught, with_causes};
use crate::invocation::budget::{Ended, Guarded};
use crate::invocation::{CleanupGuard, Invocation, Mark};
use crate::json::WriteError;

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
        let mut work = pin!(Some(work));
        let Some(prepared) = self.prepared else { return polled(&mut work).await };
        let session = Arc::new(Session::new(prepared)?);
        let cleanup = session.time.cleanup_guard();

        let mut claim = HeldClaim { session: &session, work, armed: true, cleanup };
        match session.claim().await {
            Ok(Claimed::Lease(window)) => claim.run(window).await,
            Ok(Claimed::Done(record)) => {
                claim.armed = false;
                Ok(session.replay(&record)?)
            }
            Err(error) => {
                claim.armed = false;
                Err(error.into())
            }
        }
    }
}

/// Returns work that was not dropped yet.
fn polled<'a, F>(work: &'a mut Pin<&mut Option<F>>) -> Pin<&'a mut F> {
    work.as_mut().as_pin_mut().expect("it is dropped only after it was polled")
}

/// A claim that is, or may be, in the store, and the work that it is for.
///
/// Dropped while it is armed, it is released by a task of its own.
struct HeldClaim<'a, S: Store, F> {
    session: &'a Arc<Session<S>>,
    work: Pin<&'a mut Option<F>>,
    armed: bool,
    /// Makes outer guards wait for this call.
    cleanup: Option<CleanupGuard>,
}

impl<S: Store, F> HeldClaim<'_, S, F> {
    /// Runs the work within its window, and ends its claim.
    async fn run<R, E>(mut self, window: Window) -> Result<R, E>
    where
        F: Future<Output = Result<R, E>>,
        R: Replay,
        E: Carries<Error>,
    {
        let options = self.session.options();
        let budget = self.session.time.budget(&window);
        let scope = budget.scope().cloned();
        let has = |marks| scope.as_ref().is_some_and(|scope| scope.has(marks));

        self.armed = options.on_interrupt() == OnInterrupt::Release;
        let work = AssertUnwindSafe(polled(&mut self.work)).catch_unwind();
        let ended = Guarded::new(Some(budget), work).await;
        // Whatever stopped work holds is dropped before its claim ends, since the next run may start
        // then.
        self.work.set(None);
        match ended {
            Ended::Returned(Ok(Ok(result))) if has(Mark::FELL_BACK) => {
                // Not the result of the work, but of a guard that stopped it.
                self.interrupted(Mark::STOPPED | Mark::FELL_BACK).await;
                Ok(result)
            }
            Ended::Returned(Ok(Ok(result))) if !keeps(self.session, &result) => {
                self.failed().await;
                Ok(result)
            }
            Ended::Returned(Ok(Ok(result))) => {
                self.armed = false;
                if let Some(cleanup) = &mut self.cleanup {
                    cleanup.save();
                }
                let completion = completion(self.session, &result);
                save(self.session, completion).await?;
                Ok(result)
            }
            Ended::Returned(failure) => {
                if has(Mark::STOPPED) {
                    self.interrupted(Mark::STOPPED).await;
                } else {
                    self.failed().await;
                }
                failure.unwrap_or_else(|panic| resume_unwind(panic))
            }
            Ended::Stopped => {
                self.interrupted(Mark::STOPPED).await;
                Err(stopped(self.session, &window).into())
            }
            Ended::NotStarted => {
                // The claim took all of the time. Nothing ran, so nothing has to be held.
                self.session.time.mark_around(Mark::REFUSED);
                self.release().await;
                Err(stopped(self.session, &window).into())
            }
        }
    }

    /// Releases or holds the claim of work whose outcome is unknown.
    async fn interrupted(&mut self, mark: Mark) {
        self.session.time.mark_around(mark);
        if self.armed {
            self.release().await;
        }
    }

    /// Releases or holds the claim of work that returned an error or panicked.
    async fn failed(&mut self) {
        match self.session.options().on_error {
            OnError::Release => self.release().await,
            OnError::Hold => self.armed = false,
        }
    }

    async fn release(&mut self) {
        self.armed = true;
        self.session.release().await;
        self.armed = false;
    }
}

impl<S: Store, F> Drop for HeldClaim<'_, S, F> {
    fn drop(&mut self) {
        self.work.set(None);
        if !self.armed {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let session = self.session.clone();
            spawn(&runtime, async move { session.release().await });
        }
    }
}

/// Finishes in a task what its caller dropped. All of them have one type, since Tokio generates much
/// code for each.
fn spawn(runtime: &Handle, work: impl Future<Output = ()> + Send + 'static) {
    let work: BoxFuture<'static, ()> = Invocation::carry(work).boxed();
    runtime.spawn(work);
}

/// Returns the error of work that was stopped at the end of its window.
fn stopped<S: Store>(session: &Session<S>, window: &Window) -> Error {
    let key = session.key().clone();
    if window.ends_with_lease { Error::LeaseExpired { key } } else { Error::OutOfTime { key } }
}

/// Returns true if a result is to be stored.
fn keeps<S: Store, R: Replay>(session: &Session<S>, result: &R) -> bool {
    let options = session.options();
    let Some(keep_if) = options.keep_if.as_ref().or(session.prepared.keep_if.as_ref()) else {
        return true;
    };
    // The work is done, even if the user's code panics or the result cannot be written as JSON.
    let kept = catch_unwind(AssertUnwindSafe(|| match serde_json::to_value(result) {
        Ok(result) => keep_if.keeps(&result),
        Err(_) => true,
    }));
    kept.unwrap_or_else(|panic| {
        let panic = caught(panic);
        tracing::warn!(key = %session.key(), panic, "keep_if panicked");
        true
    })
}

/// Returns the request that completes the record of work that succeeded.
fn completion<S: Store, R: Replay>(session: &Session<S>, result: &R) -> Completion {
    let options = session.options();
    // The work is done, even if the code of the result panics.
    let encoded = catch_unwind(AssertUnwindSafe(|| options.codec.encode(result)));
    let (data, not_stored) = match encoded {
        Ok(Ok(data)) => (Some(data), None),
        Ok(Err(WriteError(reason))) => (None, Some(reason)),
        Err(panic) => (None, Some(format!("writing the result panicked: {}", caught(panic)))),
    };
    Completion {
        key: session.key().clone(),
        owner: session.owner.clone(),
        expiration: session.time.expiration(),
        validation: session.prepared.validation.clone(),
        data,
        not_stored,
        timeout: Duration::ZERO,
    }
}

/// Saves the result of work that succeeded. From here on nothing deletes the record.
async fn save<S: Store>(session: &Arc<Session<S>>, completion: Completion) -> Result<(), Error> {
    let options = session.options();
    let (policy, error) = match save_in_any_case(session.clone(), completion).await {
        Ok(Completion { not_stored: Some(reason), key, .. }) => {
            (options.on_unstorable_result, Error::ResultNotStored { key, reason })
        }
        Ok(completion) => {
            session.cache(&Arc::new(finished(completion)));
            return Ok(());
        }
        Err(error) => (options.on_save_failure, error),
    };
    match policy {
        OnSaveFailure::Error => Err(error),
        OnSaveFailure::ReturnResult => {
            let error = with_causes(&error);
            tracing::warn!(key = %session.key(), error, "a result cannot be replayed");
            Ok(())
        }
    }
}

/// Returns the record that a completion leaves.
fn finished(completion: Completion) -> Record {
    let mut record = Record::new(Status::Completed);
    record.expiration = Some(completion.expiration);
    record.owner = Some(completion.owner.as_str().to_owned());
    record.validation = completion.validation;
    record.data = completion.data;
    record
}
