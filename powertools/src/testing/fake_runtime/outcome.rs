use bytes::Bytes;
use lambda_runtime::Diagnostic;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::watch;

/// The outcome of an event: what Lambda would return to the caller.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The function replied.
    Response(Response),
    /// The function reported an error.
    Failed(Diagnostic),
    /// The function had not replied by the deadline: `Sandbox.Timedout`.
    TimedOut(Diagnostic),
    /// The function ended before it replied: `Runtime.ExitError`, or the error that it reported
    /// from its initialisation. Also of events that were still waiting when the last function
    /// ended.
    Exited(Diagnostic),
}

impl Outcome {
    /// Returns the response, if there is one.
    #[must_use]
    pub fn response(&self) -> Option<&Response> {
        match self {
            Self::Response(response) => Some(response),
            _ => None,
        }
    }

    /// Returns what Lambda would return to the caller about the failure, if this is one.
    #[must_use]
    pub fn diagnostic(&self) -> Option<&Diagnostic> {
        match self {
            Self::Response(_) => None,
            Self::Failed(diagnostic) | Self::TimedOut(diagnostic) | Self::Exited(diagnostic) => {
                Some(diagnostic)
            }
        }
    }

    /// Returns the name of the failure, if this is one: what alarms and Step Functions match on.
    #[must_use]
    pub fn error_type(&self) -> Option<&str> {
        self.diagnostic().map(|diagnostic| diagnostic.error_type.as_str())
    }

    /// Reads the response.
    ///
    /// # Panics
    ///
    /// Panics with the actual outcome if this is not a response or its JSON is not a `T`.
    #[must_use]
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        let Self::Response(response) = self else { panic!("expected a response, got {self:?}") };
        match serde_json::from_slice(&response.body) {
            Ok(value) => value,
            Err(error) => panic!("cannot read the response {response:?}: {error}"),
        }
    }
}

/// The response of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub(super) body: Bytes,
    pub(super) streamed: bool,
}

/// The separator between the prelude and the content of a streamed response.
const DELIMITER: [u8; 8] = [0; 8];

impl Response {
    /// Returns the bytes that the function sent.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns true if the function streamed its response.
    #[must_use]
    pub fn is_streamed(&self) -> bool {
        self.streamed
    }

    /// Returns the status, headers and cookies that a streamed response starts with.
    #[must_use]
    pub fn prelude(&self) -> Option<Value> {
        serde_json::from_slice(&self.body[..self.delimiter()?]).ok()
    }

    /// Returns the bytes that the function sent, without the prelude of a streamed response.
    #[must_use]
    pub fn content(&self) -> Bytes {
        match self.delimiter() {
            Some(at) => self.body.slice(at + DELIMITER.len()..),
            None => self.body.clone(),
        }
    }

    fn delimiter(&self) -> Option<usize> {
        self.streamed.then(|| self.body.windows(8).position(|bytes| bytes == DELIMITER)).flatten()
    }
}

/// An event that was sent and whose outcome is pending. Created by [`FakeRuntime::send`].
///
/// Dropping it does not take the event back.
///
/// [`FakeRuntime::send`]: super::FakeRuntime::send
#[derive(Clone, Debug)]
pub struct Pending {
    pub(super) request_id: String,
    pub(super) progress: watch::Receiver<Progress>,
}

/// How far an event has come.
#[derive(Clone, Debug)]
pub(super) enum Progress {
    Waiting,
    Delivered,
    Done(Outcome),
}

impl Pending {
    /// Returns the request id of the event.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Waits until a function has received the event, or the event has ended without one.
    pub async fn delivered(&self) {
        let delivered = |progress: &Progress| !matches!(progress, Progress::Waiting);
        // An error means that it will never be delivered.
        let _ = self.progress.clone().wait_for(delivered).await;
    }

    /// Waits for the outcome.
    ///
    /// It never arrives while there is no function to receive the event.
    pub async fn outcome(&self) -> Outcome {
        let mut progress = self.progress.clone();
        let done = progress.wait_for(|progress| matches!(progress, Progress::Done(_))).await;
        match done.as_deref() {
            Ok(Progress::Done(outcome)) => outcome.clone(),
            _ => Outcome::Exited(exit_error(&self.request_id, "the fake runtime was dropped")),
        }
    }
}

/// Returns the message of Lambda for a function that ended.
pub(super) fn exit_error(request_id: &str, reason: &str) -> Diagnostic {
    Diagnostic {
        error_type: "Runtime.ExitError".to_owned(),
        error_message: format!("RequestId: {request_id} Error: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_a_streamed_response() {
        let body = [br#"{"statusCode":200}"#.as_slice(), &DELIMITER, b"\0hello"].concat();
        let response = Response { body: body.into(), streamed: true };
        assert_eq!(response.prelude(), Some(serde_json::json!({ "statusCode": 200 })));
        assert_eq!(response.content(), b"\0hello".as_slice());
    }

    #[test]
    fn leaves_other_responses_whole() {
        let body = Bytes::from_static(b"12345678\0\0\0\0\0\0\0\0");
        let response = Response { body: body.clone(), streamed: false };
        assert_eq!(response.prelude(), None);
        assert_eq!(response.content(), body);
    }

    #[test]
    #[should_panic(expected = "expected a response, got Failed")]
    fn names_the_outcome_in_place_of_a_response() {
        let diagnostic = Diagnostic { error_type: "A".into(), error_message: "b".into() };
        let _ = Outcome::Failed(diagnostic).json::<Value>();
    }
}
