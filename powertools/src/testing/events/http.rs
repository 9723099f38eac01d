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

/// Starts a request to an HTTP API of API Gateway (payload version 2.0). `path` is that of the event, which API Gateway
/// has decoded: `/a b` for `/a%20b`.
pub fn api_gateway_v2(method: impl Into<String>, path: impl Into<String>) -> HttpRequest {
    HttpRequest::new(Front::HttpApi, method.into(), path.into())
}

/// Starts a request to the function's own URL.
pub fn function_url(method: impl Into<String>, path: impl Into<String>) -> HttpRequest {
    HttpRequest::new(Front::FunctionUrl, method.into(), path.into())
}

/// Starts a request through an Application Load Balancer.
pub fn load_balancer(method: impl Into<String>, path: impl Into<String>) -> HttpRequest {
    HttpRequest::new(Front::LoadBalancer, method.into(), path.into())
}

/// Starts a request through VPC Lattice, in version 2 of its events.
pub fn vpc_lattice(method: impl Into<String>, path: impl Into<String>) -> HttpRequest {
    HttpRequest::new(Front::VpcLattice, method.into(), path.into())
}

/// Starts a request through VPC Lattice, in version 1 of its events. It has the values of a header with commas
/// between them, and the last value of a query parameter.
pub fn vpc_lattice_v1(method: impl Into<String>, path: impl Into<String>) -> HttpRequest {
    HttpRequest::new(Front::VpcLatticeV1, method.into(), path.into())
}

/// Starts an event of a WebSocket API of API Gateway: for the route `$connect` the request by which
/// a client connects, for `$disconnect` the end of the connection, and for any other route, such as
/// `$default`, a message.
///
/// Only the request has the headers and the query of the client, and only a message has a body.
///
/// ```
/// use powertools::testing::events;
///
/// let event = events::web_socket("$default").text("hello").build();
/// assert_eq!(event["requestContext"]["eventType"], "MESSAGE");
/// assert_eq!(event["body"], "hello");
/// ```
pub fn web_socket(route: impl Into<String>) -> HttpRequest {
    HttpRequest::new(Front::WebSocketApi, String::new(), String::new()).route(route)
}

/// An HTTP request, as the service in front of the function passes it on. Created by
/// [`api_gateway_v1`], [`api_gateway_v2`], [`function_url`], [`load_balancer`], [`vpc_lattice`],
/// [`vpc_lattice_v1`] and [`web_socket`].
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
    has_lists: bool,
    connection_id: String,
}

/// The service in front of the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Front {
    RestApi,
    HttpApi,
    FunctionUrl,
    LoadBalancer,
    VpcLattice,
    VpcLatticeV1,
    WebSocketApi,
}

impl HttpRequest {
    fn new(front: Front, method: String, path: String) -> Self {
        let host = match front {
            Front::RestApi | Front::HttpApi | Front::WebSocketApi => {
                format!("{API}.execute-api.{REGION}.amazonaws.com")
            }
            Front::FunctionUrl => format!("{API}.lambda-url.{REGION}.on.aws"),
            Front::LoadBalancer => format!("test-1.{REGION}.elb.amazonaws.com"),
            Front::VpcLattice | Front::VpcLatticeV1 => {
                format!("test-1.7d67968.vpc-lattice-svcs.{REGION}.on.aws")
            }
        };
        let mut headers = vec![
            ("Host".to_owned(), host),
            ("User-Agent".to_owned(), USER_AGENT.to_owned()),
            ("X-Forwarded-For".to_owned(), SOURCE_IP.to_owned()),
            ("X-Forwarded-Proto".to_owned(), "https".to_owned()),
        ];
        if front == Front::LoadBalancer {
            // It does not sample, so the header names the trace alone.
            let trace = identifiers::trace_id().split(';').take(1).collect();
            headers.push(("X-Amzn-Trace-Id".to_owned(), trace));
            headers.push(("X-Forwarded-Port".to_owned(), "443".to_owned()));
        }
        Self {
            front,
            method,
            path,
            resource: None,
            headers,
            query: Vec::new(),
            path_parameters: Map::new(),
            cookies: Vec::new(),
            authorizer: None,
            body: None,
            is_base64: false,
            has_lists: false,
            connection_id: identifiers::gateway_id(),
        }
    }

    /// Panics if the front end has no such thing: the event would stay without it.
    #[track_caller]
    fn check(&self, what: &str, has_it: &[Front]) {
        assert!(has_it.contains(&self.front), "{:?} has no {what}", self.front);
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

    /// Makes a load balancer send every value of each header and parameter, as it does with the
    /// attribute `lambda.multi_value_headers.enabled` of its target group; without it, it sends the
    /// last one.
    ///
    /// ```
    /// use powertools::testing::events;
    ///
    /// let request = events::load_balancer("GET", "/").query("q", "1").query("q", "2");
    /// let event = request.multi_value_headers().build();
    /// assert_eq!(event["multiValueQueryStringParameters"]["q"][1], "2");
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the request is not that of a [`load_balancer`].
    #[track_caller]
    pub fn multi_value_headers(mut self) -> Self {
        self.check("attribute for lists of values", &[Front::LoadBalancer]);
        self.has_lists = true;
        self
    }

    /// Sets the connection of a WebSocket API, which all its events name. Defaults to a new one.
    ///
    /// # Panics
    ///
    /// Panics if the event is not that of a [`web_socket`].
    #[track_caller]
    pub fn connection_id(mut self, id: impl Into<String>) -> Self {
        self.check("connection", &[Front::WebSocketApi]);
        self.connection_id = id.into();
        self
    }

    /// Sets the route that the request matched, such as `/orders/{id}`. By default the path in a
    /// REST API, and `$default` in an HTTP API.
    ///
    /// # Panics
    ///
    /// Panics for function URLs, load balancers and VPC Lattice, which have no routes.
    #[track_caller]
    pub fn route(mut self, route: impl Into<String>) -> Self {
        self.check("routes", &[Front::RestApi, Front::HttpApi, Front::WebSocketApi]);
        self.resource = Some(route.into());
        self
    }

    /// Sets a parameter that the route took from the path.
    ///
    /// # Panics
    ///
    /// Panics unless the request is that of a REST or HTTP API, since others have no such parameters.
    #[track_caller]
    pub fn path_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.check("parameters in its path", &[Front::RestApi, Front::HttpApi]);
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
    /// Panics if `authorizer` cannot be written as JSON, and for load balancers and VPC Lattice, which have no
    /// authorizers.
    #[track_caller]
    pub fn authorizer(mut self, authorizer: impl Serialize) -> Self {
        let have_it = [Front::RestApi, Front::HttpApi, Front::FunctionUrl, Front::WebSocketApi];
        self.check("authorizers", &have_it);
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
            Front::WebSocketApi => self.of_web_socket(),
            Front::LoadBalancer => return self.of_load_balancer(),
            Front::VpcLattice => return self.of_vpc_lattice(),
            Front::VpcLatticeV1 => return self.of_vpc_lattice_v1(),
        };
        if let Some(authorizer) = authorizer {
            event["requestContext"]["authorizer"] = authorizer;
        }
        event
    }

    /// Adds the cookies to the headers, for the front ends that have no list of them.
    fn join_cookies(&mut self) {
        if !self.cookies.is_empty() {
            self.headers.push(("Cookie".to_owned(), self.cookies.join("; ")));
        }
    }

    fn version_1(mut self) -> Value {
        self.join_cookies();
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
                "extendedRequestId": identifiers::gateway_id(),
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
        let query = encoded(&self.query);
        let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
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

    fn of_load_balancer(mut self) -> Value {
        self.join_cookies();
        let (headers, query) = (lower_case(&self.headers), encoded(&self.query));
        let group = format!("arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/test/1");
        let mut event = json!({
            "requestContext": { "elb": { "targetGroupArn": group } },
            "httpMethod": self.method,
            "path": self.path,
            "body": self.body.unwrap_or_default(),
            "isBase64Encoded": self.is_base64,
        });
        if self.has_lists {
            event["multiValueHeaders"] = all_values(&headers).into();
            event["multiValueQueryStringParameters"] = all_values(&query).into();
        } else {
            event["headers"] = last_values(&headers).into();
            event["queryStringParameters"] = last_values(&query).into();
        }
        event
    }

    fn of_vpc_lattice(mut self) -> Value {
        self.join_cookies();
        let arn = |id: &str| format!("arn:aws:vpc-lattice:{REGION}:{ACCOUNT}:{id}");
        json!({
            "version": "2.0",
            "path": self.path,
            "method": self.method,
            "headers": all_values(&lower_case(&self.headers)),
            "queryStringParameters": all_values(&encoded(&self.query)),
            "body": self.body,
            "isBase64Encoded": self.is_base64,
            "requestContext": {
                "serviceNetworkArn": arn("servicenetwork/sn-1"),
                "serviceArn": arn("service/svc-1"),
                "targetGroupArn": arn("targetgroup/tg-1"),
                "identity": { "sourceVpcArn": format!("arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/vpc-1") },
                "region": REGION,
                "timeEpoch": format!("{TIME_MILLIS}000"),
            },
        })
    }

    fn of_vpc_lattice_v1(mut self) -> Value {
        self.join_cookies();
        json!({
            "raw_path": self.path,
            "method": self.method,
            "headers": joined_values(&lower_case(&self.headers)),
            "query_string_parameters": last_values(&encoded(&self.query)),
            "body": self.body,
            "is_base64_encoded": self.is_base64,
        })
    }

    fn of_web_socket(mut self) -> Value {
        self.join_cookies();
        let route = self.resource.unwrap_or_default();
        let event_type = match &*route {
            "$connect" => "CONNECT",
            "$disconnect" => "DISCONNECT",
            _ => "MESSAGE",
        };
        let id = identifiers::gateway_id();
        let mut event = json!({
            "requestContext": {
                "routeKey": route,
                "eventType": event_type,
                "extendedRequestId": id,
                "requestTime": REQUEST_TIME,
                "messageDirection": "IN",
                "stage": "prod",
                "connectedAt": TIME_MILLIS,
                "requestTimeEpoch": TIME_MILLIS,
                "identity": { "sourceIp": SOURCE_IP },
                "requestId": id,
                "domainName": self.headers[0].1,
                "connectionId": self.connection_id,
                "apiId": API,
            },
            "isBase64Encoded": self.is_base64 && event_type == "MESSAGE",
        });
        match event_type {
            "CONNECT" => {
                event["headers"] = last_values(&self.headers).into();
                event["multiValueHeaders"] = all_values(&self.headers).into();
                if !self.query.is_empty() {
                    event["queryStringParameters"] = last_values(&self.query).into();
                    event["multiValueQueryStringParameters"] = all_values(&self.query).into();
                }
            }
            "DISCONNECT" => {
                let names = ["Host", "x-api-key", "X-Forwarded-For", "x-restapi"];
                let mut headers = names.map(|name| (name.to_owned(), String::new()));
                headers[0].1.clone_from(&self.headers[0].1);
                event["headers"] = last_values(&headers).into();
                event["multiValueHeaders"] = all_values(&headers).into();
                event["requestContext"]["disconnectStatusCode"] = 1000.into();
                event["requestContext"]["disconnectReason"] = "".into();
            }
            _ => {
                event["requestContext"]["messageId"] = identifiers::gateway_id().into();
                event["body"] = self.body.unwrap_or_default().into();
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

/// Returns the parameters as the client sends them in a URL.
fn encoded(query: &Pairs) -> Vec<(String, String)> {
    query
        .iter()
        .map(|(name, value)| (percent_encode(name, ""), percent_encode(value, "")))
        .collect()
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
mod tests;
