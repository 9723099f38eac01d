//! The HTTP client for what has no SDK.
//!
//! It speaks HTTP/1.1: plain to servers on the same host, which are reached without a proxy, as the
//! extensions of a function are; and to others through TLS and the proxies of the environment, where a
//! feature brings them. The SDK's clients have their own, in `aws/http.rs`.

mod connect;
mod error;
mod pool;

#[cfg(feature = "__outside")]
mod outside;
#[cfg(not(feature = "__outside"))]
#[path = "no_outside.rs"]
mod outside;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::header::{CONNECTION, HOST, HeaderMap, HeaderValue, PROXY_AUTHORIZATION};
use hyper::{Method, Request, Response, StatusCode, Uri};
use tokio::time::timeout;

use self::connect::Connector;
pub(crate) use self::error::TransportError;
use self::pool::{Connection, Pool};

/// An HTTP client with its connections. A clone shares them.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    connector: Connector,
    pool: Pool,
    max_bytes: usize,
}

/// Where requests go.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    uri: Uri,
    host: HeaderValue,
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Destination {
    /// Reads an absolute URL.
    ///
    /// # Errors
    ///
    /// Returns [`TransportError::Invalid`] if it is none, or if its scheme is neither `http` nor
    /// `https`.
    pub(crate) fn parse(url: &str) -> Result<Self, TransportError> {
        let uri: Uri = url.parse().map_err(invalid)?;
        let (Some("http" | "https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(TransportError::Invalid("the URL is not absolute".into()));
        };
        // Without a user and a password, which are no part of a host.
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        let host = host.try_into().map_err(invalid)?;
        Ok(Self { uri, host })
    }

    /// Returns the host and, unless it is that of the scheme, the port.
    pub(crate) fn host(&self) -> &HeaderValue {
        &self.host
    }

    /// Returns true if requests are encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    /// Returns true for plain HTTP on the same host.
    pub(crate) fn is_local(&self) -> bool {
        is_local(&self.uri)
    }

    /// Returns the path.
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }
}

/// Returns true for plain HTTP on the same host.
fn is_local(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_loopback = host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    uri.scheme_str() == Some("http") && (is_loopback || host.eq_ignore_ascii_case("localhost"))
}

impl Client {
    /// Creates a client of servers on this host, which accepts bodies of at most `max_bytes`. It opens no
    /// connection.
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self::with(Connector::local(), max_bytes)
    }

    fn with(connector: Connector, max_bytes: usize) -> Self {
        let pool = Pool::default();
        Self { shared: Arc::new(Shared { connector, pool, max_bytes }) }
    }

    /// Sends a GET request and returns the complete response, whatever its status.
    ///
    /// A connection that broke is tried once more with a new one, since GET changes nothing: one
    /// from the pool may have died while the process was frozen. All attempts together take at most
    /// `limit`.
    ///
    /// # Errors
    ///
    /// Returns [`TransportError`] if there is no complete response, or if it redirects.
    pub(crate) async fn get(
        &self,
        url: &str,
        headers: &[(&'static str, &str)],
        limit: Duration,
    ) -> Result<Reply, TransportError> {
        let to = Destination::parse(url)?;
        let mut map = HeaderMap::with_capacity(headers.len() + 1);
        for (name, value) in headers {
            map.insert(*name, value.parse().map_err(invalid)?);
        }
        let request = Outgoing { method: Method::GET, headers: &map, body: Bytes::new() };
        self.repeatable(&to, &request, limit).await
    }

    /// Sends a request that may arrive twice, even if the server has begun to respond.
    async fn repeatable(
        &self,
        to: &Destination,
        request: &Outgoing<'_>,
        limit: Duration,
    ) -> Result<Reply, TransportError> {
        self.shared
            .within(limit, async {
                match self.shared.send(to, request).await {
                    Err(Broke::Kept(_) | Broke::Else(TransportError::Broken(_))) => {
                        self.shared.send_anew(to, request).await
                    }
                    result => Ok(result?),
                }
            })
            .await
    }

    /// Sends a PUT request and returns the complete response, whatever its status.
    ///
    /// A connection that broke is tried once more with a new one, since the second request would replace
    /// what the first one put there. All attempts together take at most `limit`.
    ///
    /// # Errors
    ///
    /// Returns [`TransportError`] if there is no complete response, or if it redirects.
    pub(crate) async fn put(
        &self,
        to: &Destination,
        headers: HeaderMap,
        body: Bytes,
        limit: Duration,
    ) -> Result<Reply, TransportError> {
        let request = Outgoing { method: Method::PUT, headers: &headers, body };
        self.repeatable(to, &request, limit).await
    }

    /// Sends a POST request and returns the complete response, whatever its status.
    ///
    /// A connection from the pool that breaks before a response begins is replaced, and the request
    /// is sent once more if it `may_repeat` at that time. All attempts together take at most `limit`.
    ///
    /// # Errors
    ///
    /// Returns [`TransportError`] if there is no complete response, or if it redirects.
    pub(crate) async fn post(
        &self,
        to: &Destination,
        headers: &HeaderMap,
        body: Bytes,
        limit: Duration,
        may_repeat: impl Fn() -> bool,
    ) -> Result<Reply, TransportError> {
        let request = Outgoing { method: Method::POST, headers, body };
        self.shared
            .within(limit, async {
                match self.shared.send(to, &request).await {
                    Err(Broke::Kept(_)) if may_repeat() => {
                        self.shared.send_anew(to, &request).await
                    }
                    result => Ok(result?),
                }
            })
            .await
    }
}

/// A request that can be sent again.
struct Outgoing<'a> {
    method: Method,
    /// Those beside that of the host.
    headers: &'a HeaderMap,
    body: Bytes,
}

impl Outgoing<'_> {
    fn request(&self, to: &Destination, uri: Uri) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(HOST, to.host.clone());
        request
    }
}

impl Shared {
    /// Waits at most `limit` for `work`.
    async fn within(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<Reply, TransportError>>,
    ) -> Result<Reply, TransportError> {
        timeout(limit, work).await.unwrap_or_else(|_| {
            // A connection that died without a sign only times out. Those in the pool were not used for even longer.
            self.pool.clear();
            Err(TransportError::Timeout(limit))
        })
    }

    /// Sends a request on a connection from the pool, or else on a new one.
    async fn send(&self, to: &Destination, request: &Outgoing<'_>) -> Result<Reply, Broke> {
        let (connection, broke): (_, fn(_) -> _) = match self.pool.take(&to.uri).await {
            Some(connection) => (connection, Broke::Kept),
            None => {
                // Boxed, since it is large and rare.
                let connected = Box::pin(self.connector.connect(&to.uri)).await;
                let broken = |error| Broke::Else(TransportError::Broken(error));
                (connected.map_err(Broke::Else)?, broken)
            }
        };
        self.exchange(to, request, connection, broke).await
    }

    /// Sends a request again, on a new connection: those in the pool were not used for even longer.
    async fn send_anew(
        &self,
        to: &Destination,
        request: &Outgoing<'_>,
    ) -> Result<Reply, TransportError> {
        self.pool.clear();
        // Boxed, since it is rare.
        Ok(Box::pin(self.send(to, request)).await?)
    }

    /// Sends a request. `broke` has the error of a connection that breaks before the response begins.
    async fn exchange(
        &self,
        to: &Destination,
        request: &Outgoing<'_>,
        mut connection: Connection,
        broke: fn(lambda_runtime::Error) -> Broke,
    ) -> Result<Reply, Broke> {
        let mut request = match &connection.through {
            // A proxy of plain HTTP has to know where the request goes.
            Some(_) => request.request(to, to.uri.clone()),
            None => request.request(to, origin_form(&to.uri)),
        };
        if let Some(Some(authorization)) = &connection.through {
            request.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        let sent = connection.sender.send_request(request);
        let sent = connection.run(sent).await;
        let response = sent.map_err(|error| match error.is_parse() {
            true => Broke::Else(TransportError::Malformed(error.into())),
            false => broke(error.into()),
        })?;
        let reply = connection.run(self.read(response)).await.map_err(Broke::Else)?;
        if reply
            .headers
            .get(CONNECTION)
            .is_none_or(|it| !it.as_bytes().eq_ignore_ascii_case(b"close"))
        {
            self.pool.give(connection);
        }
        Ok(reply)
    }

    async fn read(
        &self,
        response: Response<hyper::body::Incoming>,
    ) -> Result<Reply, TransportError> {
        let (head, body) = response.into_parts();
        if head.status.is_redirection() && head.status != StatusCode::NOT_MODIFIED {
            return Err(TransportError::Redirect(head.status));
        }
        let body = Limited::new(body, self.max_bytes).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                TransportError::TooLarge(self.max_bytes)
            } else {
                TransportError::Broken(error)
            }
        })?;
        Ok(Reply { status: head.status, headers: head.headers, body: body.to_bytes() })
    }
}

/// Why a connection has no complete response.
enum Broke {
    /// It is one from the pool, and broke before the response began.
    Kept(lambda_runtime::Error),
    Else(TransportError),
}

impl From<Broke> for TransportError {
    fn from(broke: Broke) -> Self {
        match broke {
            Broke::Kept(error) => Self::Broken(error),
            Broke::Else(error) => error,
        }
    }
}

/// The path and query alone, as servers expect them.
fn origin_form(uri: &Uri) -> Uri {
    let path = uri.path_and_query().cloned();
    path.map_or_else(Uri::default, Uri::from)
}

fn invalid(error: impl Into<lambda_runtime::Error>) -> TransportError {
    TransportError::Invalid(error.into())
}

#[cfg(test)]
mod tests;
