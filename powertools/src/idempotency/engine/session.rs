use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use super::classify::{Verdict, classify};
use super::time::{CALL, Time, Window, bounded, call_time};
use super::wait::Wait;
use crate::error::causes::with_causes;
use crate::idempotency::operation::Prepared;
use crate::idempotency::options::Options;
use crate::idempotency::store::{Claim, Outcome, Read, Reentry, Release};
use crate::idempotency::{
    Error, Idempotency, Key, Owner, Record, Replay, Status, Store, StoreError, StoreErrorKind,
};
use crate::invocation::Mark;
use crate::json;

/// The maximum number of attempts to claim a free record without a pause.
const CLAIMS: u32 = 3;

/// One call of idempotent work before it claims: its key and its time limits.
#[derive(Debug)]
pub(super) struct Lookup<S> {
    idempotency: Idempotency<S>,
    pub(super) prepared: Prepared,
    pub(super) time: Time,
}

/// One call of idempotent work that claims its key, as an owner.
///
/// Shared, since a save and a release outlive a caller that is dropped.
#[derive(Debug)]
pub(super) struct Session<S> {
    lookup: Lookup<S>,
    /// That of the claims.
    claimant: Owner,
    /// That of the re-entry which has continued the claim of an earlier invocation.
    continued: OnceLock<Owner>,
}

impl<S> Deref for Session<S> {
    type Target = Lookup<S>;

    fn deref(&self) -> &Lookup<S> {
        &self.lookup
    }
}

/// What an attempt to claim the key found.
pub(super) enum Found {
    /// The claim was acquired.
    Claim(Window),
    /// The work was done before.
    Done(Arc<Record>),
}

impl<S: Store> Lookup<S> {
    pub(super) fn new(idempotency: Idempotency<S>, prepared: Prepared) -> Self {
        let time = Time::new(&idempotency.options, prepared.expires_after);
        Self { idempotency, prepared, time }
    }

    pub(super) fn options(&self) -> &Options {
        &self.idempotency.options
    }

    pub(super) fn store(&self) -> &S {
        &self.idempotency.store
    }

    pub(super) fn key(&self) -> &Key {
        &self.prepared.key
    }

    /// Returns an error if a claim cannot last for a durable execution.
    fn check_durable(&self) -> Result<(), Error> {
        let options = self.options();
        let problem = if options.lease.is_none() {
            "work in a durable execution needs a lease for the longest execution: set it with `lease`"
        } else if options.renew_lease {
            "a renewed lease ends with the invocation, and work in a durable execution needs one for the \
             longest execution: set it with `lease`, without `renew_lease`"
        } else if !self.store().supports_durable() {
            "the store does not keep claims of durable executions: `DynamoDbStore` does"
        } else {
            return Ok(());
        };
        Err(Error::Config(problem.to_owned()))
    }

    /// Judges a record: for the claim of `owner`, if one was sent.
    fn classify(
        &self,
        record: Option<&Record>,
        now: SystemTime,
        owner: Option<&Owner>,
    ) -> Result<Verdict, Error> {
        classify(record, self.key(), now.into(), owner, self.prepared.validation.as_deref())
    }

    /// Returns the result in the local cache, if there is one that has not expired.
    ///
    /// A call that finds one needs neither an owner, which is a system call, nor clean-up.
    pub(super) fn cached<R: Replay>(&self) -> Result<Option<R>, Error> {
        self.cached_record()?.map(|record| self.replay(&record)).transpose()
    }

    fn cached_record(&self) -> Result<Option<Arc<Record>>, Error> {
        let options = self.options();
        let Some(cache) = &options.local_cache else { return Ok(None) };
        let Some(record) = cache.get(&options.scope, self.key()) else { return Ok(None) };
        let verdict = self.classify(Some(&record), self.time.now(), None)?;
        if verdict == Verdict::Completed {
            return Ok(Some(record));
        }
        cache.remove(&options.scope, self.key());
        Ok(None)
    }

    /// Stores a completed record in the local cache, if there is one.
    pub(super) fn cache(&self, record: impl FnOnce() -> Arc<Record>) {
        let options = self.options();
        if let Some(cache) = &options.local_cache {
            cache.put(&options.scope, self.key(), record());
        }
    }

    /// Returns the result of a completed record.
    pub(super) fn replay<R: Replay>(&self, record: &Record) -> Result<R, Error> {
        if let Some(reason) = &record.not_stored {
            return Err(self.prepared.not_stored(reason.clone()));
        }
        let codec = self.options().codec;
        let hook = self.options().response_hook.as_ref().filter(|_| !self.prepared.must_keep);
        let result = match hook {
            None => codec.decode(record.data.as_ref()),
            Some(hook) => codec
                .decode(record.data.as_ref())
                .and_then(|result| json::from_tree(&hook(result, record))),
        };
        result.map_err(|source| Error::ResultInvalid { key: self.key().clone(), source })
    }
}

impl<S: Store> Session<S> {
    pub(super) fn new(lookup: Lookup<S>) -> Result<Arc<Self>, Error> {
        let owner = match lookup.time.execution() {
            None => Owner::new(),
            Some(execution) => {
                lookup.check_durable()?;
                Owner::of_execution(execution)
            }
        };
        let claimant = owner.map_err(without_random)?;
        Ok(Arc::new(Self { lookup, claimant, continued: OnceLock::new() }))
    }

    /// Returns the owner of the claim.
    pub(super) fn owner(&self) -> &Owner {
        self.continued.get().unwrap_or(&self.claimant)
    }

    /// Returns true if the claim is that of a durable execution, which suspends and continues it.
    pub(super) fn is_durable(&self) -> bool {
        self.owner().attempt().is_some()
    }

    /// Marks the work around, if the protection in a durable execution has failed: the invocation is repeated,
    /// and until then the claims around are kept.
    pub(super) fn undecided(&self, error: &Error) {
        let is_outcome = !matches!(
            error,
            Error::Store(_)
                | Error::NotSaved { .. }
                | Error::CommitUnknown { .. }
                | Error::Contended { .. }
                | Error::LeaseLost { .. }
                | Error::RecordGone { .. }
        );
        if self.is_durable() && !is_outcome {
            self.time.mark_around(Mark::STOPPED);
        }
    }

    /// Claims the key, or finds that its work was done.
    pub(super) async fn claim(&self) -> Result<Found, Error> {
        let mut wait = None;
        let mut attempts = 0;
        while attempts < CLAIMS {
            attempts += 1;
            let window = self.time.window(self.options())?;
            let Some(mut found) = self.send_claim(window).await? else {
                return Ok(Found::Claim(window));
            };
            let mut now = window.now;
            loop {
                match self.classify(found.as_ref(), now, Some(&self.claimant))? {
                    Verdict::Mine => return Ok(Found::Claim(self.window_of(window, found))),
                    Verdict::Free => break,
                    Verdict::Suspended => {
                        let Some(record) = self.reenter(found).await? else { break };
                        return Ok(Found::Claim(self.window_of(window, Some(record))));
                    }
                    Verdict::Completed => {
                        let record = Arc::new(found.expect("a finished record is a record"));
                        self.cache(|| record.clone());
                        return Ok(Found::Done(record));
                    }
                    Verdict::InProgress(until) => {
                        let wait = wait.get_or_insert_with(|| {
                            let policy = self.options().while_in_progress;
                            Wait::new(policy, &self.time, self.time.work_end(self.options()))
                        });
                        if !wait.pause(&self.time, until).await {
                            return Err(Error::InProgress { key: self.key().clone(), until });
                        }
                        // A record that is free can be kept by a lock of another toolkit.
                        attempts = 0;
                        now = self.time.now();
                        let end = self.time.work_end(self.options());
                        let left = end.map_or(CALL, |end| self.time.before(end));
                        found = self.read(left).await?;
                    }
                }
            }
        }
        Err(Error::Contended { key: self.key().clone() })
    }

    /// Sends one claim. Returns `None` if it was acquired, otherwise the record that prevented it, if
    /// that still exists.
    async fn send_claim(&self, window: Window) -> Result<Option<Option<Record>>, Error> {
        let claim = Claim {
            key: self.key().clone(),
            owner: self.claimant.clone(),
            now: window.now.into(),
            lease_end: window.lease_end.into(),
            expiration: window.expiration,
            validation: self.prepared.validation.clone(),
            timeout: match self.is_durable() {
                // The limit of the work is that of the execution.
                true => self.time.last_call(),
                false => call_time(window.now, window.limit),
            },
        };
        // A failed claim may have been acquired nevertheless, and would exclude everyone. The same
        // holds for a refused one that was sent twice, if the record that prevented it cannot be
        // read.
        let store = self.store();
        let (error, in_doubt) = match bounded(store, claim.timeout, store.claim(&claim)).await {
            Ok(Outcome::Applied) => return Ok(None),
            Ok(Outcome::Refused(Some(record))) => return Ok(Some(Some(*record))),
            Ok(Outcome::Refused(None)) => match self.read(self.time.before(window.limit)).await {
                Ok(record) => return Ok(Some(record)),
                Err(error) => (error, true),
            },
            Err(error) => {
                let in_doubt = error.leaves_doubt();
                (error, in_doubt)
            }
        };
        if in_doubt {
            self.release().await;
        }
        Err(error.into())
    }

    /// Continues the claim of an earlier invocation of this durable execution. Returns its record, or `None` if
    /// another invocation prevented that.
    ///
    /// After a failure nothing is released: the claim is still that of the execution.
    async fn reenter(&self, found: Option<Record>) -> Result<Option<Record>, Error> {
        let Some(record) = found else { return Ok(None) };
        let Some(earlier) = record.attempt.clone() else { return Ok(None) };
        let timeout = self.time.last_call();
        // No attempt is written twice: a late copy of another re-entry, from one that was written before, would
        // take the claim back.
        let owner = self.claimant.again().map_err(without_random)?;
        let reentry = Reentry { key: self.key().clone(), owner, earlier, timeout };
        let store = self.store();
        let continued = match bounded(store, timeout, store.reenter(&reentry)).await? {
            Outcome::Applied => Some(record),
            Outcome::Refused(existing) => {
                let existing = match existing {
                    Some(existing) => Some(*existing),
                    None => self.read(self.time.last_call()).await?,
                };
                existing.filter(|existing| is_held_by(existing, &reentry.owner))
            }
        };
        if continued.is_some() {
            let _ = self.continued.set(reentry.owner);
        }
        Ok(continued)
    }

    /// Returns the window of a claim that is in the store: that of its record, for which others wait, however
    /// late it was found. So a durable execution keeps the lease of its first claim, and one that never ends
    /// does not hold the key for ever.
    fn window_of(&self, window: Window, record: Option<Record>) -> Window {
        match record {
            Some(record) => self.time.window_of(self.options(), window, &record),
            None => window,
        }
    }

    pub(super) async fn read(&self, timeout: Duration) -> Result<Option<Record>, StoreError> {
        let read = Read { key: self.key().clone(), timeout };
        let store = self.store();
        bounded(store, timeout, store.read(&read)).await
    }

    /// Releases the claim, once. A failure is only logged: the lease expires by itself.
    pub(super) async fn release(&self) {
        let timeout = self.time.last_call();
        let release = Release { key: self.key().clone(), owner: self.owner().clone(), timeout };
        let store = self.store();
        if let Err(error) = bounded(store, timeout, store.release(&release)).await {
            tracing::warn!(
                key = %self.key(),
                error = with_causes(&error),
                "an idempotency claim was not released and holds until its lease expires",
            );
        }
    }
}

fn without_random(error: getrandom::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Other, "no random bytes for an owner").caused_by(error)
}

/// Returns true if the record is the claim of `owner`, which was neither completed nor released.
pub(super) fn is_held_by(record: &Record, owner: &Owner) -> bool {
    record.status == Status::InProgress && owner.wrote(record)
}
