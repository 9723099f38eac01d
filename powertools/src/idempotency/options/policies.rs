use std::time::Duration;

/// What happens to an event without a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnMissingKey {
    /// [`Error::KeyMissing`](crate::idempotency::Error::KeyMissing); nothing runs.
    #[default]
    Error,
    /// The work runs without protection, each time that the event arrives.
    Bypass,
}

/// What happens while another invocation works under the same key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhileInProgress {
    /// [`Error::InProgress`](crate::idempotency::Error::InProgress), immediately.
    #[default]
    Fail,
    /// Waits for its result, at most for this time; then
    /// [`Error::InProgress`](crate::idempotency::Error::InProgress).
    ///
    /// The wait takes at most half of the time that the handler has, so that the handler can still
    /// run if the other invocation fails. Each attempt is a consistent read.
    Wait(Duration),
}

/// What the caller receives when the work is done and its result is not in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnSaveFailure {
    /// An error: a repetition may not be recognised.
    Error,
    /// The result, with a warning in the log.
    ReturnResult,
}

/// What happens to the claim of work that was interrupted, so that its outcome is unknown.
///
/// Work is interrupted when its time runs out, when its lease ends or when its future is dropped.
/// An error that the work returns after a time guard inside of it stopped something counts as an
/// interruption too, until [`Invocation::interruption_handled`].
///
/// Only this toolkit's guards leave that trace, and only inside an invocation. If a timeout of another
/// library, such as `tokio::time::timeout`, drops a part of the work, the error that the work then
/// returns is treated as any error of it: by [`OnError`]. Use
/// [`Deadline::run`](crate::Deadline::run) for such a part, or [`OnError::Hold`].
///
/// [`Invocation::interruption_handled`]: crate::Invocation::interruption_handled
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnInterrupt {
    /// It is released: a retry runs the work again immediately.
    Release,
    /// It is held until the lease expires: a retry is rejected until then.
    Hold,
}

/// What happens to the claim of work that returned an error or panicked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnError {
    /// It is released: a retry runs the work again immediately.
    #[default]
    Release,
    /// It is held until the lease expires: a retry is rejected until then. For work whose errors
    /// leave open whether its effect took place, such as a payment request without an answer.
    Hold,
}
