use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;

use crate::testing::identifiers;

/// An event for a function, with the metadata that Lambda sends.
///
/// A clone has the same request id: sending it again is what Lambda does when it retries.
///
/// ```
/// use std::time::Duration;
/// use powertools::testing::Event;
/// use serde_json::json;
///
/// let event = Event::new(json!({ "order": 7 }))
///     .request_id("8476a536")
///     .timeout(Duration::from_secs(3))
///     .tenant_id("blue");
/// assert_eq!(event.id(), "8476a536");
/// ```
#[derive(Clone, Debug)]
#[must_use = "an event does nothing until it is sent"]
pub struct Event {
    pub(super) payload: Bytes,
    pub(super) request_id: String,
    pub(super) deadline: Option<Deadline>,
    trace_id: Option<String>,
    tenant_id: Option<String>,
    function_arn: Option<String>,
    client_context: Option<Value>,
    cognito_identity: Option<Value>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Deadline {
    /// This long after the delivery.
    After(Duration),
    At(SystemTime),
}

impl Event {
    /// Creates an event with `payload` as its JSON, a new request id and a new trace.
    ///
    /// # Panics
    ///
    /// Panics if `payload` cannot be serialised as JSON, such as a map whose keys are not strings.
    pub fn new(payload: impl Serialize) -> Self {
        Self::raw(serde_json::to_vec(&payload).expect("the payload can be written as JSON"))
    }

    /// Creates an event with these bytes as its payload, which need not be JSON.
    pub fn raw(payload: impl Into<Bytes>) -> Self {
        Self {
            payload: payload.into(),
            request_id: identifiers::request_id(),
            deadline: None,
            trace_id: Some(identifiers::trace_id()),
            tenant_id: None,
            function_arn: None,
            client_context: None,
            cognito_identity: None,
        }
    }

    /// Returns the request id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.request_id
    }

    /// Sets the request id.
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = id.into();
        self
    }

    /// Sets the time that the function has from the delivery on. Defaults to
    /// [`FakeRuntime::timeout`](super::FakeRuntime::timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.deadline = Some(Deadline::After(timeout));
        self
    }

    /// Sets the deadline that the function receives.
    ///
    /// One that has already passed when the event is delivered is sent, but does not end the
    /// invocation, so that a test can observe what the function does.
    pub fn deadline(mut self, at: SystemTime) -> Self {
        self.deadline = Some(Deadline::At(at));
        self
    }

    /// Sets the X-Ray trace header.
    pub fn trace_id(mut self, header: impl Into<String>) -> Self {
        self.trace_id = Some(header.into());
        self
    }

    /// Sends no X-Ray trace header.
    pub fn without_trace_id(mut self) -> Self {
        self.trace_id = None;
        self
    }

    /// Sets the tenant.
    pub fn tenant_id(mut self, tenant: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant.into());
        self
    }

    /// Sets the ARN that the event was sent to, such as that of an alias.
    pub fn function_arn(mut self, arn: impl Into<String>) -> Self {
        self.function_arn = Some(arn.into());
        self
    }

    /// Sets the client context, as a mobile application sends it.
    pub fn client_context(mut self, context: Value) -> Self {
        self.client_context = Some(context);
        self
    }

    /// Sets the Cognito identity of the caller.
    pub fn cognito_identity(mut self, identity: &str, pool: &str) -> Self {
        let identity =
            serde_json::json!({ "cognitoIdentityId": identity, "cognitoIdentityPoolId": pool });
        self.cognito_identity = Some(identity);
        self
    }

    /// Returns what Lambda sends in headers, but for what it knows only at the delivery.
    pub(super) fn headers(&self, function_name: &str) -> HeaderMap {
        let arn = match &self.function_arn {
            Some(arn) => arn.clone(),
            None => identifiers::function_arn(function_name),
        };
        let headers = [
            ("lambda-runtime-aws-request-id", Some(self.request_id.clone())),
            ("lambda-runtime-invoked-function-arn", Some(arn)),
            ("lambda-runtime-trace-id", self.trace_id.clone()),
            ("lambda-runtime-aws-tenant-id", self.tenant_id.clone()),
            ("lambda-runtime-client-context", self.client_context.as_ref().map(Value::to_string)),
            (
                "lambda-runtime-cognito-identity",
                self.cognito_identity.as_ref().map(Value::to_string),
            ),
        ];
        headers
            .into_iter()
            .filter_map(|(name, value)| Some((HeaderName::from_static(name), value?)))
            .map(|(name, value)| match HeaderValue::from_str(&value) {
                Ok(value) => (name, value),
                Err(_) => panic!("{value:?} cannot be sent in the header {name}"),
            })
            .collect()
    }
}

impl From<Value> for Event {
    fn from(payload: Value) -> Self {
        Self::new(payload)
    }
}
