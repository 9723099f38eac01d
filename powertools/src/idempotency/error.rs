use std::time::Duration;

use super::{EpochMillis, Key, StoreError, StoreErrorKind};
use crate::error::own::Held;

/// Why idempotent work did not give an answer.
///
/// The handler's own errors never appear here: they pass through unchanged. [`error_type`] has the
/// fixed name under which Lambda reports each of these.
///
/// [`error_type`]: Self::error_type
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The event has no key: null, an empty text, list or map, or one whose members are all null.
    #[error("the event has no idempotency key for {operation}")]
    KeyMissing {
        /// The operation whose key was derived.
        operation: String,
    },

    /// The key, or the payload to be validated, cannot be written as JSON, or the key is too long
    /// for the store.
    #[error("invalid idempotency key for {operation}: {reason}")]
    KeyInvalid {
        /// The operation whose key was derived, or the JMESPath expression that selects the key.
        operation: String,
        /// What is wrong with it.
        reason: String,
    },

    /// Another invocation is still working under this key.
    #[error("work under idempotency key {key} is still in progress")]
    InProgress {
        /// The key.
        key: Key,
        /// When its lease ends, if the record says so.
        until: Option<EpochMillis>,
    },

    /// The key was used before with another payload.
    #[error("the payload differs from the one first sent under idempotency key {key}")]
    PayloadChanged {
        /// The key.
        key: Key,
    },

    /// The record was free each time that it was seen, and taken each time that it was claimed.
    #[error("idempotency key {key} could not be claimed: others were faster")]
    Contended {
        /// The key.
        key: Key,
    },

    /// Too little time was left to run the handler and save its result: nothing was claimed.
    #[error("{remaining:?} before the deadline is too late to begin idempotent work")]
    NoTime {
        /// The time that was left.
        remaining: Duration,
    },

    /// The handler was stopped because the invocation's time ran out.
    #[error("work under idempotency key {key} was stopped before the deadline")]
    OutOfTime {
        /// The key.
        key: Key,
    },

    /// The handler was stopped because its lease ended.
    #[error("work under idempotency key {key} was stopped at the end of its lease")]
    LeaseExpired {
        /// The key.
        key: Key,
    },

    /// The handler succeeded, but meanwhile another invocation had taken its record over.
    #[error(
        "work under idempotency key {key} is done, but another invocation took its record over"
    )]
    LeaseLost {
        /// The key.
        key: Key,
    },

    /// The handler succeeded, but meanwhile its record was removed.
    #[error("work under idempotency key {key} is done, but its record is gone")]
    RecordGone {
        /// The key.
        key: Key,
    },

    /// The handler succeeded, but its result could not be saved.
    #[error("work under idempotency key {key} is done, but its result could not be saved")]
    NotSaved {
        /// The key.
        key: Key,
        /// Why not.
        source: StoreError,
    },

    /// The work was done, but its result could not be stored, so it cannot be replayed.
    #[error("work under idempotency key {key} is done, but its result was not stored: {reason}")]
    ResultNotStored {
        /// The key.
        key: Key,
        /// Why the result was not stored.
        reason: String,
    },

    /// The stored result does not have the handler's response type.
    #[error("cannot read the result stored under idempotency key {key}")]
    ResultInvalid {
        /// The key.
        key: Key,
        /// What the decoder said.
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

    /// The store could not be read or written.
    #[error("the idempotency store failed")]
    Store(#[from] StoreError),

    /// The options contradict each other, or the environment has a value that means nothing.
    #[error("invalid idempotency configuration: {0}")]
    Config(String),
}

impl Error {
    /// The name under which Lambda reports the error. It never changes, so that a state machine or
    /// an alarm can match it.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::KeyMissing { .. } => "Powertools.IdempotencyKeyMissing",
            Self::KeyInvalid { .. } => "Powertools.IdempotencyKeyInvalid",
            Self::InProgress { .. } => "Powertools.IdempotencyInProgress",
            Self::PayloadChanged { .. } => "Powertools.IdempotencyPayloadChanged",
            Self::Contended { .. } => "Powertools.IdempotencyContended",
            Self::NoTime { .. } => "Powertools.IdempotencyNoTime",
            Self::OutOfTime { .. } => "Powertools.IdempotencyOutOfTime",
            Self::LeaseExpired { .. } => "Powertools.IdempotencyLeaseExpired",
            Self::LeaseLost { .. } => "Powertools.IdempotencyLeaseLost",
            Self::RecordGone { .. } => "Powertools.IdempotencyRecordGone",
            Self::NotSaved { .. } => "Powertools.IdempotencyNotSaved",
            Self::ResultNotStored { .. } => "Powertools.IdempotencyResultNotStored",
            Self::ResultInvalid { .. } => "Powertools.IdempotencyResultInvalid",
            Self::StatusUnknown { .. } => "Powertools.IdempotencyStatusUnknown",
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

    /// Returns true if the same event may succeed when it is sent again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::KeyMissing { .. }
            | Self::KeyInvalid { .. }
            | Self::PayloadChanged { .. }
            | Self::ResultNotStored { .. }
            | Self::ResultInvalid { .. }
            | Self::StatusUnknown { .. }
            | Self::Config(_) => false,
            Self::InProgress { .. }
            | Self::Contended { .. }
            | Self::NoTime { .. }
            | Self::OutOfTime { .. }
            | Self::LeaseExpired { .. }
            | Self::LeaseLost { .. }
            | Self::RecordGone { .. } => true,
            Self::NotSaved { source, .. } => source.is_retryable(),
            Self::Store(error) => error.is_retryable(),
        }
    }

    /// The HTTP status that tells a client what to do: 400 without a usable key, 409 while the work
    /// is in progress, 422 if the payload changed, 503 if the store failed or the event may be sent
    /// again, else 500.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        match self {
            Self::KeyMissing { .. } | Self::KeyInvalid { .. } => 400,
            Self::InProgress { .. } | Self::Contended { .. } => 409,
            Self::PayloadChanged { .. } => 422,
            Self::Store(_) => 503,
            _ if self.is_retryable() => 503,
            _ => 500,
        }
    }
}

impl Error {
    fn held(&self) -> Option<Held> {
        match self {
            Self::InProgress { until, .. } => {
                Some(Held { until: until.map(EpochMillis::to_system_time) })
            }
            _ => None,
        }
    }
}

crate::error::own::name_in_lambda!(Error, held = Error::held);
