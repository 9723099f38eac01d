//! The places of correlation ids in events.
//!
//! They are JSON pointers (RFC 6901), for
//! [`Logging::correlation_id`](super::Logging::correlation_id).
//!
//! The log events of a subscription of CloudWatch Logs are compressed, so that no place leads to them.
//! [`Logging::correlation_id_by`](super::Logging::correlation_id_by) reads the event for the id of the
//! first one:
//!
//! ```
//! # #[cfg(feature = "events")]
//! # fn logging() -> powertools::logging::Logging {
//! use powertools::events::CloudWatchLogsEvent;
//! use powertools::logging::Logging;
//!
//! Logging::new().correlation_id_by(|event: CloudWatchLogsEvent| {
//!     event.logs.events.into_iter().next()?.id
//! })
//! # }
//! ```

#[cfg(feature = "jmespath")]
mod jmespath;

use std::fmt;

use serde::de::DeserializeOwned;

use super::Error;
use crate::json::Pointer;

/// REST APIs of API Gateway.
pub const API_GATEWAY_REST: &str = "/requestContext/requestId";
/// HTTP APIs of API Gateway.
pub const API_GATEWAY_HTTP: &str = "/requestContext/requestId";
/// Function URLs.
pub const LAMBDA_FUNCTION_URL: &str = "/requestContext/requestId";
/// Application load balancers.
pub const APPLICATION_LOAD_BALANCER: &str = "/headers/x-amzn-trace-id";
/// Resolvers of AppSync.
pub const APPSYNC_RESOLVER: &str = "/request/headers/x-amzn-trace-id";
/// Resolvers of AppSync that receive a list of events.
pub const APPSYNC_BATCH_RESOLVER: &str = "/0/request/headers/x-amzn-trace-id";
/// Channels of AppSync Events.
pub const APPSYNC_EVENTS: &str = "/request/headers/x-amzn-trace-id";
/// Authorizers of AppSync.
pub const APPSYNC_AUTHORIZER: &str = "/requestContext/requestId";
/// WebSocket APIs of API Gateway.
pub const API_GATEWAY_WEBSOCKET: &str = "/requestContext/requestId";
/// Custom resources of CloudFormation.
pub const CLOUDFORMATION: &str = "/RequestId";
/// Transformations of Firehose.
pub const FIREHOSE: &str = "/invocationId";
/// Notifications of S3.
pub const S3: &str = "/Records/0/responseElements/x-amz-request-id";
/// Tasks of S3 Batch Operations.
pub const S3_BATCH: &str = "/invocationId";
/// Notifications of SNS.
pub const SNS: &str = "/Records/0/Sns/MessageId";
/// Events of EventBridge.
pub const EVENT_BRIDGE: &str = "/id";
/// VPC Lattice.
pub const VPC_LATTICE: &str = "/headers/x-amzn-trace-id";
/// VPC Lattice, in version 2 of its events, whose headers are lists.
pub const VPC_LATTICE_V2: &str = "/headers/x-amzn-trace-id/0";
/// Application load balancers whose target group has multi-value headers.
pub const APPLICATION_LOAD_BALANCER_MULTI_VALUE: &str = "/multiValueHeaders/x-amzn-trace-id/0";
/// Agents of Bedrock: the session.
pub const BEDROCK_AGENT: &str = "/sessionId";
/// Schedules of EventBridge Scheduler without an input: the id of the event. It identifies the delivery and
/// not the run: a further attempt may have another one, so it is no key of the work; that is the
/// [natural key](crate::events::natural). Where the target has an input, the id is where the input has the
/// execution id, such as `/schedule/execution_id`, which is new for each attempt, too.
pub const SCHEDULER: &str = "/id";
/// S3 Object Lambda.
pub const S3_OBJECT_LAMBDA: &str = "/xAmzRequestId";

type Find = dyn Fn(&[u8]) -> Option<String> + Send + Sync;

/// The place of the correlation id in an event: a JSON pointer (RFC 6901) such as `/detail/id`,
/// or a `JmesPath` with the feature `jmespath`.
///
/// Strings, numbers and booleans are correlation ids; numbers keep their digits.
pub struct Source(Result<Kind, Error>);

enum Kind {
    Pointer(Pointer),
    Function(Box<Find>),
}

impl Source {
    pub(super) fn by<T: DeserializeOwned>(
        find: impl Fn(T) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self::function(move |event| find(serde_json::from_slice(event).ok()?))
    }

    fn function(find: impl Fn(&[u8]) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Ok(Kind::Function(Box::new(find))))
    }

    /// Returns an error if it was created from an invalid pointer.
    pub(super) fn checked(self) -> Result<Self, Error> {
        Ok(Self(Ok(self.0?)))
    }

    pub(super) fn find(&self, event: &[u8]) -> Option<String> {
        match self.0.as_ref().ok()? {
            Kind::Pointer(pointer) => pointer.find(event),
            Kind::Function(find) => find(event),
        }
    }
}

impl From<&str> for Source {
    fn from(pointer: &str) -> Self {
        // The empty pointer is the whole event, which is not an id.
        let parsed = Some(pointer).filter(|pointer| !pointer.is_empty()).and_then(Pointer::parse);
        Self(parsed.map(Kind::Pointer).ok_or_else(|| {
            let reason = "a JSON pointer has a slash before each name, such as /a/b-c/0/d";
            Error::setting("correlation_id", pointer, reason)
        }))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(Kind::Pointer(pointer)) => pointer.fmt(f),
            Ok(Kind::Function(_)) => f.write_str("a function"),
            Err(error) => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_values_of_the_known_paths() {
        let event = r#"{"requestContext":{"other":[1],"requestId":"a"},"id":"b","headers":
            {"x-amzn-trace-id":"Root=c"},"request":{"headers":{"x-amzn-trace-id":"d"}}}"#;
        assert_eq!(found(API_GATEWAY_REST, event).as_deref(), Some("a"));
        assert_eq!(found(EVENT_BRIDGE, event).as_deref(), Some("b"));
        assert_eq!(found(APPLICATION_LOAD_BALANCER, event).as_deref(), Some("Root=c"));
        assert_eq!(found(APPSYNC_RESOLVER, event).as_deref(), Some("d"));
        assert_eq!(found(S3_OBJECT_LAMBDA, event), None);
    }

    #[test]
    fn goes_by_position_and_takes_any_scalar() {
        const END: &str = "/Records/18446744073709551615";
        let event = r#"{"Records":[{"a":1},{"a":-2},{"a":true},{"a":null},{"a":{}}],"x":[]}"#;
        assert_eq!(found("/Records/0/a", event).as_deref(), Some("1"));
        assert_eq!(found("/Records/1/a", event).as_deref(), Some("-2"));
        assert_eq!(found("/Records/2/a", event).as_deref(), Some("true"));
        for path in
            ["/Records/3/a", "/Records/4/a", "/Records/9/a", "/x/0", "/Records/a", "/a/0", END]
        {
            assert_eq!(found(path, event), None, "{path}");
        }
        assert_eq!(found("/1", "[1,2,3]").as_deref(), Some("2"));
        assert_eq!(found("/a", "no json"), None);
    }

    #[test]
    fn an_id_keeps_the_digits_of_its_number() {
        let event = r#"{"a/b":{"~":[12345678901234567890123,1.10]},"s":"\u00e9"}"#;
        assert_eq!(found("/a~1b/~0/0", event).as_deref(), Some("12345678901234567890123"));
        assert_eq!(found("/a~1b/~0/1", event).as_deref(), Some("1.10"));
        assert_eq!(found("/s", event).as_deref(), Some("é"));
        assert_eq!(found("/a~1b/~0/01", event), None);
    }

    #[test]
    fn an_invalid_path_is_an_error_at_start() {
        for path in ["", ".", "a.", "a..b", "a[", "a[x]", "a-b", "a\"b\"", "\"a", "a[*]"] {
            assert!(Source::from(path).checked().is_err(), "{path}");
        }
    }

    fn found(path: &str, event: &str) -> Option<String> {
        Source::from(path).checked().unwrap().find(event.as_bytes())
    }
}
