use std::time::Duration;

use lambda_runtime::Error as BoxError;

/// Why there is no response. A response with any status is not an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    /// No connection could be opened: nothing was sent.
    #[error("cannot connect")]
    Connect(#[source] BoxError),
    /// The time of the request ended.
    #[error("no response after {0:?}")]
    Timeout(Duration),
    /// The connection broke before the response was complete.
    #[error("the connection broke")]
    Broken(#[source] BoxError),
    /// The response is longer than the caller admits.
    #[error("the response is longer than {0} bytes")]
    TooLarge(usize),
    /// The URL or a header is invalid.
    #[error("invalid request")]
    Invalid(#[source] BoxError),
}
