//! Requests to the extensions of a function.

use std::time::Duration;

use hyper::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::aws::transport::{Client, Reply, TransportError};
use crate::environment::Environment;
use crate::parameters::{SourceError, SourceErrorKind};

/// The limit for a request. It leaves time for a fallback.
const LIMIT: Duration = Duration::from_secs(2);

/// The longest response: a configuration of AppConfig has at most 2 MB.
const MAX_BYTES: usize = 4 << 20;

/// What a part of a URL cannot contain.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A server on this host.
#[derive(Debug)]
pub(super) struct Local {
    port: Option<u16>,
    variable: &'static str,
    default: u16,
    client: Client,
}

impl Local {
    /// Creates a client of the server on the port in `variable`, or on `default`. It opens no
    /// connection.
    pub(super) fn new(variable: &'static str, default: u16) -> Self {
        Self { port: None, variable, default, client: Client::new(MAX_BYTES) }
    }

    pub(super) fn set_port(&mut self, port: u16) {
        self.port = Some(port);
    }

    /// Returns the successful response to a GET request.
    pub(super) async fn get(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Reply, SourceError> {
        let port = self.port.or_else(|| Environment::process().get(self.variable)?.parse().ok());
        let url = format!("http://localhost:{}{path}", port.unwrap_or(self.default));
        let reply = self.client.get(&url, headers, LIMIT).await.map_err(failed)?;
        if reply.status == StatusCode::OK { Ok(reply) } else { Err(refused(&reply)) }
    }
}

/// Returns a part of a URL.
pub(super) fn escaped(part: &str) -> String {
    utf8_percent_encode(part, ESCAPED).to_string()
}

fn failed(error: TransportError) -> SourceError {
    let kind = match &error {
        TransportError::Connect(_) | TransportError::Broken(_) => SourceErrorKind::Unavailable,
        TransportError::Timeout(_) => SourceErrorKind::Timeout,
        TransportError::Malformed(_)
        | TransportError::Redirect(_)
        | TransportError::TooLarge(_)
        | TransportError::Invalid(_) => SourceErrorKind::Other,
    };
    SourceError::new(kind, "no response from the extension").caused_by(error)
}

/// Reads the reason from the status, and from the exception that the extension names in the body.
fn refused(reply: &Reply) -> SourceError {
    let body = String::from_utf8_lossy(&reply.body);
    let says = |words: &[&str]| words.iter().any(|word| body.contains(word));
    let kind = match reply.status {
        _ if says(&["ParameterNotFound", "ParameterVersionNotFound", "ResourceNotFound"]) => {
            SourceErrorKind::NotFound
        }
        _ if says(&["AccessDenied"]) => SourceErrorKind::AccessDenied,
        _ if says(&["not ready"]) => SourceErrorKind::Unavailable,
        StatusCode::NOT_FOUND => SourceErrorKind::NotFound,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => SourceErrorKind::AccessDenied,
        StatusCode::TOO_MANY_REQUESTS => SourceErrorKind::Throttled,
        status if status.is_server_error() => SourceErrorKind::Unavailable,
        _ => SourceErrorKind::Other,
    };
    SourceError::new(kind, format!("the extension returned status {}", reply.status.as_u16()))
}
