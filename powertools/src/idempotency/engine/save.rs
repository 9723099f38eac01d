use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use futures_util::poll;

use super::session::Session;
use super::time::bounded;
use crate::Invocation;
use crate::idempotency::store::{Completion, Outcome, Read};
use crate::idempotency::{Error, Owner, Record, Status, Store, StoreError, StoreErrorKind};

/// The first pause before a failed save is tried again.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

impl<S: Store> Session<S> {
    /// Finishes the record, again and again while there is time. Gives back what it wrote.
    pub(super) async fn save(&self, mut completion: Completion) -> Result<Completion, Error> {
        let end = self.time.save_end();
        let mut pause = FIRST_PAUSE;
        loop {
            completion.timeout = self.time.before(end);
            let error = match self.complete(&completion, end).await {
                Ok(None) => return Ok(completion),
                Ok(Some(refusal)) => return Err(refusal),
                Err(error) => error,
            };
            if error.kind() == StoreErrorKind::ResultTooLarge && completion.data.is_some() {
                // The work is done, and that must be known even if its result is not.
                completion.data = None;
                completion.not_stored = Some(error.to_string());
            } else if error.is_retryable() && self.time.until(end) > pause {
                tokio::time::sleep(pause).await;
                pause *= 2;
            } else {
                return Err(Error::NotSaved { key: self.key().clone(), source: error });
            }
        }
    }

    /// Sends one completion: `None` if the record is finished by it, else why it never will be.
    async fn complete(
        &self,
        completion: &Completion,
        end: SystemTime,
    ) -> Result<Option<Error>, StoreError> {
        let existing = match bounded(completion.timeout, self.store().complete(completion)).await? {
            Outcome::Applied => return Ok(None),
            Outcome::Refused(Some(record)) => Some(*record),
            Outcome::Refused(None) => {
                // The completion has taken its part of the time.
                let timeout = self.time.before(end);
                let read = Read { key: self.key().clone(), timeout };
                bounded(timeout, self.store().read(&read)).await?
            }
        };
        Ok(match existing {
            // An earlier completion, whose reply was lost.
            Some(record) if is_finished_by(&record, &self.owner) => None,
            Some(_) => Some(Error::LeaseLost { key: self.key().clone() }),
            None => Some(Error::RecordGone { key: self.key().clone() }),
        })
    }
}

fn is_finished_by(record: &Record, owner: &Owner) -> bool {
    record.status == Status::Completed && record.owner.as_deref() == Some(owner.as_str())
}

/// Runs [`Session::save`] so that it goes on when its caller goes away.
pub(super) async fn save_detached<S: Store>(
    session: Arc<Session<S>>,
    completion: Completion,
) -> Result<Completion, Error> {
    let key = session.key().clone();
    let save = async move { session.save(completion).await };
    let mut save = Box::pin(Invocation::carry(save));
    // A store in memory answers at once: no need for a task.
    if let Poll::Ready(saved) = poll!(&mut save) {
        return saved;
    }
    tokio::spawn(save).await.unwrap_or_else(|error| {
        let source = StoreError::new(StoreErrorKind::Other, "the store did not finish its work");
        Err(Error::NotSaved { key, source: source.caused_by(error) })
    })
}
