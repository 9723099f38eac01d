use crate::events::http_event::{HttpEvent, RequestContext};
use crate::invocation::ReplyLimit;

/// The most bytes of a reply's JSON that a load balancer takes: 1 MB, by "Lambda functions as targets".
const LOAD_BALANCER: usize = 1024 * 1024;

/// The most bytes of a message of a WebSocket API: 128 KB, by the quotas of API Gateway.
const MESSAGE: usize = 128 * 1024;

/// The service that passed a request to the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrontEnd {
    /// A REST API of API Gateway, or an HTTP API with payload version 1.0.
    RestApi,
    /// An HTTP API of API Gateway, with payload version 2.0.
    HttpApi,
    /// A WebSocket API of API Gateway.
    WebSocketApi,
    /// The function's own URL.
    FunctionUrl,
    /// An Application Load Balancer.
    LoadBalancer,
    /// A service of VPC Lattice.
    VpcLattice,
}

/// A front end and the version of its events, which decide the form of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Front {
    RestApi,
    HttpApi,
    WebSocketApi,
    FunctionUrl,
    /// With the attribute `lambda.multi_value_headers.enabled` of the target group, or without it.
    LoadBalancer {
        has_lists: bool,
    },
    /// Of version 1, whose members have other names, or of version 2.
    VpcLattice,
}

impl Front {
    /// Returns the front end that sent `event`, or `None` if it is not an HTTP request.
    pub(super) fn of(event: &HttpEvent<'_>, context: &RequestContext<'_>) -> Option<Self> {
        let is_version_2 = event.version.as_deref() == Some("2.0");
        Some(if context.elb.is_some() {
            Self::LoadBalancer { has_lists: event.multi_value_headers.is_some() }
        } else if context.connection_id.is_some() {
            Self::WebSocketApi
        } else if event.lattice_path.is_some() && event.method.is_some()
            || context.service_arn.is_some()
        {
            Self::VpcLattice
        } else if is_version_2 && context.http.is_some() {
            let domain = context.domain_name.as_deref().unwrap_or_default();
            if domain.contains(".lambda-url.") { Self::FunctionUrl } else { Self::HttpApi }
        } else if event.http_method.is_some() && event.path.is_some() {
            Self::RestApi
        } else {
            return None;
        })
    }

    /// Returns the limit of the JSON of a reply, whose body is `body` bytes of it.
    pub(in crate::http) fn reply_limit(self, body: usize) -> ReplyLimit {
        match self {
            Self::LoadBalancer { .. } => ReplyLimit { bytes: LOAD_BALANCER, of: "a load balancer" },
            // It counts the body alone.
            Self::WebSocketApi if body > MESSAGE => {
                ReplyLimit { bytes: MESSAGE, of: "a WebSocket API" }
            }
            _ => ReplyLimit::LAMBDA,
        }
    }

    /// Returns the most bytes of a body that can fit into a reply.
    pub(in crate::http) fn largest_body(self) -> usize {
        self.reply_limit(usize::MAX).bytes
    }

    pub(super) fn public(self) -> FrontEnd {
        match self {
            Self::RestApi => FrontEnd::RestApi,
            Self::HttpApi => FrontEnd::HttpApi,
            Self::WebSocketApi => FrontEnd::WebSocketApi,
            Self::FunctionUrl => FrontEnd::FunctionUrl,
            Self::LoadBalancer { .. } => FrontEnd::LoadBalancer,
            Self::VpcLattice => FrontEnd::VpcLattice,
        }
    }
}
