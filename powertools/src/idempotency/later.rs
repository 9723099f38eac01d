use std::time::Duration;

use serde::Serialize;

use super::{Error, Key, Operation, Replay, Store};
use crate::carries::Carries;
use crate::invocation::{Invocation, Mark};

/// What a later event continues with: see [`Operation::continue_later`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Continuation<C> {
    /// The first step that was not done.
    pub cursor: C,
    /// The key under which it is handed on once, the same in each attempt. It can be the
    /// deduplication id of a message in a FIFO queue. `None` if idempotency is [switched
    /// off](super#switching-it-off) or the job has no key.
    pub key: Option<Key>,
}

impl<S: Store> Operation<'_, S> {
    /// Runs a job in steps, as many as fit into the remaining time, and hands the rest to a later event.
    ///
    /// `job` identifies the job in all of its events, such as the [natural key](crate::events::natural)
    /// of the first one, and `from` is the cursor in this event. A step receives a cursor and returns
    /// the next one, or `None` at the end of the job. The first step always runs, and another one
    /// starts while `estimate` remains, which is the longest time that a step and the hand-over take.
    /// `hand_over` sends the rest: to a queue, or to the function itself, as an event with the same job
    /// and the cursor of the continuation.
    ///
    /// Returns the cursor that was handed on, or `None` if the job is done.
    ///
    /// ```
    /// use std::time::Duration;
    /// use powertools::idempotency::{Error, Idempotency, MemoryStore};
    ///
    /// #[derive(serde::Deserialize, serde::Serialize)]
    /// struct Mailing {
    ///     id: String,
    ///     #[serde(default)]
    ///     page: u64, // the cursor
    /// }
    ///
    /// # async fn mail(_page: u64) -> Result<(), Error> { Ok(()) }
    /// # async fn send(_: &Mailing) -> Result<(), Error> { Ok(()) }
    /// async fn handle(
    ///     idempotency: &Idempotency<MemoryStore>,
    ///     mailing: Mailing,
    /// ) -> Result<Option<u64>, Error> {
    ///     idempotency
    ///         .operation("mailing")
    ///         .continue_later(
    ///             &mailing.id,
    ///             mailing.page,
    ///             Duration::from_secs(2),
    ///             async |page| {
    ///                 mail(page).await?;
    ///                 Ok((page < 9).then_some(page + 1))
    ///             },
    ///             async |rest| send(&Mailing { id: mailing.id.clone(), page: rest.cursor }).await,
    ///         )
    ///         .await
    /// }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
    /// # let idempotency = Idempotency::new(MemoryStore::new())?;
    /// # let mailing = Mailing { id: "m".to_owned(), page: 0 };
    /// # assert_eq!(handle(&idempotency, mailing).await?, None);
    /// # Ok(()) }
    /// ```
    ///
    /// # What happens once
    ///
    /// Two records of each event are kept, under the job and its cursor. The first has the cursor with
    /// which the rest begins, and is written before anything is sent; the second records that it was
    /// sent. So an event that is delivered twice runs its steps once and hands on the rest once. An
    /// event whose hand-over failed hands on *the same* rest in its next attempt, and repeats no step.
    /// If the process dies just after the hand-over, the rest is sent twice, with the same cursor, and
    /// the second of these events finds the records of the first.
    ///
    /// Both records are always written as they are: the options that decide about results
    /// ([`keep_if`](super::Builder::keep_if), [`on_save_failure`](super::Builder::on_save_failure),
    /// [`on_unstorable_result`](super::Builder::on_unstorable_result),
    /// [`response_hook`](super::Builder::response_hook)) do not apply. Without the first record, nothing is
    /// sent.
    ///
    /// If the process dies before the first record, or a step fails, the next attempt begins with `from`
    /// again. Steps that must not be repeated are idempotent by themselves, such as with
    /// [`Idempotency::run`](super::Idempotency::run).
    ///
    /// # Errors
    ///
    /// Returns the error of a step or of the hand-over, unchanged. The invocation has to fail with it,
    /// so that its event is delivered again. Returns [`Error::NoTime`] if less than `estimate` remains
    /// for the first step; [`Error::NoProgress`] if a step returned the cursor that it received, since
    /// that job would never end; [`Error::CursorNotStored`] if the cursor of the rest is too large for
    /// the store or cannot be written as JSON; [`Error::Fallback`] if a time guard in a step or in the
    /// hand-over returned its fallback, whose outcome is unknown; and the errors of [`key`](Self::key)
    /// and [`run`](super::Call::run).
    pub async fn continue_later<J, C, E, StepFut, SendFut>(
        self,
        job: &J,
        from: C,
        estimate: Duration,
        mut step: impl FnMut(C) -> StepFut,
        hand_over: impl FnOnce(Continuation<C>) -> SendFut,
    ) -> Result<Option<C>, E>
    where
        J: Serialize + ?Sized,
        C: Replay + Clone + PartialEq,
        E: Carries<Error>,
        StepFut: Future<Output = Result<Option<C>, E>>,
        SendFut: Future<Output = Result<(), E>>,
    {
        let operation = self.full_name();
        // The cursor is in a list of its own, since a null member of the outer list would make the
        // key incomplete.
        let steps = self.clone().key(&(job, (&from,)))?.must_keep();
        let sending = self.key(&(job, (&from, "continued")))?.must_keep();
        if let Some(error) = too_late(estimate) {
            return Err(error.into());
        }
        let rest = steps.run(async {
            let mut cursor = from.clone();
            loop {
                match without_fallback(&operation, step(cursor.clone())).await? {
                    None => return Ok::<_, E>(None),
                    Some(next) if next == cursor => {
                        return Err(Error::NoProgress { operation: operation.clone() }.into());
                    }
                    Some(next) if remaining() < estimate => return Ok(Some(next)),
                    Some(next) => cursor = next,
                }
            }
        });
        let Some(cursor) = rest.await? else { return Ok(None) };
        let key = sending.derived_key().cloned();
        let rest = Continuation { cursor: cursor.clone(), key };
        // Called when the work begins: its code before the future can have effects, too.
        let hand_over = async { without_fallback(&operation, hand_over(rest)).await };
        sending.run(hand_over).await?;
        Ok(Some(cursor))
    }
}

/// Returns the remaining time for work.
fn remaining() -> Duration {
    Invocation::with_current(Invocation::time_for_work).unwrap_or(Duration::MAX)
}

/// Runs a part of work in a scope of its own, and returns an error if it succeeded with the fallback of a guard, whose
/// outcome is unknown.
pub(super) async fn without_fallback<T, E: Carries<Error>>(
    operation: &str,
    part: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let scope = Invocation::with_current(|current| current.reserving(Duration::ZERO));
    let result = Invocation::enter(scope.clone(), part).await?;
    match scope.is_some_and(|scope| scope.has(Mark::FELL_BACK)) {
        true => Err(Error::Fallback { operation: operation.to_owned() }.into()),
        false => Ok(result),
    }
}

/// Returns an error if no step fits into the remaining time: an event without a step would be followed
/// by another one, endlessly.
fn too_late(estimate: Duration) -> Option<Error> {
    Invocation::with_current(|invocation| {
        let is_late = invocation.time_for_work() < estimate;
        is_late.then(|| {
            invocation.mark_out(Mark::REFUSED);
            Error::NoTime { remaining: invocation.remaining() }
        })
    })
    .flatten()
}
