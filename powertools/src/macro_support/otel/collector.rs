use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{DATE, HOST, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use lambda_runtime::Error;
use tokio::time::Instant;

use super::outside;
use super::signed::{Signed, Signing};
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
        // One budget for all: credentials can be a request of their own.
        let end = Instant::now() + limit;
        let (signed, reply) = self.sign_and_post(signing, body.clone(), end).await?;
        if !matches!(reply.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Ok(reply);
        }
        let date = reply.headers.get(DATE).and_then(|date| date.to_str().ok());
        match signing.refused(&signed, date) {
            true => self.sign_and_post(signing, body, end).await.map(|(_, reply)| reply),
            false => Ok(reply),
        }
    }

    async fn sign_and_post(
        &self,
        signing: &Signing,
        body: Bytes,
        end: Instant,
    ) -> Result<(Signed, transport::Reply), NotSent> {
        let left = || end.saturating_duration_since(Instant::now());
        let mut headers = self.headers.clone();
        let signed = signing.sign(&self.to, &mut headers, &body, left()).await;
        let signed = signed.map_err(|error| NotSent { error, is_final: false })?;
        let reply = self.client.post(&self.to, &headers, body, left(), || true).await?;
        Ok((signed, reply))
    }
}

/// Shows nothing of the headers, which can have a token.
impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("host", self.to.host()).finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "__otel-xray"))]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::clock::Clock;

    const LIMIT: Duration = Duration::from_secs(60);

    /// Serves as the endpoint of credentials and as X-Ray, which is this far ahead of our clock. Each
    /// credentials have another id. `takes` decides by the id and by the time of a signature.
    async fn serve(
        ahead: Duration,
        takes: impl Fn(&str, &str) -> bool + Send + 'static,
    ) -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let kept = heads.clone();
        tokio::spawn(async move {
            let mut ids = 0;
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let header = |name: &str| {
                    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
                    lines.find(|(it, _)| *it == name).map(|(_, value)| value.to_owned())
                };
                let (status, body) = match header("x-amz-date") {
                    None => {
                        ids += 1;
                        let body = r#"{"AccessKeyId":"ID","SecretAccessKey":"s","Token":"t"}"#;
                        (200, body.replace("ID", &format!("ID{ids}")))
                    }
                    Some(date) => {
                        let id = header("authorization").unwrap();
                        let id = id.split_once("Credential=").unwrap().1.split('/').next();
                        let status = if takes(id.unwrap(), &date) { 200 } else { 403 };
                        (status, String::new())
                    }
                };
                kept.lock().unwrap().push(head);
                let date = httpdate::fmt_http_date(Clock::system().now() + ahead);
                let answer = format!(
                    "HTTP/1.1 {status} X\r\ndate: {date}\r\nconnection: close\r\n\
                     content-length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (url, heads)
    }

    fn collector(url: &str, variables: &[(&str, &str)]) -> Collector {
        let variables = variables.iter().copied().chain([("AWS_REGION", "eu-central-1")]);
        let environment = Environment::of(variables);
        Collector::new(&environment, &format!("{url}/v1/traces"), std::iter::empty(), true).unwrap()
    }

    fn from_endpoint(url: &str) -> Collector {
        collector(url, &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &format!("{url}/credentials"))])
    }

    fn with_keys(url: &str) -> Collector {
        collector(url, &[("AWS_ACCESS_KEY_ID", "ID"), ("AWS_SECRET_ACCESS_KEY", "s")])
    }

    async fn status(collector: &Collector) -> u16 {
        collector.post(Bytes::new(), LIMIT).await.unwrap().status
    }

    #[tokio::test]
    async fn credentials_that_are_refused_are_fetched_again() {
        let (url, heads) = serve(Duration::ZERO, |id, _| id != "ID1").await;
        let collector = from_endpoint(&url);
        assert_eq!([status(&collector).await, status(&collector).await], [200, 200]);
        // Two for credentials, and three with spans.
        assert_eq!(heads.lock().unwrap().len(), 5);
    }

    #[tokio::test]
    async fn a_signature_by_a_wrong_clock_is_made_again_by_that_of_x_ray() {
        let ahead = Duration::from_secs(48 * 60 * 60);
        let first = Mutex::new(None::<String>);
        // On another day.
        let takes = move |_: &str, date: &str| {
            let mut first = first.lock().unwrap();
            *first.get_or_insert_with(|| date[..8].to_owned()) != date[..8]
        };
        let (url, heads) = serve(ahead, takes).await;
        let collector = with_keys(&url);
        assert_eq!([status(&collector).await, status(&collector).await], [200, 200]);
        assert_eq!(heads.lock().unwrap().len(), 3, "it is corrected once");
    }

    #[tokio::test]
    async fn what_is_refused_again_is_final() {
        let (url, heads) = serve(Duration::ZERO, |_, _| false).await;
        assert_eq!(status(&from_endpoint(&url)).await, 403);
        assert_eq!(heads.lock().unwrap().len(), 4);
        // Another signature would be the same.
        assert_eq!(status(&with_keys(&url)).await, 403);
        assert_eq!(heads.lock().unwrap().len(), 5);
    }
}
