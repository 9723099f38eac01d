//! The end of a claim: completed, released, held or lost.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::result::{completion, finished, keeps};
use super::save::Unsaved;
use super::session::{Found, Lookup, Session};
use super::spawn;
use super::time::Window;
use crate::error::causes::with_causes;
use crate::idempotency::store::Completion;
use crate::idempotency::{Error, OnError, OnInterrupt, OnSaveFailure, Replay, Store};
use crate::invocation::{CleanupGuard, Mark};

/// A claim that is, or may be, in the store.
///
/// If it is dropped while it is armed, a task of its own releases it.
#[derive(Debug)]
pub(super) struct HeldClaim<S: Store> {
    pub(super) session: Arc<Session<S>>,
    /// True if a drop releases the claim.
    armed: bool,
    /// Makes outer guards wait until the claim has ended.
    cleanup: Option<CleanupGuard>,
}

impl<S: Store> HeldClaim<S> {
    /// Returns the claim of a key that is about to be claimed.
    pub(super) fn new(lookup: Lookup<S>) -> Result<Self, Error> {
        let session = Session::new(lookup)?;
        let cleanup = session.time.cleanup_guard();
        // A durable execution drops its work when it suspends, and continues it later.
        let armed = !session.is_durable();
        Ok(Self { session, armed, cleanup })
    }

    /// Claims the key. From then on, the options decide what an interruption does.
    pub(super) async fn acquire(&mut self) -> Result<Found, Error> {
        let found = self.session.claim().await;
        if let Err(error) = &found {
            self.session.undecided(error);
        }
        self.armed = matches!(found, Ok(Found::Claim(_))) && self.is_released_by_interrupt();
        found
    }

    /// The next invocation of a durable execution continues its claim.
    fn is_released_by_interrupt(&self) -> bool {
        !self.session.is_durable() && self.session.options().on_interrupt() == OnInterrupt::Release
    }

    /// Does not let outer guards wait for the claim, since none of them stops its work in time.
    pub(super) fn without_cleanup(mut self) -> Self {
        self.cleanup = None;
        self
    }

    /// Releases or holds the claim of work whose outcome is unknown.
    pub(super) async fn interrupted(&mut self, mark: Mark) {
        self.session.time.mark_around(mark);
        if self.is_released_by_interrupt() {
            self.release().await;
        }
    }

    /// Disarms a claim whose record is no longer its own: its work was stopped, and there is
    /// nothing to release.
    pub(super) fn lost(&mut self) {
        self.session.time.mark_around(Mark::STOPPED);
        self.armed = false;
    }

    /// Releases or holds the claim of work that returned an error or panicked.
    pub(super) async fn failed(&mut self) {
        match self.session.options().on_error {
            OnError::Release => self.release().await,
            OnError::Hold => self.armed = false,
        }
    }

    pub(super) async fn release(&mut self) {
        self.armed = true;
        self.session.release().await;
        self.armed = false;
    }

    /// Returns what completes the record, or `None` if the result is not to be kept.
    pub(super) fn completion<R: Replay>(&self, window: &Window, result: &R) -> Option<Completion> {
        keeps(&self.session, result).then(|| completion(&self.session, window, result))
    }

    /// Returns the result of work that succeeded, if it is to be kept. It is saved from here on, whatever is
    /// dropped.
    pub(super) fn unsaved<R: Replay>(&mut self, window: &Window, result: &R) -> Option<Unsaved<S>> {
        let completion = self.completion(window, result)?;
        self.saving();
        Some(Unsaved::new(self.session.clone(), *window, completion))
    }

    /// Saves the result, or ends the claim as after an error if there is none.
    pub(super) async fn end(&mut self, unsaved: Option<Unsaved<S>>) -> Result<(), Error> {
        let Some(mut unsaved) = unsaved else {
            self.failed().await;
            return Ok(());
        };
        let saved = match unsaved.save().await {
            Ok(completion) => cache_or_report(&self.session, completion),
            Err(error) => report(&self.session, self.session.prepared.on_save_failure, error),
        };
        saved.inspect_err(|error| self.session.undecided(error))
    }

    /// Disarms the claim of work that succeeded: nothing deletes its record any more, and outer
    /// guards wait for longer.
    pub(super) fn saving(&mut self) {
        self.armed = false;
        if self.cleanup.is_none() {
            self.cleanup = self.session.time.cleanup_guard();
        }
        if let Some(cleanup) = &mut self.cleanup {
            cleanup.save();
        }
    }
}

impl<S: Store> Drop for HeldClaim<S> {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let session = self.session.clone();
            spawn(&runtime, async move { session.release().await });
        }
    }
}

/// Caches what a record was completed with, or reports that its result is not in it.
pub(super) fn cache_or_report<S: Store>(
    session: &Session<S>,
    completion: Completion,
) -> Result<(), Error> {
    let Completion { not_stored: Some(reason), .. } = completion else {
        session.cache(|| Arc::new(finished(completion)));
        return Ok(());
    };
    let error = session.prepared.not_stored(reason);
    report(session, session.options().on_unstorable_result, error)
}

fn report<S: Store>(
    session: &Session<S>,
    policy: OnSaveFailure,
    error: Error,
) -> Result<(), Error> {
    match policy {
        OnSaveFailure::ReturnResult if !session.prepared.must_keep => {
            let error = with_causes(&error);
            tracing::warn!(key = %session.key(), error, "a result cannot be replayed");
            Ok(())
        }
        OnSaveFailure::Error | OnSaveFailure::ReturnResult => Err(error),
    }
}
