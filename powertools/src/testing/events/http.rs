#[cfg(feature = "http")]
use base64::Engine as _;
#[cfg(feature = "http")]
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{TIME_MILLIS, base64, percent_encode};
use crate::testing::identifiers::{self, ACCOUNT, REGION};

const API: &str = "a1b2c3d4e5";
const SOURCE_IP: &str = "192.0.2.1";
const USER_AGENT: &str = "test/1.0";
const REQUEST_TIME: &str = "01/Jan/2026:00:00:00 +0000";

/// Starts a request to a REST API of API Gateway (payload version 1.0).
pub fn api_gateway_v1(method: impl Into<String>, path: impl Into<String>) -> HttpRequest {
    HttpRequest::new(Front::RestApi, method.into(), path.into())
}

/// Starts a request to an HTTP API of API Gateway (payload version 2.0).
pub fn api_gateway_v2(method: impl Into<String>, path: impl Into<String>) -> HttpRequest {
    HttpRequest::new(Front::HttpApi, method.into(), path.into())
}

/// Starts a request to the function's own URL.
pub fn function_url(method: impl Into<String>, path: impl Into<String>) -> HttpRequest {
    HttpRequest::new(Front::FunctionUrl, method.into(), path.into())
}

/// An HTTP request, as the service in front of the function passes it on. Created by
/// [`api_gateway_v1`], [`api_gateway_v2`] and [`function_url`].
///
/// ```
/// use powertools::testing::events;
/// use serde_json::json;
///
/// let event = events::api_gateway_v2("POST", "/orders")
///     .header("Idempotency-Key", "k-1")
///     .query("dry_run", "true")
///     .json(json!({ "order": 7 }))
///     .build();
///
/// assert_eq!(event["headers"]["idempotency-key"], "k-1");
/// assert_eq!(event["rawQueryString"], "dry_run=true");
/// assert_eq!(event["body"], r#"{"order":7}"#);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct HttpRequest {
    front: Front,
    method: String,
    path: String,
    resource: Option<String>,
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
    path_parameters: Map<String, Value>,
    cookies: Vec<String>,
    authorizer: Option<Value>,
    body: Option<String>,
    is_base64: bool,
}

/// The service in front of the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Front {
    RestApi,
    HttpApi,
    FunctionUrl,
}

impl HttpRequest {
    fn new(front: Front, method: String, path: String) -> Self {
        let host = match front {
            Front::RestApi | Front::HttpApi => format!("{API}.execute-api.{REGION}.amazonaws.com"),
            Front::FunctionUrl => format!("{API}.lambda-url.{REGION}.on.aws"),
        };
        Self {
            front,
            method,
            path,
            resource: None,
            headers: vec![
                ("Host".to_owned(), host),
                ("User-Agent".to_owned(), USER_AGENT.to_owned()),
                ("X-Forwarded-For".to_owned(), SOURCE_IP.to_owned()),
                ("X-Forwarded-Proto".to_owned(), "https".to_owned()),
            ],
            query: Vec::new(),
            path_parameters: Map::new(),
            cookies: Vec::new(),
            authorizer: None,
            body: None,
            is_base64: false,
        }
    }

    /// Adds a header. One that is added twice has both values.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds a query parameter, not encoded. One that is added twice has both values.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Sets the route that the request matched, such as `/orders/{id}`. By default the path in a
    /// REST API, and `$default` in an HTTP API; a function URL has none.
    pub fn route(mut self, route: impl Into<String>) -> Self {
        self.resource = Some(route.into());
        self
    }

    /// Sets a parameter that the route took from the path.
    pub fn path_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.path_parameters.insert(name.into(), value.into().into());
        self
    }

    /// Adds a cookie: `name=value`.
    pub fn cookie(mut self, cookie: impl Into<String>) -> Self {
        self.cookies.push(cookie.into());
        self
    }

    /// Sets what the authorizer of the route returned: `requestContext.authorizer`.
    ///
    /// ```
    /// use powertools::testing::events;
    /// use serde_json::json;
    ///
    /// let jwt = json!({ "jwt": { "claims": { "iss": "https://id.example", "sub": "ada" } } });
    /// let event = events::api_gateway_v2("GET", "/orders").authorizer(jwt).build();
    /// assert_eq!(event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"], "ada");
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if `authorizer` cannot be written as JSON.
    pub fn authorizer(mut self, authorizer: impl Serialize) -> Self {
        let authorizer = serde_json::to_value(authorizer);
        self.authorizer = Some(authorizer.expect("the authorizer can be written as JSON"));
        self
    }

    /// Signs the body as the sender of a webhook does, now and with its first secret. Set the body before.
    ///
    /// ```
    /// use powertools::http::Webhook;
    /// use powertools::testing::events;
    /// use serde_json::json;
    ///
    /// # fn main() -> Result<(), powertools::http::SignatureError> {
    /// let github = Webhook::github("secret")?;
    /// let event = events::function_url("POST", "/hook").json(json!({})).signed_by(&github).build();
    /// let signature = event["headers"]["x-hub-signature-256"].as_str();
    /// assert!(signature.is_some_and(|signature| signature.starts_with("sha256=")));
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "http")]
    pub fn signed_by(mut self, webhook: &crate::http::Webhook) -> Self {
        let body = self.body.as_deref().unwrap_or_default();
        let body = match self.is_base64 {
            // It was encoded here.
            true => BASE64_STANDARD.decode(body).unwrap_or_default(),
            false => body.as_bytes().to_vec(),
        };
        self.headers.extend(webhook.sign(&body));
        self
    }

    /// Sets a JSON body, and its content type.
    ///
    /// # Panics
    ///
    /// Panics if `body` cannot be written as JSON, such as a map whose keys are not strings.
    pub fn json(self, body: impl Serialize) -> Self {
        let body = serde_json::to_string(&body).expect("the body can be written as JSON");
        self.header("Content-Type", "application/json").text(body)
    }

    /// Sets the body as text.
    pub fn text(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self.is_base64 = false;
        self
    }

    /// Sets the body as bytes, which arrive in base64.
    pub fn bytes(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = Some(base64(body));
        self.is_base64 = true;
        self
    }

    /// Creates the event.
    #[must_use]
    pub fn build(mut self) -> Value {
        let authorizer = self.authorizer.take();
        let mut event = match self.front {
            Front::RestApi => self.version_1(),
            Front::HttpApi | Front::FunctionUrl => self.version_2(),
        };
        if let Some(authorizer) = authorizer {
            event["requestContext"]["authorizer"] = authorizer;
        }
        event
    }

    fn version_1(mut self) -> Value {
        if !self.cookies.is_empty() {
            self.headers.push(("Cookie".to_owned(), self.cookies.join("; ")));
        }
        let resource = self.resource.as_ref().unwrap_or(&self.path);
        json!({
            "resource": resource,
            "path": self.path,
            "httpMethod": self.method,
            "headers": last_values(&self.headers),
            "multiValueHeaders": all_values(&self.headers),
            "queryStringParameters": some(last_values(&self.query)),
            "multiValueQueryStringParameters": some(all_values(&self.query)),
            "pathParameters": some(self.path_parameters),
            "stageVariables": null,
            "requestContext": {
                "accountId": ACCOUNT,
                "apiId": API,
                "domainName": self.headers[0].1,
                "domainPrefix": API,
                "extendedRequestId": format!("{:012x}=", identifiers::next()),
                "httpMethod": self.method,
                "identity": {
                    "accessKey": null,
                    "accountId": null,
                    "caller": null,
                    "cognitoAuthenticationProvider": null,
                    "cognitoAuthenticationType": null,
                    "cognitoIdentityId": null,
                    "cognitoIdentityPoolId": null,
                    "sourceIp": SOURCE_IP,
                    "user": null,
                    "userAgent": USER_AGENT,
                    "userArn": null,
                },
                "path": format!("/prod{}", self.path),
                "protocol": "HTTP/1.1",
                "requestId": identifiers::request_id(),
                "requestTime": REQUEST_TIME,
                "requestTimeEpoch": TIME_MILLIS,
                "resourceId": "r1s2t3",
                "resourcePath": resource,
                "stage": "prod",
            },
            "body": self.body,
            "isBase64Encoded": self.is_base64,
        })
    }

    fn version_2(self) -> Value {
        let route = match (self.front, &self.resource) {
            (Front::HttpApi, Some(route)) => format!("{} {route}", self.method),
            _ => "$default".to_owned(),
        };
        let account = if self.front == Front::HttpApi { ACCOUNT } else { "anonymous" };
        let query: Vec<_> = self
            .query
            .iter()
            .map(|(name, value)| {
                format!("{}={}", percent_encode(name, ""), percent_encode(value, ""))
            })
            .collect();
        let mut event = json!({
            "version": "2.0",
            "routeKey": route,
            "rawPath": self.path,
            "rawQueryString": query.join("&"),
            "headers": joined_values(&lower_case(&self.headers)),
            "requestContext": {
                "accountId": account,
                "apiId": API,
                "domainName": self.headers[0].1,
                "domainPrefix": API,
                "http": {
                    "method": self.method,
                    "path": self.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": SOURCE_IP,
                    "userAgent": USER_AGENT,
                },
                "requestId": identifiers::request_id(),
                "routeKey": route,
                "stage": "$default",
                "time": REQUEST_TIME,
                "timeEpoch": TIME_MILLIS,
            },
            "isBase64Encoded": self.is_base64,
        });
        // What a request does not have is not there at all.
        let optional = [
            ("cookies", (!self.cookies.is_empty()).then(|| self.cookies.into())),
            ("queryStringParameters", some(joined_values(&self.query))),
            ("pathParameters", some(self.path_parameters)),
            ("body", self.body.map(Value::from)),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                event[name] = value;
            }
        }
        event
    }
}

type Pairs = [(String, String)];

fn some(values: Map<String, Value>) -> Option<Value> {
    (!values.is_empty()).then(|| values.into())
}

fn lower_case(headers: &Pairs) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect()
}

fn last_values(pairs: &Pairs) -> Map<String, Value> {
    pairs.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect()
}

fn all_values(pairs: &Pairs) -> Map<String, Value> {
    let mut values = Map::new();
    for (name, value) in pairs {
        let list = values.entry(name).or_insert_with(|| json!([]));
        list.as_array_mut().expect("it was made as a list").push(value.as_str().into());
    }
    values
}

fn joined_values(pairs: &Pairs) -> Map<String, Value> {
    let mut values = Map::new();
    for (name, value) in pairs {
        let joined = match values.get(name).and_then(Value::as_str) {
            Some(others) => format!("{others},{value}"),
            None => value.clone(),
        };
        values.insert(name.clone(), joined.into());
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_keeps_every_value_beside_the_last() {
        let event = api_gateway_v1("GET", "/")
            .header("X-A", "1")
            .header("X-A", "2")
            .query("q", "ä")
            .build();
        assert_eq!(event["headers"]["X-A"], "2");
        assert_eq!(event["multiValueHeaders"]["X-A"], json!(["1", "2"]));
        assert_eq!(event["multiValueQueryStringParameters"], json!({ "q": ["ä"] }));
        assert_eq!(event["body"], Value::Null);
        assert_eq!(event["pathParameters"], Value::Null);
    }

    #[test]
    fn version_2_joins_values_and_omits_absent_members() {
        let event = api_gateway_v2("GET", "/orders/7")
            .route("/orders/{id}")
            .path_parameter("id", "7")
            .header("X-A", "1")
            .header("x-a", "2")
            .query("q", "a b")
            .query("q", "ä")
            .build();
        assert_eq!(event["headers"]["x-a"], "1,2");
        assert_eq!(event["queryStringParameters"]["q"], "a b,ä");
        assert_eq!(event["rawQueryString"], "q=a%20b&q=%C3%A4");
        assert_eq!(event["routeKey"], "GET /orders/{id}");
        assert_eq!(event["pathParameters"]["id"], "7");
        assert!(event.get("body").is_none());
        assert!(event.get("cookies").is_none());
    }

    #[test]
    fn bytes_arrive_in_base64() {
        let event = function_url("PUT", "/").bytes([0xff, 0x00]).build();
        assert_eq!(event["body"], "/wA=");
        assert_eq!(event["isBase64Encoded"], true);
        assert_eq!(event["requestContext"]["accountId"], "anonymous");
    }
}
