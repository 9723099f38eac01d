//! The request with which CloudFormation receives a response.

use std::iter::successors;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use hyper::{HeaderMap, StatusCode};
use lambda_runtime::Error as BoxError;
use tokio::time::sleep;

use super::Error;
use crate::aws::transport::{Client, Destination, Reply, TransportError};
use crate::environment::Environment;
use crate::invocation::Invocation;
use crate::invocation::budget::REPLY;

/// The limit for one attempt.
const ATTEMPT: Duration = Duration::from_secs(3);

/// The pause after the first attempt. Each following one is twice as long.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The most attempts after the first outside an invocation, where no time runs out.
const REPETITIONS: usize = 9;

/// The most bytes of S3's answer: an error document at most.
const ANSWER: usize = 64 * 1024;

/// The codes of S3 for a bad request of which the attempt is to blame, as when its body stalled on the way; see
/// "Error responses" in the API reference of S3.
const OF_ATTEMPT: [&str; 2] = ["RequestTimeout", "IncompleteBody"];

#[derive(Debug, Default)]
pub(super) struct Callback(OnceLock<Client>);

impl Callback {
    /// Sends a response. It is sent again after a failure that may pass, as long as there is time.
    pub(super) async fn send(&self, to: &Destination, body: Bytes) -> Result<(), Error> {
        let client = self.client().map_err(Error::ResponseNotSent)?;
        let mut pauses = pauses(Invocation::current().is_some());
        loop {
            let limit = time_left().min(ATTEMPT);
            // Without a content type, which would be a part of what is signed.
            let sent = client.put(to, HeaderMap::new(), body.clone(), limit).await;
            let failure = match sent {
                Ok(reply) if reply.status.is_success() => return Ok(()),
                Ok(reply) if !may_pass(&reply) => return Err(refused(reply.status)),
                Ok(reply) => refused(reply.status),
                Err(error @ (TransportError::Invalid(_) | TransportError::Redirect(_))) => {
                    return Err(not_sent(error));
                }
                Err(error) => not_sent(error),
            };
            match pauses.next() {
                Some(pause) if time_left() > pause => sleep(pause).await,
                _ => return Err(failure),
            }
        }
    }

    fn client(&self) -> Result<&Client, BoxError> {
        if let Some(client) = self.0.get() {
            return Ok(client);
        }
        let client = Client::outside(&Environment::process(), ANSWER)?;
        Ok(self.0.get_or_init(|| client))
    }
}

/// Returns the pauses between attempts.
fn pauses(is_inside_invocation: bool) -> impl Iterator<Item = Duration> {
    let longer = |pause: &Duration| Some((2 * *pause).min(LONGEST_PAUSE));
    let most = if is_inside_invocation { usize::MAX } else { REPETITIONS };
    successors(Some(PAUSE), longer).take(most)
}

/// Returns the time until shortly before the guards around the function end. Nothing else is more urgent than the
/// response, but its error is that of the invocation.
fn time_left() -> Duration {
    let kept = REPLY + Duration::from_millis(10);
    Invocation::current()
        .map_or(Duration::MAX, |invocation| invocation.remaining().saturating_sub(kept))
}

fn may_pass(reply: &Reply) -> bool {
    match reply.status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT => true,
        StatusCode::BAD_REQUEST => code(&reply.body).is_some_and(|it| OF_ATTEMPT.contains(&it)),
        status => status.is_server_error(),
    }
}

/// Returns the code in an error document of S3.
fn code(body: &[u8]) -> Option<&str> {
    let (_, rest) = std::str::from_utf8(body).ok()?.split_once("<Code>")?;
    rest.split_once("</Code>").map(|(code, _)| code.trim())
}

fn refused(status: StatusCode) -> Error {
    Error::ResponseNotSent(format!("the status of the reply is {}", status.as_u16()).into())
}

/// Without the URL, by which others could answer.
fn not_sent(error: TransportError) -> Error {
    Error::ResponseNotSent(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_time_limits_the_attempts_of_an_invocation() {
        let spent = |pauses: Vec<Duration>| pauses.iter().sum::<Duration>();
        assert_eq!(spent(pauses(false).collect()), Duration::from_millis(11_100));
        assert!(spent(pauses(true).take(1000).collect()) > Duration::from_secs(900));
    }
}
