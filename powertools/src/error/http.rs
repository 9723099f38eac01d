use std::error::Error as StdError;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::causes::{causes, text};
use super::registry::http_of;

/// What the client of an HTTP function is told of an error.
///
/// [`#[derive(LambdaError)]`](macro@crate::LambdaError) returns it for an error with `#[http(status = …)]`:
///
/// ```
/// use powertools::{LambdaError, error};
///
/// #[derive(Debug, thiserror::Error, LambdaError)]
/// enum OrderError {
///     #[error("the card was declined")]
///     #[http(status = 402)]
///     Declined,
///     #[error("the warehouse at {0} does not answer")]
///     #[http(status = 503)]
///     Warehouse(&'static str),
/// }
///
/// let told = error::http(&OrderError::Declined).unwrap();
/// assert_eq!((told.status, told.detail.as_deref()), (402, Some("the card was declined")));
///
/// // From 500 on the message is for the logs.
/// let told = error::http(&OrderError::Warehouse("10.0.0.7")).unwrap();
/// assert_eq!((told.status, told.detail), (503, None));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Http {
    /// The status of the response.
    pub status: u16,
    /// What went wrong, for people. Clients see it.
    pub detail: Option<String>,
    /// When another attempt can succeed, if that is known.
    pub retry_at: Option<SystemTime>,
    /// Members of the problem beside those of RFC 9457.
    pub members: Map<String, Value>,
}

impl Http {
    /// Creates the answer to an error with this status, without details.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, detail: None, retry_at: None, members: Map::new() }
    }

    /// Tells the client the message of `error`, without its causes, if the status is below 500.
    #[must_use]
    pub fn with_message_of(mut self, error: &dyn StdError) -> Self {
        if self.status < 500 {
            self.detail = Some(text(format_args!("{error}")));
        }
        self
    }

    /// Tells the client of `error` what [`http`](http()) returns for it, but with this status.
    #[must_use]
    pub fn with_details_of(self, error: &(dyn StdError + 'static)) -> Self {
        match http(error) {
            Some(told) => Self { status: self.status, ..told },
            None => self,
        }
    }
}

/// Returns what the client is told of the first error that is meant for clients among `error` and its
/// causes: one of this toolkit, or a [registered](crate::register_lambda_error)
/// [`LambdaError`](trait@crate::LambdaError) with a status.
#[must_use]
pub fn http(error: &(dyn StdError + 'static)) -> Option<Http> {
    causes(error).find_map(http_of)
}
