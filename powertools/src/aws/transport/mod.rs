//! The HTTP client for what has no SDK.
//!
//! It speaks plain HTTP/1.1 to servers on the same host, which are reached without a proxy, as the
//! extensions of a function are. The SDK's clients have their own, in `aws/http.rs`.

mod error;

use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};

pub(crate) use self::error::TransportError;

/// The limit for a connection. On the same host it is refused at once or accepted at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// An idle connection is closed after this time.
const IDLE: Duration = Duration::from_secs(30);

/// An HTTP client with its connections. A clone shares them.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pool: Pool<HttpConnector, Empty<Bytes>>,
    max_bytes: usize,
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: hyper::HeaderMap,
    pub(crate) body: Bytes,
}

impl Client {
    /// Creates a client that accepts bodies of at most `max_bytes`. It opens no connection.
    pub(crate) fn new(max_bytes: usize) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Self { pool, max_bytes }
    }

    /// Sends a GET request and returns the complete response, whatever its status.
    ///
    /// A connection that broke is tried once more with a new one, since GET changes nothing: one
    /// from the pool may have died while the process was frozen. All attempts together take at most
    /// `limit`.
    ///
    /// # Errors
    ///
    /// Returns [`TransportError`] if there is no complete response.
    pub(crate) async fn get(
        &self,
        url: &str,
        headers: &[(&'static str, &str)],
        limit: Duration,
    ) -> Result<Reply, TransportError> {
        let end = Instant::now() + limit;
        let attempt = async || match timeout_at(end, self.attempt(url, headers)).await {
            Ok(reply) => reply,
            Err(_) => Err(TransportError::Timeout(limit)),
        };
        match attempt().await {
            Err(TransportError::Broken(_)) => attempt().await,
            reply => reply,
        }
    }

    async fn attempt(
        &self,
        url: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Reply, TransportError> {
        let uri: Uri = url.parse().map_err(|error| TransportError::Invalid(Box::new(error)))?;
        let mut request = Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request =
            request.body(Empty::new()).map_err(|error| TransportError::Invalid(Box::new(error)))?;
        let response = self.pool.request(request).await.map_err(|error| {
            if error.is_connect() {
                TransportError::Connect(Box::new(error))
            } else {
                TransportError::Broken(Box::new(error))
            }
        })?;
        self.read(response).await
    }

    async fn read(
        &self,
        response: Response<hyper::body::Incoming>,
    ) -> Result<Reply, TransportError> {
        let (head, body) = response.into_parts();
        let body = Limited::new(body, self.max_bytes).collect().await.map_err(|error| {
            if is_too_long(&*error) {
                TransportError::TooLarge(self.max_bytes)
            } else {
                TransportError::Broken(error)
            }
        })?;
        Ok(Reply { status: head.status, headers: head.headers, body: body.to_bytes() })
    }
}

fn is_too_long(error: &(dyn StdError + Send + Sync + 'static)) -> bool {
    error.is::<LengthLimitError>()
}

#[cfg(test)]
mod tests;
