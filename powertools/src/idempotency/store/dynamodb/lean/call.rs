//! A request with all its attempts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hyper::header::{
    AUTHORIZATION, CONTENT_TYPE, DATE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use tokio::time::Instant;

use super::Body;
use super::answer::{self, Refusal};
use super::client::{LeanClient, Shared};
use super::retry::Retry;
use crate::aws::credentials::{Credentials, CredentialsError};
use crate::aws::sigv4::Unsigned;
use crate::aws::transport::{Destination, Reply, TransportError};
use crate::idempotency::store::attempts::{ATTEMPT_TIMEOUT, ATTEMPTS, end_of, has_ended, pause};
use crate::idempotency::store::dynamodb::requests::Failure;

const JSON: &str = "application/x-amz-json-1.0";
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const CHECKSUM: &str = "x-amz-crc32";
const ERROR_TYPE: &str = "x-amzn-errortype";

/// An attempt without a result.
struct Failed {
    failure: Failure,
    retry: Retry,
    /// True if the request may have been carried out nevertheless.
    in_doubt: bool,
}

impl Failed {
    /// The service did not carry out the request.
    fn refused(failure: Failure, retry: Retry) -> Self {
        Self { failure, retry, in_doubt: false }
    }

    fn in_doubt(failure: Failure, retry: Retry) -> Self {
        Self { failure, retry, in_doubt: true }
    }

    /// The same request was sent before in this attempt, and not answered.
    fn repeated(self) -> Self {
        Self { failure: self.failure.in_doubt(), in_doubt: true, ..self }
    }
}

impl LeanClient {
    /// Makes a request about `table`, with all of its attempts within `timeout`, and returns the body of
    /// the response.
    pub(super) async fn call(
        &self,
        operation: &'static str,
        table: &str,
        body: Bytes,
        timeout: Duration,
    ) -> Body {
        let shared = &*self.shared;
        let end = end_of(timeout);
        let start = shared.clock.now();
        let has_ended = || has_ended(start, timeout, &shared.clock);
        let (mut attempt, mut cost, mut was_in_doubt) = (1, None, false);
        loop {
            let left = end.saturating_duration_since(Instant::now()).min(ATTEMPT_TIMEOUT);
            let failed = match shared.attempt(operation, table, &body, left, &has_ended).await {
                Ok(body) => {
                    shared.quota.succeed(cost);
                    return Ok(body);
                }
                Err(failed) => failed,
            };
            let failure = if was_in_doubt { failed.failure.in_doubt() } else { failed.failure };
            was_in_doubt |= failed.in_doubt;
            attempt += 1;
            let pause = pause(attempt);
            // Another attempt would only time out, and hide this failure.
            if attempt > ATTEMPTS || Instant::now() + pause >= end || has_ended() {
                return Err(failure);
            }
            cost = shared.quota.take(failed.retry);
            if cost.is_none() {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
        }
    }
}

impl Shared {
    async fn attempt(
        &self,
        operation: &'static str,
        table: &str,
        body: &Bytes,
        limit: Duration,
        has_ended: &(impl Fn() -> bool + Sync),
    ) -> Result<Bytes, Failed> {
        let end = Instant::now() + limit;
        let now = self.skew.now(&self.clock);
        let credentials = self.credentials.get(now, limit).await.map_err(without_credentials)?;
        let never = |failure| Failed::refused(failure, Retry::Never);
        let to = self.endpoint.of(&credentials, table).map_err(never)?;
        let headers = self.headers(&to, operation, body, &credentials, now).map_err(never)?;
        let left = end.saturating_duration_since(Instant::now());
        // The process can have been frozen in the pause before this attempt, or while it waited for credentials.
        if has_ended() {
            return Err(never(Failure::Timeout("the request has ended".into())));
        }
        let is_repeated = AtomicBool::new(false);
        let may_repeat = || {
            let may_repeat = !has_ended();
            is_repeated.fetch_or(may_repeat, Ordering::Relaxed);
            may_repeat
        };
        let reply = self.http.post(&to, &headers, body.clone(), left, may_repeat).await;
        let reply = reply.map_err(unsent);
        reply
            .and_then(|reply| self.read(reply, &credentials, now))
            .map_err(|failed| if is_repeated.into_inner() { failed.repeated() } else { failed })
    }

    fn headers(
        &self,
        to: &Destination,
        operation: &'static str,
        body: &[u8],
        credentials: &Credentials,
        now: SystemTime,
    ) -> Result<HeaderMap, Failure> {
        let target = format!("DynamoDB_20120810.{operation}");
        let host = to.host().to_str().map_err(invalid)?;
        let unsigned = Unsigned {
            method: "POST",
            path: to.path(),
            query: "",
            headers: &[("content-type", JSON), ("host", host), ("x-amz-target", &target)],
            body,
        };
        let signature = self.signer.sign(unsigned, credentials, now);
        let mut headers = HeaderMap::with_capacity(8);
        // The client sets it again: in a copy of the map, which has no room for another one.
        headers.insert(HOST, to.host().clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        headers.insert(TARGET, target.try_into().map_err(invalid)?);
        headers.insert(USER_AGENT, self.user_agent.clone());
        headers.insert(AMZ_DATE, signature.date.try_into().map_err(invalid)?);
        headers.insert(AUTHORIZATION, secret(&signature.authorization)?);
        if let Some(token) = credentials.session_token() {
            headers.insert(SECURITY_TOKEN, secret(token)?);
        }
        Ok(headers)
    }

    /// Reads the response to a request that was signed at `signed`.
    fn read(
        &self,
        reply: Reply,
        credentials: &Arc<Credentials>,
        signed: SystemTime,
    ) -> Result<Bytes, Failed> {
        let header = |name: &str| reply.headers.get(name)?.to_str().ok();
        let sum = header(CHECKSUM).and_then(|sum| sum.parse::<u32>().ok());
        if sum.is_some_and(|sum| sum != crc32fast::hash(&reply.body)) {
            let failure = Failure::Unusable("the response was damaged on its way".into());
            return Err(Failed::in_doubt(failure, Retry::Later));
        }
        let status = reply.status.as_u16();
        if reply.status.is_success() {
            let unusable = |failure| Failed::in_doubt(failure, Retry::Never);
            return answer::check(&reply.body).map(|()| reply.body).map_err(unusable);
        }
        let Some(refusal) = Refusal::of(&reply.body, header(ERROR_TYPE)) else {
            // Treated like an error with an unknown code.
            let message = format!("status {status} without an error of DynamoDB");
            let failure = Failure::Service(String::new(), message.into());
            return Err(Failed::in_doubt(failure, Retry::of_service("", status)));
        };
        let code = refusal.code();
        let retry = match code {
            "ExpiredToken" | "ExpiredTokenException" | "UnrecognizedClientException"
                if self.credentials.forget(credentials) =>
            {
                Retry::Later
            }
            "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "RequestExpired"
            | "RequestTimeTooSkewed"
            | "AuthFailure"
                if self.skew.follow(&self.clock, header(DATE.as_str()), signed) =>
            {
                Retry::Later
            }
            code => Retry::of_service(code, status),
        };
        let in_doubt = reply.status.is_server_error();
        Err(Failed { failure: refusal.into_failure(), retry, in_doubt })
    }
}

fn without_credentials(error: CredentialsError) -> Failed {
    match error {
        CredentialsError::Late => {
            Failed::refused(Failure::Timeout(error.into()), Retry::AfterTimeout)
        }
        // They are on their way, like the service behind a connection that broke.
        error if error.is_retryable() => {
            Failed::refused(Failure::Unreachable(error.into()), Retry::Later)
        }
        error => Failed::refused(Failure::NoCredentials(error.into()), Retry::Never),
    }
}

fn unsent(error: TransportError) -> Failed {
    let retry = Retry::of_transport(&error);
    let failure = match &error {
        TransportError::Timeout(_) => Failure::Timeout(error.into()),
        TransportError::Connect(_) | TransportError::Broken(_) => {
            Failure::Unreachable(error.into())
        }
        TransportError::Invalid(_) => Failure::Invalid(error.into()),
        TransportError::Malformed(_)
        | TransportError::Redirect(_)
        | TransportError::TooLarge(_) => Failure::Unusable(error.into()),
    };
    let in_doubt = !matches!(failure, Failure::Invalid(_));
    Failed { failure, retry, in_doubt }
}

/// Creates the value of a header that logs do not show.
fn secret(value: &str) -> Result<HeaderValue, Failure> {
    // The error would contain the value.
    let invalid = |_| Failure::Invalid("the credentials are no part of a header".into());
    let mut value = HeaderValue::try_from(value).map_err(invalid)?;
    value.set_sensitive(true);
    Ok(value)
}

pub(super) fn invalid(error: impl Into<lambda_runtime::Error>) -> Failure {
    Failure::Invalid(error.into())
}
