use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use tokio::runtime::Handle;

use super::renew::Renewals;
use super::session::Session;
use super::spawn;
use super::time::{Time, Window, bounded, call_time, jittered};
use crate::error::causes::{caught, with_causes};
use crate::idempotency::store::{Completion, Outcome, Read};
use crate::idempotency::{Error, Owner, Record, Status, Store, StoreError, StoreErrorKind};

/// The first pause before a failed save is retried, and the longest.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Pauses between attempts, which grow.
pub(super) struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(FIRST_PAUSE)
    }
}

impl Pauses {
    /// Pauses before the next attempt. Returns false if there is no time for one before `end`.
    pub(super) async fn pause(&mut self, key: &str, time: &Time, end: SystemTime) -> bool {
        let left = time.until(end);
        if left <= FIRST_PAUSE {
            return false;
        }
        // The last pauses are shorter, so that the remaining time is used.
        tokio::time::sleep(jittered(self.0, spread(key, left)).min(left / 2)).await;
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
        true
    }
}

impl<S: Store> Session<S> {
    /// Completes the record, with retries while time remains. Afterwards `completion` is what was
    /// written.
    async fn save(&self, completion: &mut Completion) -> Result<(), Error> {
        let mut now = self.time.now();
        let end = self.time.save_end(now);
        let mut pauses = Pauses::default();
        loop {
            completion.timeout = call_time(now, end);
            let error = match self.complete(completion, end).await {
                Ok(None) => return Ok(()),
                Ok(Some(refusal)) => return Err(refusal),
                Err(error) => error,
            };
            if error.kind() == StoreErrorKind::ResultTooLarge && completion.data.is_some() {
                // The work is done, and that must be recorded even if its result is not.
                completion.data = None;
                completion.not_stored = Some(error.to_string());
            } else {
                let key = self.key();
                if !error.is_retryable() || !pauses.pause(key.as_str(), &self.time, end).await {
                    return Err(Error::NotSaved { key: key.clone(), source: error });
                }
            }
            now = self.time.now();
        }
    }

    /// Sends one completion. Returns `None` if the record is completed, otherwise why it never will
    /// be.
    async fn complete(
        &self,
        completion: &Completion,
        end: SystemTime,
    ) -> Result<Option<Error>, StoreError> {
        let store = self.store();
        let existing = match bounded(store, completion.timeout, store.complete(completion)).await? {
            Outcome::Applied => return Ok(None),
            Outcome::Refused(Some(record)) => Some(*record),
            Outcome::Refused(None) => {
                // The completion has taken some of the time.
                let timeout = self.time.before(end);
                let read = Read { key: self.key().clone(), timeout };
                bounded(store, timeout, store.read(&read)).await?
            }
        };
        Ok(match existing {
            // An earlier completion, whose reply was lost.
            Some(record) if is_finished_by(&record, self.owner()) => None,
            Some(_) => Some(Error::LeaseLost { key: self.key().clone() }),
            None => Some(Error::RecordGone { key: self.key().clone() }),
        })
    }
}

/// Returns a number that differs among the keys that are saved at the same time. It is not random, so
/// that a simulated history can be replayed.
fn spread(key: &str, left: Duration) -> u32 {
    let mut hasher = DefaultHasher::new();
    (key, left).hash(&mut hasher);
    // The lower half.
    hasher.finish() as u32
}

/// Returns true if `owner` completed the record. Other toolkits complete a claim of ours without looking at
/// whose it is, and leave its owner and the end of its lease in place.
pub(super) fn is_finished_by(record: &Record, owner: &Owner) -> bool {
    record.status == Status::Completed
        && record.in_progress_expiration.is_none()
        && owner.wrote(record)
}

/// The result of work that succeeded, while it is being saved.
///
/// If it is dropped before it was saved, a task of its own sends it again. The first request may have
/// arrived: the store then rejects the second one, and its answer shows that this owner completed the
/// record.
pub(super) struct Unsaved<S: Store> {
    session: Arc<Session<S>>,
    window: Window,
    completion: Option<Completion>,
}

impl<S: Store> Unsaved<S> {
    pub(super) fn new(session: Arc<Session<S>>, window: Window, completion: Completion) -> Self {
        Self { session, window, completion: Some(completion) }
    }

    /// Saves the result, once, and returns what it wrote.
    pub(super) async fn save(&mut self) -> Result<Completion, Error> {
        let completion = self.completion.as_mut().expect("it is saved once");
        let saved = {
            // Pinned, since each layer around a future moves it.
            let save = pin!(self.session.save(completion));
            let save = Renewals::beside(&self.session, &self.window, save);
            AssertUnwindSafe(save).catch_unwind().await
        };
        let saved = saved.unwrap_or_else(|panic| {
            let key = self.session.key().clone();
            let message = format!("the store panicked: {}", caught(panic));
            let source = StoreError::new(StoreErrorKind::Other, message);
            Err(Error::NotSaved { key, source })
        });
        let completion = self.completion.take().expect("only this and a drop take it");
        saved.map(|()| completion)
    }
}

impl<S: Store> Drop for Unsaved<S> {
    fn drop(&mut self) {
        let Some(completion) = self.completion.take() else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        let (session, window) = (self.session.clone(), self.window);
        spawn(&runtime, async move {
            let mut completion = completion;
            let save = session.save(&mut completion);
            if let Err(error) = Renewals::beside(&session, &window, save).await {
                let error = with_causes(&error);
                tracing::warn!(key = %session.key(), error, "a result cannot be replayed");
            }
        });
    }
}
