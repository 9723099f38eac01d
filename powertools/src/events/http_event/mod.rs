//! The events of everything that passes HTTP requests to a function.
//!
//! | front end | described in |
//! |---|---|
//! | REST APIs, and HTTP APIs with payload version 1.0 | "Input format of a Lambda function for proxy integration", API Gateway |
//! | HTTP APIs with payload version 2.0 | "AWS Lambda proxy integrations for HTTP APIs", API Gateway |
//! | WebSocket APIs | "Lambda proxy integration for WebSocket APIs", API Gateway |
//! | function URLs | "Request and response payloads", Lambda |
//! | load balancers | "Lambda functions as targets", Application Load Balancers |
//! | VPC Lattice, events of version 1 and 2 | "Lambda functions as targets", VPC Lattice |

mod context;
mod text;

use serde::Deserialize;
use serde_json::value::RawValue;

pub(crate) use self::context::{Authorizer, RequestContext};
pub(crate) use self::text::{Pairs, Text};

/// The members of all these events. Each front end has some of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HttpEvent<'a> {
    #[serde(borrow)]
    pub(crate) version: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) http_method: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) method: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) path: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) raw_path: Option<Text<'a>>,
    /// Of version 1 of VPC Lattice, whose members have other names.
    #[serde(borrow, rename = "raw_path")]
    pub(crate) lattice_path: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) raw_query_string: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) headers: Option<Pairs<'a>>,
    #[serde(borrow)]
    pub(crate) multi_value_headers: Option<Pairs<'a>>,
    #[serde(borrow, alias = "query_string_parameters")]
    pub(crate) query_string_parameters: Option<Pairs<'a>>,
    #[serde(borrow)]
    pub(crate) multi_value_query_string_parameters: Option<Pairs<'a>>,
    #[serde(borrow)]
    pub(crate) path_parameters: Option<Pairs<'a>>,
    #[serde(borrow)]
    pub(crate) stage_variables: Option<Pairs<'a>>,
    #[serde(borrow)]
    pub(crate) cookies: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    pub(crate) body: Option<Text<'a>>,
    #[serde(alias = "is_base64_encoded")]
    pub(crate) is_base64_encoded: Option<bool>,
    #[serde(borrow)]
    pub(crate) request_context: Option<&'a RawValue>,
}
