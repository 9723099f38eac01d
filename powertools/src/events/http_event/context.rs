use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::Text;

/// What a front end knows about a request beside the request itself, as far as it is needed here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestContext<'a> {
    #[serde(borrow)]
    pub(crate) request_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) stage: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) domain_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) route_key: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) resource_path: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) http: Option<Http<'a>>,
    #[serde(borrow)]
    pub(crate) identity: Option<Identity<'a>>,
    #[serde(borrow)]
    authorizer: Option<&'a RawValue>,
    // Of WebSocket APIs.
    #[serde(borrow)]
    pub(crate) connection_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) event_type: Option<Text<'a>>,
    // Of load balancers.
    pub(crate) elb: Option<IgnoredAny>,
    // Of version 2 of VPC Lattice.
    #[serde(borrow)]
    pub(crate) service_arn: Option<Text<'a>>,
}

/// The request, in version 2.0 of API Gateway and in function URLs.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Http<'a> {
    #[serde(borrow)]
    pub(crate) method: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) source_ip: Option<Text<'a>>,
}

/// The caller of a REST or WebSocket API, or of VPC Lattice.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Identity<'a> {
    #[serde(borrow)]
    pub(crate) source_ip: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) user_arn: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) cognito_identity_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) api_key: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) api_key_id: Option<Text<'a>>,
    /// Of VPC Lattice, if it authenticates its callers.
    #[serde(borrow)]
    pub(crate) principal: Option<Text<'a>>,
}

/// What the authorizer of an API knows about the caller.
#[derive(Debug, Default)]
pub(crate) struct Authorizer<'a> {
    pub(crate) principal_id: Option<Text<'a>>,
    /// Of a Cognito user pool in a REST API.
    pub(crate) claims: Option<Claims<'a>>,
    /// Of an HTTP API.
    pub(crate) jwt: Option<Jwt<'a>>,
    pub(crate) iam: Option<Iam<'a>>,
}

/// The same before it is read.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    #[serde(borrow)]
    principal_id: Option<&'a RawValue>,
    #[serde(borrow)]
    claims: Option<&'a RawValue>,
    #[serde(borrow)]
    jwt: Option<&'a RawValue>,
    #[serde(borrow)]
    iam: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Jwt<'a> {
    #[serde(borrow)]
    pub(crate) claims: Option<Claims<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Claims<'a> {
    #[serde(borrow)]
    pub(crate) iss: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) sub: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Iam<'a> {
    #[serde(borrow)]
    pub(crate) user_arn: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) cognito_identity: Option<CognitoIdentity<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CognitoIdentity<'a> {
    #[serde(borrow)]
    pub(crate) identity_id: Option<Text<'a>>,
}

impl<'a> RequestContext<'a> {
    /// Returns what the authorizer knows. The functions of users write parts of it, beside the principal in a
    /// REST API, so a member with another form is nothing, and the others are still read.
    pub(crate) fn authorizer(&self) -> Authorizer<'a> {
        let members: Members<'a> = read(self.authorizer).unwrap_or_default();
        Authorizer {
            principal_id: read(members.principal_id),
            claims: read(members.claims),
            jwt: read(members.jwt),
            iam: read(members.iam),
        }
    }
}

fn read<'a, T: Deserialize<'a>>(json: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(json?.get()).ok()
}
