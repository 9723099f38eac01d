use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use lambda_runtime::Error;
use tokio::time::Instant;

use super::outside;
use super::signed::Signing;
use crate::aws::transport::{self, Client, Destination, TransportError};
use crate::environment::Environment;

/// A server that takes spans.
pub struct Collector {
    client: Client,
    to: Destination,
    headers: HeaderMap,
    signing: Option<Signing>,
}

/// What the server answered.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The seconds after which it wants to be asked again.
    pub retry_after: Option<u64>,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug)]
pub struct NotSent {
    /// The error.
    pub error: Error,
    /// True if the same request has the same end each time.
    pub is_final: bool,
}

impl From<TransportError> for NotSent {
    fn from(error: TransportError) -> Self {
        let is_final = matches!(error, TransportError::Redirect(_) | TransportError::Invalid(_));
        Self { error: error.into(), is_final }
    }
}

impl Collector {
    /// The largest answer that is read.
    const MAX_BYTES: usize = 64 << 10;

    /// Creates a client of the server at `url`, which opens no connection. `is_signed` is for X-Ray.
    ///
    /// # Errors
    ///
    /// Returns an error if `url` is no URL, if a header is invalid, or if the connection needs what no
    /// feature brings.
    pub fn new<'a>(
        environment: &Environment,
        url: &str,
        headers: impl Iterator<Item = (&'a str, &'a str)>,
        is_signed: bool,
    ) -> Result<Self, Error> {
        let to = Destination::parse(url)?;
        let client = match to.is_local() {
            true => Client::new(Self::MAX_BYTES),
            false => outside::client(environment, &to, Self::MAX_BYTES)?,
        };
        let mut map = HeaderMap::with_capacity(4);
        for (name, value) in headers {
            map.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
        // The client sets it again: in a copy of the map, which has no room for another one.
        map.insert(HOST, to.host().clone());
        let signing = is_signed.then(|| Signing::of(environment)).transpose()?;
        Ok(Self { client, to, headers: map, signing })
    }

    /// Posts a request, which may arrive twice, and returns the answer, whatever its status.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no complete answer within `limit`.
    pub async fn post(&self, body: Bytes, limit: Duration) -> Result<Reply, NotSent> {
        let reply = match &self.signing {
            None => self.client.post(&self.to, &self.headers, body, limit, || true).await?,
            Some(signing) => Box::pin(self.post_signed(signing, body, limit)).await?,
        };
        let retry_after = reply.headers.get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        Ok(Reply { status: reply.status.as_u16(), retry_after, body: reply.body })
    }

    async fn post_signed(
        &self,
        signing: &Signing,
        body: Bytes,
        limit: Duration,
    ) -> Result<transport::Reply, NotSent> {
        // One budget for both: credentials can be a request of their own.
        let end = Instant::now() + limit;
        let mut headers = self.headers.clone();
        let signed = signing.sign(&self.to, &mut headers, &body, limit).await;
        signed.map_err(|error| NotSent { error, is_final: false })?;
        let left = end.saturating_duration_since(Instant::now());
        Ok(self.client.post(&self.to, &headers, body, left, || true).await?)
    }
}

/// Shows nothing of the headers, which can have a token.
impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("host", self.to.host()).finish_non_exhaustive()
    }
}
