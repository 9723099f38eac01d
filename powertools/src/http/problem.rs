use std::error::Error as StdError;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use serde_json::{Map, Value};

use super::response::IntoResponse;
use crate::clock::Clock;
use crate::error::Http;
use crate::error::causes::causes;
use crate::error::registry::{find_as, http_of};
use crate::invocation::Invocation;

/// An error as a client sees it: `application/problem+json` (RFC 9457).
///
/// ```
/// use powertools::http::{Problem, Request, StatusCode};
///
/// async fn ship(request: Request) -> Result<(), Problem> {
///     Err(Problem::new(StatusCode::CONFLICT)
///         .detail("the order has been shipped")
///         .member("order", 7))
/// }
///
/// # let problem = futures_util::FutureExt::now_or_never(ship(Request::default())).unwrap().unwrap_err();
/// assert_eq!(
///     problem.to_json(),
///     r#"{"type":"about:blank","title":"Conflict","status":409,"detail":"the order has been shipped","order":7}"#
/// );
/// ```
///
/// Inside an invocation it has the member `request_id`, by which the log lines of the request are found.
///
/// # Errors as problems
///
/// [`Powertools::http`](crate::Powertools::http) answers the errors of a handler like this, and
/// [`of`](Self::of) does so anywhere:
///
/// | error | answer |
/// |---|---|
/// | with [`#[http(status = 402)]`](macro@crate::LambdaError), also in a box or as a cause | that status, and below 500 its message; a [transparent](macro@crate::LambdaError#transparent-variants) variant has the details of the error in it instead |
/// | of this toolkit, also in a box or as a cause | as [`idempotency::Error::http_status`](crate::idempotency::Error::http_status) says, with a message that contains neither keys nor the names of operations |
/// | any other, and a panic | 500, without its message |
/// | the time has run out | 503 |
///
/// The outermost error with an answer decides, whatever its causes are: around a problem that another
/// service returned, an error with a status of its own is what the client is told. A problem among the
/// causes of errors without an answer is told as it is.
///
/// None of this applies to a *response*: what a service returns as its response, also one that is made from a
/// problem inside of it, is sent as it is. Only that of
/// [`IdempotencyKeyLayer`](crate::http::IdempotencyKeyLayer) to work whose time has run out gives way to
/// [`when_out_of_time`](crate::Powertools::when_out_of_time).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{status}{}", message(.detail))]
#[must_use = "a problem is a response to return"]
pub struct Problem {
    status: StatusCode,
    kind: Option<String>,
    title: Option<String>,
    detail: Option<String>,
    instance: Option<String>,
    retry_after: Option<Duration>,
    members: Map<String, Value>,
}

impl Problem {
    /// Creates a problem with the status and its phrase as the title.
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            kind: None,
            title: None,
            detail: None,
            instance: None,
            retry_after: None,
            members: Map::new(),
        }
    }

    /// Returns what the client is told of `error`, by the table [above](Self#errors-as-problems).
    pub fn of(error: &(dyn StdError + 'static)) -> Self {
        let told = causes(error).find_map(|error| match find_as::<Self>(error) {
            Some(problem) => Some(problem.clone()),
            None => http_of(error).map(Self::from_told),
        });
        told.unwrap_or_else(|| Self::new(StatusCode::INTERNAL_SERVER_ERROR))
    }

    fn from_told(told: Http) -> Self {
        let status = StatusCode::from_u16(told.status);
        let mut problem = Self::new(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        problem.kind = told.kind;
        problem.title = told.title;
        problem.detail = told.detail;
        problem.instance = told.instance;
        problem.retry_after = told.retry_at.map(time_until);
        problem.members = told.members;
        problem.members.retain(|name, _| !is_defined(name));
        problem
    }

    /// Sets the URI that identifies the kind of problem. Defaults to `about:blank`: the status says all.
    pub fn kind(mut self, uri: impl Into<String>) -> Self {
        self.kind = Some(uri.into());
        self
    }

    /// Sets the title: the same for every problem of this kind.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets what went wrong this time, for people.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Sets the URI of this occurrence.
    pub fn instance(mut self, uri: impl Into<String>) -> Self {
        self.instance = Some(uri.into());
        self
    }

    /// Adds a member. The names that RFC 9457 defines cannot be set here.
    pub fn member(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        let name = name.into();
        if !is_defined(&name) {
            self.members.insert(name, value.into());
        }
        self
    }

    /// Sets the header `Retry-After`, in whole seconds, rounded up.
    pub fn retry_after(mut self, time: Duration) -> Self {
        self.retry_after = Some(time);
        self
    }

    /// Returns the name under which Lambda reports a problem, where it does. It never changes.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        "Powertools.HttpProblem"
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the body.
    #[must_use]
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Document<'a> {
            r#type: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            title: Option<&'a str>,
            status: u16,
            #[serde(skip_serializing_if = "Option::is_none")]
            detail: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            instance: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            request_id: Option<&'a str>,
            #[serde(flatten)]
            members: &'a Map<String, Value>,
        }

        let invocation = Invocation::current();
        let request_id = invocation.as_ref().map(Invocation::request_id);
        let has_own = self.members.contains_key("request_id");
        let document = Document {
            r#type: self.kind.as_deref().unwrap_or("about:blank"),
            title: self.title.as_deref().or(self.status.canonical_reason()),
            status: self.status.as_u16(),
            detail: self.detail.as_deref(),
            instance: self.instance.as_deref(),
            request_id: request_id.filter(|id| !id.is_empty() && !has_own),
            members: &self.members,
        };
        serde_json::to_string(&document).unwrap_or_default()
    }
}

/// Returns true if RFC 9457 defines the member, so that an extension would be a second one.
fn is_defined(member: &str) -> bool {
    matches!(member, "type" | "title" | "status" | "detail" | "instance")
}

fn message(detail: &Option<String>) -> String {
    detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default()
}

crate::error::own::name_in_lambda!(
    Problem,
    http = |problem: &Problem| {
        let mut told = Http::new(problem.status.as_u16());
        told.kind = problem.kind.clone();
        told.title = problem.title.clone();
        told.detail = problem.detail.clone();
        told.instance = problem.instance.clone();
        told.retry_at = problem.retry_after.and_then(|time| now().checked_add(time));
        told.members = problem.members.clone();
        Some(told)
    }
);

impl IntoResponse for Problem {
    type Body = Full<Bytes>;

    fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.to_json().into()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            http::header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(time) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds(time).into());
        }
        response
    }
}

/// For handlers of axum and other frameworks, which return responses of `http`.
impl From<Problem> for Response<Full<Bytes>> {
    fn from(problem: Problem) -> Self {
        problem.into_response()
    }
}

fn seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}

/// Returns the time from now to `end`, and at least a second.
fn time_until(end: SystemTime) -> Duration {
    end.duration_since(now()).unwrap_or_default().max(Duration::from_secs(1))
}

fn now() -> SystemTime {
    let clock = Invocation::current().map_or_else(Clock::system, |current| current.clock().clone());
    clock.now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rounded_up_to_seconds() {
        assert_eq!(seconds(Duration::ZERO), 0);
        assert_eq!(seconds(Duration::from_nanos(1)), 1);
        assert_eq!(seconds(Duration::from_secs(2)), 2);
        assert_eq!(seconds(Duration::MAX), u64::MAX);
    }
}
