//! Answers to failures, for functions whose clients expect a response in any case.

use std::error::Error as StdError;

use bytes::Bytes;
use lambda_runtime::FunctionResponse;
use serde_json::value::RawValue;

use super::lifecycle::Kind;

/// Returns the answer to a failure of the handler. Without one it is reported to Lambda.
pub(super) type Answer = fn(&Failed<'_>) -> Option<Answered>;

/// How a handler failed.
pub(super) struct Failed<'a> {
    pub(super) kind: Kind,
    /// The error, if its type is known.
    pub(super) error: Option<&'a (dyn StdError + 'static)>,
}

pub(super) struct Answered {
    pub(super) reply: FunctionResponse<Box<RawValue>, Bytes>,
    /// False if the client made a mistake, so that the function has not failed.
    pub(super) is_failure: bool,
}
