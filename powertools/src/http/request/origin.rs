use std::net::IpAddr;

use super::FrontEnd;

/// What the front end knows about a request, in the request's extensions.
///
/// ```
/// use powertools::http::{Origin, Request};
///
/// async fn whoami(request: Request) -> Result<String, lambda_runtime::Error> {
///     let origin = request.extensions().get::<Origin>().ok_or("not from a front end")?;
///     Ok(origin.caller().unwrap_or("anonymous").to_owned())
/// }
/// # let _ = whoami;
/// ```
///
/// In axum it is the extractor `Extension<Origin>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub(super) front_end: FrontEnd,
    pub(super) path: String,
    pub(super) stage: Option<String>,
    pub(super) route: Option<String>,
    pub(super) source_ip: Option<IpAddr>,
    pub(super) caller: Option<String>,
    pub(super) request_id: Option<String>,
}

impl Origin {
    /// Returns the service that passed the request to the function.
    #[must_use]
    pub fn front_end(&self) -> FrontEnd {
        self.front_end
    }

    /// Returns the path of the request, as the client sent it and without the stage. A nested router
    /// removes its prefix from the path of the request, and not from this one.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the stage of the API; `None` for `$default`, and where there are no stages.
    #[must_use]
    pub fn stage(&self) -> Option<&str> {
        self.stage.as_deref()
    }

    /// Returns the route that the API selected: `/orders/{id}` of a REST API, `GET /orders/{id}` of an
    /// HTTP API, `sendmessage` of a WebSocket API.
    #[must_use]
    pub fn route(&self) -> Option<&str> {
        self.route.as_deref()
    }

    /// Returns the address of the client that connected to the front end.
    ///
    /// It is what the front end reports, or behind a load balancer and in VPC Lattice, which report
    /// none, the last address in `X-Forwarded-For`, which these add. Clients can write the others, and
    /// all of them if the attribute `routing.http.xff_header_processing.mode` of the load balancer is
    /// `preserve`. Behind CloudFront it is the address of CloudFront.
    #[must_use]
    pub fn source_ip(&self) -> Option<IpAddr> {
        self.source_ip
    }

    /// Returns who sent the request, if the front end has verified that:
    ///
    /// | verified by | the caller |
    /// |---|---|
    /// | a JWT authorizer, or a Cognito user pool | `jwt:<issuer>#<subject>` |
    /// | a Lambda authorizer that returns a `principalId` (REST and WebSocket APIs) | `principal:<id>` |
    /// | an identity of a Cognito identity pool | `cognito:<identity id>` |
    /// | IAM | `iam:<ARN>`; of an assumed role with the name of the session |
    /// | an API key | `api-key:<id>`; without an id `api-key-sha256:<hash>` |
    ///
    /// The first that applies. A load balancer verifies no caller in a way that the function could
    /// check without reading a signature.
    #[must_use]
    pub fn caller(&self) -> Option<&str> {
        self.caller.as_deref()
    }

    /// Returns the id that the front end gave to the request. It is not that of the
    /// [invocation](crate::Invocation::request_id).
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}
