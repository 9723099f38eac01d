use std::time::Duration;

use crate::error::{AT_ONCE, Http};
use crate::invocation::budget::OUT_OF_TIME;

/// Why work under a time guard has no result.
///
/// The work's own errors never appear here: they pass through unchanged. [`error_type`] returns the
/// fixed name under which Lambda reports each of these.
///
/// [`error_type`]: Self::error_type
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The work was stopped because its time ran out.
    #[error("the work was stopped {remaining:?} before the deadline of the invocation")]
    OutOfTime {
        /// The time that remained until Lambda ends the invocation.
        remaining: Duration,
    },

    /// The work was not started: less time remained than it needs.
    #[error(
        "the work{} was not started: the invocation has {remaining:?} left and keeps the last \
         {reserve:?} in reserve",
        needs(*.needed)
    )]
    NoTime {
        /// The time that the work was estimated to need; zero if any time would have sufficed.
        needed: Duration,
        /// The time between the limit of the work and the deadline.
        reserve: Duration,
        /// The time that remained until Lambda ends the invocation.
        remaining: Duration,
    },
}

fn needs(needed: Duration) -> String {
    if needed.is_zero() { String::new() } else { format!(" needs {needed:?} and") }
}

impl Error {
    /// Returns the name under which Lambda reports the error. It never changes, so that a state machine
    /// or an alarm can match it.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::OutOfTime { .. } => OUT_OF_TIME,
            Self::NoTime { .. } => "Powertools.DeadlineNoTime",
        }
    }

    /// Returns true if the same event may succeed when it is sent again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::OutOfTime { .. } | Self::NoTime { .. } => true,
        }
    }

    /// Returns the time that remained until Lambda ends the invocation when the work was stopped or
    /// rejected.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        match self {
            Self::OutOfTime { remaining } | Self::NoTime { remaining, .. } => *remaining,
        }
    }
}

crate::error::own::name_in_lambda!(
    Error,
    http = |_: &Error| {
        let mut told = Http::new(503);
        told.detail = Some("the request was not processed in time".to_owned());
        told.retry_at = Some(AT_ONCE);
        Some(told)
    }
);
