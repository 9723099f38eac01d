use std::time::Duration;

use super::transaction::Item;
use super::{EpochMillis, Key, StoreError, StoreErrorKind};
use crate::error::registry::Held;
use crate::error::{AT_ONCE, Http};

/// Why idempotent work did not return a result.
///
/// The errors of the work itself never appear here: they are returned unchanged. [`error_type`]
/// returns the fixed name under which Lambda reports each of these.
///
/// [`error_type`]: Self::error_type
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The event has no key: null, an empty string, list or map, or one whose members are all null.
    #[error("the event has no idempotency key for {operation}")]
    KeyMissing {
        /// The operation whose key was derived.
        operation: String,
    },

    /// The key is a tuple or list, and some of its members are null. Without the part that
    /// distinguishes two events, one of them would get the result of the other.
    #[error("the idempotency key for {operation} is incomplete: its member {path} is null")]
    KeyIncomplete {
        /// The operation whose key was derived.
        operation: String,
        /// The JSON pointer (RFC 6901) to the first member that is null, such as `/1`.
        path: String,
    },

    /// The key or the payload cannot be written as JSON, or the key is too long for the store.
    #[error("invalid idempotency key for {operation}: {reason}")]
    KeyInvalid {
        /// The operation whose key was derived, or the JMESPath expression that selects the key.
        operation: String,
        /// Why it is invalid.
        reason: String,
    },

    /// Another invocation holds the claim of this key.
    #[error("work under idempotency key {key} is still in progress")]
    InProgress {
        /// The key.
        key: Key,
        /// When its lease expires, if the record contains that.
        until: Option<EpochMillis>,
    },

    /// The key was first used with another payload.
    #[error("the payload differs from the one first sent under idempotency key {key}")]
    PayloadChanged {
        /// The key.
        key: Key,
    },

    /// The record was free each time that it was read, and taken each time that it was claimed.
    #[error("idempotency key {key} could not be claimed: others were faster")]
    Contended {
        /// The key.
        key: Key,
    },

    /// The remaining time was too short to run the work and save its result. Nothing was claimed.
    #[error("{remaining:?} before the deadline is too late to start idempotent work")]
    NoTime {
        /// The remaining time.
        remaining: Duration,
    },

    /// A step of [`continue_later`](super::Operation::continue_later) returned the cursor that it received,
    /// so that the job would never end.
    #[error("{operation} makes no progress: a step returned its own cursor")]
    NoProgress {
        /// The operation of the job.
        operation: String,
    },

    /// A step or the hand-over of [`continue_later`](super::Operation::continue_later), or work with a
    /// [`Commit`](super::Commit), returned the fallback of a time guard, such as that of
    /// [`Deadline::run_or`](crate::Deadline::run_or). A fallback is not the result of the work that was stopped,
    /// unless the work declares that with
    /// [`Invocation::interruption_handled`](crate::Invocation::interruption_handled).
    #[error(
        "a part of {operation} was stopped by a time guard, and its fallback is not its result"
    )]
    Fallback {
        /// The operation; of a commit without a key, `the work`.
        operation: String,
    },

    /// The cursor of [`continue_later`](super::Operation::continue_later) could not be stored, so that nothing
    /// was handed over. If one member of the cursor is the cause, the reason contains a JSON pointer to it.
    #[error("the steps of {operation} are done, but their cursor cannot be stored: {reason}")]
    CursorNotStored {
        /// The operation of the job.
        operation: String,
        /// Why the cursor cannot be stored.
        reason: String,
    },

    /// The work was stopped because the invocation ran out of time.
    #[error("work under idempotency key {key} was stopped before the deadline")]
    OutOfTime {
        /// The key.
        key: Key,
    },

    /// The work was stopped because its lease expired.
    #[error("work under idempotency key {key} was stopped at the end of its lease")]
    LeaseExpired {
        /// The key.
        key: Key,
    },

    /// Another invocation took the record over. The work had succeeded by then, or was stopped when its
    /// lease could not be [renewed](super::Builder::renew_lease). The writes of a commit were not
    /// applied.
    #[error("another invocation took over the record under idempotency key {key}")]
    LeaseLost {
        /// The key.
        key: Key,
    },

    /// The record was deleted before the work was done. The work had succeeded by then, or was stopped
    /// when its lease could not be [renewed](super::Builder::renew_lease). The writes of a commit were
    /// not applied.
    #[error("the record under idempotency key {key} was deleted before the work was done")]
    RecordGone {
        /// The key.
        key: Key,
    },

    /// The work succeeded, but its result could not be saved.
    #[error("work under idempotency key {key} is done, but its result could not be saved")]
    NotSaved {
        /// The key.
        key: Key,
        /// Why saving failed.
        source: StoreError,
    },

    /// The work succeeded, but its result could not be stored, so that it cannot be replayed. If one
    /// member of the result is the cause, the reason contains a JSON pointer to it.
    #[error("work under idempotency key {key} is done, but its result was not stored: {reason}")]
    ResultNotStored {
        /// The key.
        key: Key,
        /// Why the result was not stored.
        reason: String,
    },

    /// The stored result cannot be read as the result type of the work.
    #[error("cannot read the result stored under idempotency key {key}")]
    ResultInvalid {
        /// The key.
        key: Key,
        /// The error of the decoder.
        source: serde_json::Error,
    },

    /// The record has a status that this version does not know.
    #[error("the record under idempotency key {key} has the unknown status {status:?}")]
    StatusUnknown {
        /// The key.
        key: Key,
        /// The status.
        status: String,
    },

    /// A condition of a write in a commit does not hold. Nothing was applied, and the claim was
    /// released.
    #[error("the condition of write {index} in a commit does not hold")]
    TransactionRefused {
        /// The index of the first such write, counted from 0.
        index: usize,
        /// The existing item, if there is one.
        item: Option<Box<Item>>,
    },

    /// The writes of a commit cannot be a transaction, or an item cannot be stored. Nothing was
    /// applied, and the claim was released.
    #[error("the commit is invalid: {reason}")]
    CommitInvalid {
        /// Why it is invalid.
        reason: String,
    },

    /// The store did not answer, so that a commit may have been applied or not. Its claim is held: when
    /// it expires, or in the next invocation of a [durable execution](crate::DurableExecution), a retry
    /// finds the result or runs the work. Without a key there is no claim, and a retry may write again.
    #[error("it is unknown whether the commit{} was applied", under(key.as_ref()))]
    CommitUnknown {
        /// The key; `None` for a commit without one.
        key: Option<Key>,
        /// Why there is no answer.
        source: StoreError,
    },

    /// The store could not be read or written.
    #[error("the idempotency store failed")]
    Store(#[from] StoreError),

    /// The options contradict each other, or an environment variable has an invalid value.
    #[error("invalid idempotency configuration: {0}")]
    Config(String),
}

/// Returns what an error says of its key, if it has one.
fn under(key: Option<&Key>) -> String {
    key.map_or_else(String::new, |key| format!(" under idempotency key {key}"))
}

impl Error {
    /// Returns the name under which Lambda reports the error. It never changes, so that state machines
    /// and alarms can match it.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::KeyMissing { .. } => "Powertools.IdempotencyKeyMissing",
            Self::KeyIncomplete { .. } => "Powertools.IdempotencyKeyIncomplete",
            Self::KeyInvalid { .. } => "Powertools.IdempotencyKeyInvalid",
            Self::InProgress { .. } => "Powertools.IdempotencyInProgress",
            Self::PayloadChanged { .. } => "Powertools.IdempotencyPayloadChanged",
            Self::Contended { .. } => "Powertools.IdempotencyContended",
            Self::NoTime { .. } => "Powertools.IdempotencyNoTime",
            Self::NoProgress { .. } => "Powertools.IdempotencyNoProgress",
            Self::Fallback { .. } => "Powertools.IdempotencyFallback",
            Self::CursorNotStored { .. } => "Powertools.IdempotencyCursorNotStored",
            Self::OutOfTime { .. } => "Powertools.IdempotencyOutOfTime",
            Self::LeaseExpired { .. } => "Powertools.IdempotencyLeaseExpired",
            Self::LeaseLost { .. } => "Powertools.IdempotencyLeaseLost",
            Self::RecordGone { .. } => "Powertools.IdempotencyRecordGone",
            Self::NotSaved { .. } => "Powertools.IdempotencyNotSaved",
            Self::ResultNotStored { .. } => "Powertools.IdempotencyResultNotStored",
            Self::ResultInvalid { .. } => "Powertools.IdempotencyResultInvalid",
            Self::StatusUnknown { .. } => "Powertools.IdempotencyStatusUnknown",
            Self::TransactionRefused { .. } => "Powertools.IdempotencyTransactionRefused",
            Self::CommitInvalid { .. } => "Powertools.IdempotencyCommitInvalid",
            Self::CommitUnknown { .. } => "Powertools.IdempotencyCommitUnknown",
            Self::Store(error) => match error.kind() {
                StoreErrorKind::NotFound => "Powertools.IdempotencyStoreNotFound",
                StoreErrorKind::AccessDenied => "Powertools.IdempotencyStoreAccessDenied",
                StoreErrorKind::Throttled => "Powertools.IdempotencyStoreThrottled",
                StoreErrorKind::Timeout => "Powertools.IdempotencyStoreTimeout",
                StoreErrorKind::Malformed => "Powertools.IdempotencyRecordMalformed",
                StoreErrorKind::Invalid => "Powertools.IdempotencyStoreInvalid",
                StoreErrorKind::ResultTooLarge | StoreErrorKind::Other => {
                    "Powertools.IdempotencyStore"
                }
            },
            Self::Config(_) => "Powertools.IdempotencyConfig",
        }
    }

    /// Returns true if another attempt with the same event can succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::KeyMissing { .. }
            | Self::KeyIncomplete { .. }
            | Self::KeyInvalid { .. }
            | Self::PayloadChanged { .. }
            | Self::NoProgress { .. }
            | Self::CursorNotStored { .. }
            | Self::ResultNotStored { .. }
            | Self::ResultInvalid { .. }
            | Self::StatusUnknown { .. }
            | Self::CommitInvalid { .. }
            | Self::Config(_) => false,
            Self::InProgress { .. }
            | Self::Contended { .. }
            | Self::NoTime { .. }
            | Self::Fallback { .. }
            | Self::OutOfTime { .. }
            | Self::LeaseExpired { .. }
            | Self::LeaseLost { .. }
            | Self::RecordGone { .. }
            | Self::TransactionRefused { .. }
            | Self::CommitUnknown { .. } => true,
            Self::NotSaved { source, .. } => source.is_retryable(),
            Self::Store(error) => error.is_retryable(),
        }
    }

    /// Returns the HTTP status for the client: 400 without a valid key, 409 while the work is in progress
    /// or if a condition of a commit does not hold, 422 if the payload changed, 500 if the work is done, or
    /// may be, and its result is not in the record, 503 if the store failed or another attempt can succeed, otherwise 500.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        match self {
            Self::KeyMissing { .. } | Self::KeyIncomplete { .. } | Self::KeyInvalid { .. } => 400,
            Self::InProgress { .. } | Self::Contended { .. } | Self::TransactionRefused { .. } => {
                409
            }
            Self::PayloadChanged { .. } => 422,
            // The work is done, or may be, and 503 would ask the client to have it done again.
            Self::NotSaved { .. }
            | Self::LeaseLost { .. }
            | Self::RecordGone { .. }
            | Self::CommitUnknown { key: None, .. } => 500,
            Self::Store(_) => 503,
            _ if self.is_retryable() => 503,
            _ => 500,
        }
    }
}

impl Error {
    /// Returns the answer for a client. It contains neither the key nor the operation, which can
    /// name other clients.
    fn http(&self) -> Option<Http> {
        let detail = match self {
            Self::KeyMissing { .. } | Self::KeyIncomplete { .. } => {
                "the request has no idempotency key"
            }
            Self::KeyInvalid { .. } => "the idempotency key is invalid",
            Self::InProgress { .. } | Self::Contended { .. } => {
                "a request with this idempotency key is still in progress"
            }
            Self::PayloadChanged { .. } => {
                "this idempotency key was first used with another request"
            }
            Self::TransactionRefused { .. } => "the request conflicts with the current state",
            Self::ResultNotStored { .. } => {
                "the request was processed before, and its response is no longer available"
            }
            Self::NoTime { .. }
            | Self::Fallback { .. }
            | Self::OutOfTime { .. }
            | Self::LeaseExpired { .. } => "the request was not processed in time",
            Self::NotSaved { .. } => {
                "the request was processed, and its response could not be stored: if it is repeated, it can be \
                 processed again"
            }
            Self::LeaseLost { .. }
            | Self::RecordGone { .. }
            | Self::CommitUnknown { key: None, .. } => {
                "the request may have been processed: if it is repeated, it can be processed again"
            }
            _ if self.is_retryable() => "the request could not be processed at this time",
            _ => "the request could not be processed",
        };
        let mut http = Http::new(match self {
            // Another attempt has the same outcome, and the request has succeeded.
            Self::ResultNotStored { .. } => 409,
            _ => self.http_status(),
        });
        http.detail = Some(detail.to_owned());
        http.retry_at = match self {
            Self::InProgress { until: Some(until), .. } => Some(until.to_system_time()),
            Self::InProgress { .. } | Self::Contended { .. } => Some(AT_ONCE),
            _ if http.status == 503 => Some(AT_ONCE),
            _ => None,
        };
        Some(http)
    }

    fn held(&self) -> Option<Held> {
        match self {
            Self::InProgress { until, .. } => {
                Some(Held { until: until.map(EpochMillis::to_system_time) })
            }
            _ => None,
        }
    }
}

crate::error::own::name_in_lambda!(Error, held = Error::held, http = Error::http);
