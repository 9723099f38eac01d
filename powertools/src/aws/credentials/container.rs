use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use hyper::{StatusCode, Uri};
use lambda_runtime::Error as BoxError;
use serde::Deserialize;

use super::{Credentials, CredentialsError, Fetch};
use crate::aws::transport::{Client, TransportError};
use crate::clock::day;
use crate::environment::Environment;

const FULL_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const RELATIVE_URI: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
/// The host of relative URIs.
const ECS: &str = "http://169.254.170.2";

/// How long the endpoint has for its answer: it is on this host.
const LIMIT: Duration = Duration::from_secs(1);
const MAX_BYTES: usize = 64 << 10;

/// The endpoint of credentials, in the protocol of
/// [containers](https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html).
pub(crate) struct Container {
    url: String,
    /// The token can be another one after a restore, so it is read for each request.
    environment: Environment,
    client: Client,
}

/// Shows nothing of the environment, which has the token.
impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A response. `Debug` would show the secret.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    account_id: Option<String>,
    expiration: Option<String>,
}

impl Container {
    pub(super) fn of(environment: &Environment) -> Option<Self> {
        let relative = environment.get(RELATIVE_URI).map(|uri| format!("{ECS}{uri}"));
        let url = relative.or_else(|| environment.get(FULL_URI))?;
        // Without a proxy, which would see the token.
        Some(Self { url, environment: environment.clone(), client: Client::new(MAX_BYTES) })
    }

    async fn request(&self) -> Result<Credentials, BoxError> {
        let token = self.token()?;
        let headers = token.as_ref().map(|token| ("authorization", token.as_str()));
        let reply = self.client.get(&self.url, headers.as_slice(), LIMIT).await?;
        if reply.status != StatusCode::OK {
            return Err(format!("status {}", reply.status.as_u16()).into());
        }
        Ok(read(&reply.body)?)
    }

    fn token(&self) -> Result<Option<String>, BoxError> {
        let Some(path) = self.environment.get(TOKEN_FILE) else {
            return Ok(self.environment.get(TOKEN));
        };
        let token = std::fs::read_to_string(path)?;
        Ok(Some(token.trim().to_owned()))
    }
}

impl Fetch for Container {
    fn fetch(self: Arc<Self>) -> BoxFuture<'static, Result<Credentials, CredentialsError>> {
        Box::pin(async move {
            if !is_safe(&self.url) {
                return Err(CredentialsError::Unsafe);
            }
            self.request().await.map_err(|source| match source.downcast_ref() {
                Some(TransportError::Timeout(_)) => CredentialsError::Late,
                _ => CredentialsError::NotFetched {
                    place: "the endpoint of credentials",
                    is_retryable: true,
                    source: source.into(),
                },
            })
        })
    }
}

/// Reads a response. Errors contain nothing of it.
fn read(body: &[u8]) -> Result<Credentials, &'static str> {
    let body: Body = serde_json::from_slice(body).map_err(|_| "the response has no credentials")?;
    let ends = match body.expiration.as_deref() {
        None => None,
        Some(text) => Some(parse_time(text).ok_or("the response has no valid expiration")?),
    };
    let Body { access_key_id, secret_access_key, token, account_id, .. } = body;
    Ok(Credentials { access_key_id, secret_access_key, session_token: token, account_id, ends })
}

/// Returns true if a token may be sent there: to this host, and to the hosts of ECS and EKS.
fn is_safe(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    match host.parse::<IpAddr>() {
        Ok(address) => {
            let known = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];
            address.is_loopback() || known.contains(&host)
        }
        Err(_) => host == "localhost",
    }
}

/// Reads a time of RFC 3339 in UTC, such as `2026-11-28T07:44:41Z`.
fn parse_time(text: &str) -> Option<SystemTime> {
    let text = text.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if !whole.is_ascii() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |start: usize, end: usize| whole.get(start..end)?.parse::<u64>().ok();
    let separators = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")];
    let fits = whole.len() == 19
        && separators.iter().all(|(at, sign)| whole.get(*at..at + 1) == Some(sign));
    let day = day(number(0, 4)?, number(5, 7)?, number(8, 10)?)?;
    let second = number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?;
    fits.then(|| SystemTime::UNIX_EPOCH + Duration::from_secs(day * 86_400 + second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_sent_to_this_host_alone() {
        for url in [
            "http://127.0.0.1:9001/2021-01-01/credentials",
            "http://localhost/credentials",
            "http://[::1]:80/",
            "http://169.254.170.2/v2",
            "http://169.254.170.23/v1/credentials",
            "http://[fd00:ec2::23]/v1/credentials",
        ] {
            assert!(is_safe(url), "{url}");
        }
        for url in
            ["http://example.com/", "http://192.168.1.1/", "no url", "http://localhost.evil/"]
        {
            assert!(!is_safe(url), "{url}");
        }
    }

    #[test]
    fn times_are_those_of_rfc_3339() {
        let seconds = |text: &str| {
            parse_time(text)
                .map(|time| time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs())
        };
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2026-11-21T02:32:01Z"), Some(1_795_228_321));
        assert_eq!(seconds("2026-11-21T02:32:01.566Z"), Some(1_795_228_321));
        for text in [
            "",
            "2026-11-21",
            "2026-11-21 02:32:01Z",
            "2026-11-21T02:32:01",
            "2026-13-21T02:32:01Z",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn an_error_shows_nothing_of_the_response() {
        let body = br#"{"AccessKeyId":"AKID","SecretAccessKey":"hidden","Expiration":"soon"}"#;
        let error = read(body).unwrap_err();
        assert_eq!(error, "the response has no valid expiration");
    }
}
