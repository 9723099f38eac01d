//! Work whose effects are committed together with its record.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;

use super::claim::{HeldClaim, cache_or_report};
use super::detached::Detached;
use super::save::{FIRST_PAUSE, Pauses, is_finished_by};
use super::session::{Found, Lookup, Session};
use super::time::{CALL, Time, Window, bounded};
use super::{DroppedInPlace, Finished, Lease, Running, polled};
use crate::carries::Carries;
use crate::error::causes::caught;
use crate::idempotency::later::without_fallback;
use crate::idempotency::store::{Completion, Outcome, Release, Transacted, Transaction};
use crate::idempotency::transaction::{Commit, Write};
use crate::idempotency::{
    Call, EpochMillis, Error, Idempotency, Record, Replay, Store, StoreError, StoreErrorKind,
    TransactStore,
};

/// How long a token is used. DynamoDB remembers it for ten minutes.
const TOKEN: Duration = Duration::from_secs(9 * 60);
/// The part of the time for a commit that is kept for settling an outcome in doubt.
const SETTLING: Duration = Duration::from_millis(500);

// The bounds are on the methods, so that the compiler shows the message of the trait.
impl<S: Store> Call<S> {
    /// Runs `work`, unless it was already completed under this key, and commits its
    /// [writes](Commit) together with the completion of its record: all of them take effect or none,
    /// and none after another invocation has taken the record over. So these effects take place
    /// exactly once for each key, whatever is lost, killed or delivered again.
    ///
    /// The [module](crate::idempotency::transaction) has an example. A call without a key, or with
    /// idempotency disabled, commits the writes alone.
    ///
    /// A result that is not [kept](crate::idempotency::Builder::keep_if) is returned without its
    /// writes.
    ///
    /// # Errors
    ///
    /// Returns the error of `work`, unchanged, after its claim was released or held, or an [`Error`].
    /// In all of these *no write has taken effect*, except after [`Error::CommitUnknown`],
    /// [`Error::ResultNotStored`] and [`Error::ResultInvalid`]:
    ///
    /// - [`Error::TransactionRefused`] if a condition of a write does not hold; the claim is released.
    /// - [`Error::CommitInvalid`] if the writes cannot be a transaction; the claim is released.
    /// - [`Error::LeaseLost`] or [`Error::RecordGone`] if the record is no longer this claim's.
    /// - [`Error::Store`] if the store failed until no time remained; the claim is released.
    /// - [`Error::Fallback`] if `work` succeeded with the fallback of a time guard, such as that of
    ///   [`Deadline::run_or`](crate::Deadline::run_or); the claim is released or held as after an interruption. Work
    ///   that may decide with a fallback declares that with
    ///   [`Invocation::interruption_handled`](crate::Invocation::interruption_handled).
    /// - [`Error::CommitUnknown`] if the store did not answer at all: the claim is held, and when it
    ///   expires, a retry finds the result or runs the work. In a [durable
    ///   execution](crate::DurableExecution) also if the store failed: its next invocation continues the
    ///   claim. Without a key, also if an earlier request was not answered and a later one was refused: the
    ///   earlier one may still arrive, and a retry may write again.
    /// - [`Error::ResultNotStored`] if the result cannot be stored: *all writes have taken effect*. The call that
    ///   wrote them returns it only if
    ///   [`on_unstorable_result`](crate::idempotency::Builder::on_unstorable_result) says so, later calls under
    ///   the key always.
    /// - [`Error::ResultInvalid`] if the result that an earlier call has stored cannot be read: *all writes of
    ///   that call have taken effect*, and `work` did not run.
    ///
    /// # Panics
    ///
    /// Passes on the panic of `work`, after its claim was released or held.
    pub async fn commit<F, R, E>(self, work: F) -> Result<R, E>
    where
        S: TransactStore,
        F: Future<Output = Result<Commit<R>, E>>,
        R: Replay,
        E: Carries<Error>,
    {
        let mut work = pin!(Some(work));
        let Some(prepared) = self.prepared else {
            let commit = without_fallback("the work", polled(&mut work)).await?;
            let (result, writes) = commit.into_parts();
            apply(&self.idempotency, writes).await?;
            return Ok(result);
        };
        let lookup = Lookup::new(self.idempotency, prepared);
        if let Some(result) = lookup.cached()? {
            return Ok(result);
        }
        let claim = HeldClaim::new(lookup)?;
        let mut running = Running { work: DroppedInPlace(work), claim, scope: None };
        let mut window = match running.claim.acquire().await? {
            Found::Claim(window) => window,
            Found::Done(record) => return Ok(running.claim.session.replay(&record)?),
        };
        match running.until_end(&mut window).await {
            Finished::Success(commit) => {
                let (result, writes) = commit.into_parts();
                let completion = running.claim.completion(&window, &result);
                running.claim.commit(&window, completion, writes).await?;
                Ok(result)
            }
            // What it decided to write has no effect, so that its result must not look as if it had.
            Finished::Passed(Ok(_)) => Err(running.claim.session.prepared.fell_back().into()),
            Finished::Passed(Err(error)) => Err(error),
        }
    }
}

impl<S: Store> Lease<S> {
    /// Commits the writes together with the completion of the record, and returns the result: see
    /// [`Call::commit`].
    ///
    /// It continues if its caller is dropped.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Call::commit`].
    pub async fn commit<R: Replay>(self, commit: Commit<R>) -> Result<R, Error>
    where
        S: TransactStore,
    {
        let (result, writes) = commit.into_parts();
        match self.held {
            Some((mut claim, window)) => {
                let completion = claim.completion(&window, &result);
                claim.commit(&window, completion, writes).await?;
            }
            None => apply(&self.idempotency, writes).await?,
        }
        Ok(result)
    }
}

impl<S: TransactStore> HeldClaim<S> {
    async fn commit(
        &mut self,
        window: &Window,
        completion: Option<Completion>,
        writes: Vec<Write>,
    ) -> Result<(), Error> {
        let Some(mut completion) = completion else {
            self.failed().await;
            return Ok(());
        };
        completion.expiration = completion.expiration.max(window.expiration);
        if let Err(reason) = self.session.store().check(Some(&completion), &writes) {
            self.release().await;
            return Err(Error::CommitInvalid { reason });
        }
        self.saving();
        let session = self.session.clone();
        let committed = async move { session.commit(completion, writes).await };
        let committed = Detached::new(committed).await;
        let completion = committed.inspect_err(|error| self.session.undecided(error))?;
        cache_or_report(&self.session, completion)
    }
}

/// By how much a committed record outlasts the last answer about it at least, for clocks that differ.
const LEAST_GRACE: Duration = Duration::from_secs(1);

/// Why a transaction was not applied, as far as its last answer shows.
enum Failure {
    /// The record is not this claim's.
    Record(Option<Box<Record>>),
    /// It can never be applied.
    Work(Error),
    Store(StoreError),
}

impl<S: TransactStore> Session<S> {
    /// Commits, and returns what the record was completed with. Every other outcome is settled.
    async fn commit(
        &self,
        mut completion: Completion,
        writes: Vec<Write>,
    ) -> Result<Completion, Error> {
        let end = self.time.save_end(self.time.now());
        // The record must exist until the last answer by every clock, since it shows whether a commit
        // whose answer was lost has been applied. The lease may end before that. The last two calls, of
        // `settle`, can begin at the end.
        let last = end + 2 * CALL + self.options().grace.max(LEAST_GRACE);
        let last = EpochMillis::from(last).ceil();
        completion.expiration = completion.expiration.max(last);
        let settling = (self.time.until(end) / 4).min(SETTLING);
        let mut transaction = Transaction::new(Some(completion), writes)?;
        let mut sending = Sending::new(&self.time, self.key().as_str(), end - settling);
        let failure = sending.send(self.store(), &mut transaction).await;
        let completion = transaction.completion.expect("it was there before");
        match failure {
            Ok(()) => Ok(completion),
            Err(Failure::Record(Some(record))) if is_finished_by(&record, self.owner()) => {
                Ok(completion)
            }
            // The execution goes on, so that no other one may begin the work. Its next invocation settles the
            // outcome: when it has continued the claim, this transaction is refused.
            Err(Failure::Store(source)) if self.is_durable() => Err(self.unknown(source)),
            Err(failure) => self.settle(failure, end).await.map(|()| completion),
        }
    }

    fn unknown(&self, source: StoreError) -> Error {
        Error::CommitUnknown { key: Some(self.key().clone()), source }
    }

    /// Ends a claim whose transaction was not applied, as far as the last answer shows. One that was
    /// sent before may still be applied until the claim is gone, so that only its release shows what
    /// happened.
    ///
    /// Returns `Ok` if the transaction was applied after all.
    async fn settle(&self, failure: Failure, end: SystemTime) -> Result<(), Error> {
        let store = self.store();
        let mut pauses = Pauses::default();
        let existing = loop {
            let timeout = self.time.last_call();
            let (key, owner) = (self.key().clone(), self.owner().clone());
            let release = Release { key, owner, timeout };
            let error = match bounded(store, timeout, store.release(&release)).await {
                Ok(Outcome::Applied) => break None,
                Ok(Outcome::Refused(Some(record))) => break Some(record),
                Ok(Outcome::Refused(None)) => match self.read(self.time.last_call()).await {
                    Ok(record) => break record.map(Box::new),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            if !error.is_retryable() || !pauses.pause(self.key().as_str(), &self.time, end).await {
                return Err(self.unknown(error));
            }
        };
        let key = || self.key().clone();
        match (existing, failure) {
            (Some(record), _) if is_finished_by(&record, self.owner()) => Ok(()),
            // Another invocation of the execution has continued the claim, and decides.
            (Some(_), _) if self.is_durable() => Err(Error::LeaseLost { key: key() }),
            (_, Failure::Work(error)) => Err(error),
            (None, Failure::Store(error)) => Err(Error::Store(error)),
            (None, Failure::Record(None)) => Err(Error::RecordGone { key: key() }),
            (None | Some(_), _) => Err(Error::LeaseLost { key: key() }),
        }
    }
}

/// Commits writes without a record.
async fn apply<S: TransactStore>(
    idempotency: &Idempotency<S>,
    writes: Vec<Write>,
) -> Result<(), Error> {
    let store = &*idempotency.store;
    if let Err(reason) = store.check(None, &writes) {
        return Err(Error::CommitInvalid { reason });
    }
    if writes.is_empty() {
        return Ok(());
    }
    let time = Time::new(&idempotency.options, Duration::ZERO);
    let mut transaction = Transaction::new(None, writes)?;
    // Nothing but the token tells whether it was applied before.
    let now = time.now();
    let end = time.save_end(now).min(now + TOKEN);
    let mut sending = Sending::new(&time, "", end);
    match sending.send(store, &mut transaction).await {
        Ok(()) => Ok(()),
        Err(Failure::Store(source)) if sending.in_doubt => {
            Err(Error::CommitUnknown { key: None, source })
        }
        // An earlier request can still arrive, when the conditions hold again.
        Err(Failure::Work(refusal)) if sending.in_doubt => {
            let message = "an earlier request was not answered, and the last one was refused";
            let source = StoreError::new(StoreErrorKind::Other, message).caused_by(refusal);
            Err(Error::CommitUnknown { key: None, source })
        }
        Err(Failure::Work(error)) => Err(error),
        Err(Failure::Store(error)) => Err(Error::Store(error)),
        Err(Failure::Record(_)) => {
            let message = "the store refused a record that no transaction had";
            Err(StoreError::new(StoreErrorKind::Other, message).into())
        }
    }
}

/// Sends one transaction until its answer is final, or until it runs out of time.
struct Sending<'a> {
    time: &'a Time,
    key: &'a str,
    end: SystemTime,
    pauses: Pauses,
    /// When the token has to be replaced.
    token_end: SystemTime,
    /// True after an answer that was lost.
    in_doubt: bool,
}

impl<'a> Sending<'a> {
    fn new(time: &'a Time, key: &'a str, end: SystemTime) -> Self {
        let token_end = time.now() + TOKEN;
        Self { time, key, end, pauses: Pauses::default(), token_end, in_doubt: false }
    }

    async fn send<S: TransactStore>(
        &mut self,
        store: &S,
        transaction: &mut Transaction,
    ) -> Result<(), Failure> {
        loop {
            if self.time.now() >= self.token_end {
                self.renew_token(transaction)?;
            }
            transaction.timeout = self.time.before(self.end);
            let error = match answer(store, transaction).await {
                Ok(Transacted::Applied) => return Ok(()),
                Ok(Transacted::RecordRefused(record)) => return Err(Failure::Record(record)),
                Ok(Transacted::WriteRefused { index, item }) => {
                    let item = item.map(Box::new);
                    return Err(Failure::Work(Error::TransactionRefused { index, item }));
                }
                Ok(Transacted::WriteInvalid { index, reason }) => {
                    let reason = format!("write {index}: {reason}");
                    return Err(Failure::Work(Error::CommitInvalid { reason }));
                }
                Err(error) => error,
            };
            self.in_doubt |= error.leaves_doubt();
            let is_invalid =
                matches!(error.kind(), StoreErrorKind::ResultTooLarge | StoreErrorKind::Invalid);
            if is_invalid && drop_data(transaction, &error) {
                // Another payload needs another token.
                self.renew_token(transaction)?;
                continue;
            }
            if error.kind() == StoreErrorKind::Invalid {
                let reason = error.to_string();
                return Err(Failure::Work(Error::CommitInvalid { reason }));
            }
            let retries = error.is_retryable()
                && self.time.until(self.end) > FIRST_PAUSE
                && self.pauses.pause(self.key, self.time, self.end).await
                // Without a record, nothing but the token would tell that it was applied. The process may have been
                // frozen in the pause.
                && (transaction.completion.is_some() || self.time.now() < self.token_end);
            if !retries {
                return Err(Failure::Store(error));
            }
        }
    }

    fn renew_token(&mut self, transaction: &mut Transaction) -> Result<(), Failure> {
        transaction.renew_token().map_err(Failure::Store)?;
        self.token_end = self.time.now() + TOKEN;
        Ok(())
    }
}

/// Removes the result from a completion that has one. The work is done, and that must be recorded even
/// if its result is not.
fn drop_data(transaction: &mut Transaction, error: &StoreError) -> bool {
    let Some(completion) = &mut transaction.completion else { return false };
    if completion.data.take().is_none() {
        return false;
    }
    completion.not_stored = Some(error.to_string());
    true
}

/// Sends a transaction once.
async fn answer<S: TransactStore>(
    store: &S,
    transaction: &Transaction,
) -> Result<Transacted, StoreError> {
    let call = AssertUnwindSafe(store.transact(transaction)).catch_unwind();
    bounded(store, transaction.timeout, async {
        call.await.unwrap_or_else(|panic| {
            let message = format!("the store panicked: {}", caught(panic));
            Err(StoreError::new(StoreErrorKind::Other, message))
        })
    })
    .await
}
