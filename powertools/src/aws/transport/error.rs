use std::time::Duration;

use hyper::StatusCode;
use lambda_runtime::Error as BoxError;

/// Why there is no response. A response is not an error, whatever its status, unless it redirects.
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
    /// The response is not HTTP.
    #[error("the response is not HTTP")]
    Malformed(#[source] BoxError),
    /// The server wants the request to be sent elsewhere. That could be anywhere.
    #[error("the response is a redirect (status {}), which is not followed", .0.as_u16())]
    Redirect(StatusCode),
    /// The response is longer than the caller admits.
    #[error("the response is longer than {0} bytes")]
    TooLarge(usize),
    /// The URL or a header is invalid.
    #[error("invalid request")]
    Invalid(#[source] BoxError),
}
