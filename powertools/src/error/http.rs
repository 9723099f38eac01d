use std::error::Error as StdError;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::causes::{causes, text};
use super::registry::http_of;

/// The time of another attempt that needs to wait for nothing: a client is told the shortest time there is.
pub(crate) const AT_ONCE: SystemTime = SystemTime::UNIX_EPOCH;

/// The answer of an HTTP function to an error.
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
/// let answer = error::http(&OrderError::Declined).unwrap();
/// assert_eq!((answer.status, answer.detail.as_deref()), (402, Some("the card was declined")));
///
/// // From 500 on the message is for the logs.
/// let answer = error::http(&OrderError::Warehouse("10.0.0.7")).unwrap();
/// assert_eq!((answer.status, answer.detail), (503, None));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Http {
    /// The status of the response.
    pub status: u16,
    /// What went wrong, for people. Clients receive it.
    pub detail: Option<String>,
    /// When another attempt can succeed, if that is known.
    pub retry_at: Option<SystemTime>,
    /// Members of the problem in addition to those of RFC 9457.
    pub members: Map<String, Value>,
    /// The `type` of a problem that the error contains.
    pub(crate) kind: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) instance: Option<String>,
}

impl Http {
    /// Creates the answer to an error with this status, without details.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self {
            status,
            detail: None,
            retry_at: None,
            members: Map::new(),
            kind: None,
            title: None,
            instance: None,
        }
    }

    /// Sets the detail to the message of `error`, without its causes, if the status is below 500.
    #[must_use]
    pub fn with_message_of(mut self, error: &dyn StdError) -> Self {
        if self.status < 500 {
            self.detail = Some(text(format_args!("{error}")));
        }
        self
    }

    /// Returns the answer that [`http`](http()) returns for `error`, but with this status. From 500 on, only the
    /// time of another attempt is from that answer: a failure tells clients no details.
    #[must_use]
    pub fn with_details_of(self, error: &(dyn StdError + 'static)) -> Self {
        match http(error) {
            Some(answer) if self.status < 500 => Self { status: self.status, ..answer },
            Some(answer) => Self { retry_at: answer.retry_at, ..self },
            None => self,
        }
    }
}

/// Returns the answer to the first error that has one among `error` and its causes: one of this
/// toolkit, or a [registered](crate::register_lambda_error) [`LambdaError`](trait@crate::LambdaError)
/// with a status.
#[must_use]
pub fn http(error: &(dyn StdError + 'static)) -> Option<Http> {
    causes(error).find_map(http_of)
}
