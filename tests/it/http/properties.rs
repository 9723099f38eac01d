//! Random requests through every front end: what a client sends is what the handler sees. What is
//! changed on the way is refused, or is seen as it then is.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::FutureExt;
use lambda_runtime::{Context, Error, FunctionResponse, LambdaEvent};
use powertools::http::{self as web, Body, Event, HttpService, Origin, Request};
use powertools::testing::events::{self, HttpRequest};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower::Service;

use super::problem;
use crate::events::properties::{change, odd};

/// Which values of a name a front end passes on.
#[derive(Clone, Copy, PartialEq)]
enum Values {
    All,
    /// The values of a header, with commas between them.
    Joined,
    Last,
}

type Start = fn(&str, &str) -> HttpRequest;

/// Each with the values of headers and of parameters.
const FRONT_ENDS: [(&str, Start, Values, Values); 7] = [
    ("RestApi", |method, path| events::api_gateway_v1(method, path), Values::All, Values::All),
    ("HttpApi", |method, path| events::api_gateway_v2(method, path), Values::Joined, Values::All),
    ("FunctionUrl", |method, path| events::function_url(method, path), Values::Joined, Values::All),
    (
        "LoadBalancer",
        |method, path| events::load_balancer(method, path),
        Values::Last,
        Values::Last,
    ),
    (
        "LoadBalancer",
        |method, path| events::load_balancer(method, path).multi_value_headers(),
        Values::All,
        Values::All,
    ),
    ("VpcLattice", |method, path| events::vpc_lattice(method, path), Values::All, Values::All),
    (
        "VpcLattice",
        |method, path| events::vpc_lattice_v1(method, path),
        Values::Joined,
        Values::Last,
    ),
];

/// Values by their names.
type Pairs = BTreeMap<String, Vec<String>>;

/// Parameters by their names, decoded.
type Parameters = BTreeMap<Vec<u8>, Vec<Vec<u8>>>;

/// What a client sends. The names of its headers are in lower case.
#[derive(Clone, Debug)]
struct Sent {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: Pairs,
    has_capitals: bool,
    cookies: Vec<String>,
    body: Option<Result<String, Vec<u8>>>,
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..8).prop_map(String::from_iter)
}

fn sent() -> impl Strategy<Value = Sent> {
    let method = prop_oneof![
        prop::sample::select(vec!["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
            .prop_map(str::to_owned),
        "[A-Z-]{1,8}",
    ];
    // Some front ends decode the path. What a client sends in the place of a question mark is `%3F`.
    let path = prop_oneof![
        "(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2}){0,6}){1,3}",
        text().prop_map(|text| format!("/{}", text.replace('?', ""))),
    ];
    let query = prop::collection::vec((text(), text()), 0..4);
    let value = "[\t -~\u{80}-\u{10ffff}]{0,8}";
    let headers = prop::collection::btree_map(
        "x-t[a-z0-9!#$%&'*+.^_`|~-]{0,4}",
        prop::collection::vec(value, 1..4),
        0..4,
    );
    let cookies = prop::collection::vec("[a-z]=[a-z0-9]{0,4}", 0..3);
    let body = prop::option::of(prop_oneof![
        text().prop_map(Ok),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Err),
    ]);
    (method, path, query, headers, any::<bool>(), cookies, body).prop_map(
        |(method, path, query, headers, has_capitals, cookies, body)| Sent {
            method,
            path,
            query,
            headers,
            has_capitals,
            cookies,
            body,
        },
    )
}

impl Sent {
    /// The event of the request, whose start is made by the function of a front end.
    fn event(&self, mut request: HttpRequest) -> Value {
        for (name, value) in &self.query {
            request = request.query(name, value);
        }
        for (name, values) in &self.headers {
            let name = if self.has_capitals { name.to_uppercase() } else { name.clone() };
            request = values.iter().fold(request, |request, value| request.header(&name, value));
        }
        request = self.cookies.iter().fold(request, |request, cookie| request.cookie(cookie));
        let request = match &self.body {
            Some(Ok(text)) => request.text(text),
            Some(Err(bytes)) => request.bytes(bytes),
            None => request,
        };
        request.build()
    }

    fn headers(&self, values: Values) -> Pairs {
        let passed = |list: &Vec<String>| match values {
            Values::All => list.clone(),
            Values::Joined => vec![list.join(",")],
            Values::Last => list[list.len() - 1..].to_vec(),
        };
        let mut headers: Pairs =
            self.headers.iter().map(|(name, list)| (name.clone(), passed(list))).collect();
        if !self.cookies.is_empty() {
            headers.insert("cookie".to_owned(), vec![self.cookies.join("; ")]);
        }
        headers
    }

    fn parameters(&self, values: Values) -> Parameters {
        let mut parameters = Parameters::new();
        for (name, value) in &self.query {
            let list = parameters.entry(name.clone().into_bytes()).or_default();
            if values == Values::Last {
                list.clear();
            }
            list.push(value.clone().into_bytes());
        }
        parameters
    }

    /// The bytes of the body, and whether it is text.
    fn body(&self) -> (Vec<u8>, bool) {
        match &self.body {
            Some(Ok(text)) => (text.clone().into_bytes(), !text.is_empty()),
            Some(Err(bytes)) => (bytes.clone(), false),
            None => (Vec::new(), false),
        }
    }
}

/// What a handler sees.
#[derive(Debug, serde::Deserialize)]
struct Seen {
    front_end: String,
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    is_text: bool,
}

async fn echo(request: Request) -> Result<Value, Error> {
    let headers: Vec<_> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), std::str::from_utf8(value.as_bytes()).unwrap()))
        .collect();
    let origin = request.extensions().get::<Origin>().unwrap();
    assert_eq!(origin.path(), request.uri().path());
    Ok(json!({
        "front_end": format!("{:?}", origin.front_end()),
        "method": request.method().as_str(),
        "path": request.uri().path(),
        "query": request.uri().query().unwrap_or_default(),
        "headers": headers,
        "body": request.body().as_ref(),
        "is_text": matches!(request.body(), Body::Text(_)),
    }))
}

impl Seen {
    /// What a handler sees of the event; `None` if it cannot be read, or is answered with 400.
    fn of(event: &Value) -> Option<Self> {
        let event = serde_json::from_str::<Event>(&event.to_string()).ok()?;
        let mut service = HttpService::new(web::handler(echo));
        let reply = service.call(LambdaEvent::new(event, Context::default()));
        let FunctionResponse::BufferedResponse(reply) = reply.now_or_never().unwrap().unwrap()
        else {
            panic!("it is not streamed")
        };
        let reply = serde_json::to_value(reply).unwrap();
        if reply["statusCode"] == 400 {
            problem(&reply);
            return None;
        }
        assert_eq!(reply["statusCode"], 200, "{reply}");
        Some(serde_json::from_str(reply["body"].as_str().unwrap()).unwrap())
    }

    fn headers(&self) -> Pairs {
        let mut headers = Pairs::new();
        for (name, value) in &self.headers {
            headers.entry(name.clone()).or_default().push(value.clone());
        }
        headers
    }

    /// The headers without those that every event has.
    fn headers_of_client(&self) -> Pairs {
        let mut headers = self.headers();
        headers.retain(|name, _| name.starts_with("x-t") || name == "cookie");
        headers
    }
}

/// Reads a query as it is in a URL.
fn parameters(query: &str) -> Parameters {
    let mut parameters = Parameters::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        parameters.entry(decoded(name)).or_default().push(decoded(value));
    }
    parameters
}

/// Decodes what is encoded in a URL.
fn decoded(text: &str) -> Vec<u8> {
    let mut rest = text.as_bytes();
    let mut bytes = Vec::new();
    while let [first, after @ ..] = rest {
        let code = after.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let code = code.filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

/// The path that an event has, decoded. An HTTP API has decoded it before.
fn path_of(path: &str, front_end: &str) -> Vec<u8> {
    if front_end == "HttpApi" { path.as_bytes().to_vec() } else { decoded(path) }
}

fn is_valid_in_a_url(path: &str) -> bool {
    path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/%._~!$&'()*+,;=:@-".contains(&byte))
}

proptest! {
    #[test]
    fn requests_survive(sent in sent()) {
        for (front_end, start, of_headers, of_parameters) in FRONT_ENDS {
            let event = sent.event(start(&sent.method, &sent.path));
            let Some(seen) = Seen::of(&event) else {
                return Err(TestCaseError::fail(format!("{front_end}: {event} is refused")));
            };
            prop_assert_eq!(&seen.front_end, front_end);
            prop_assert_eq!(&seen.method, &sent.method);
            prop_assert_eq!(decoded(&seen.path), path_of(&sent.path, front_end), "{}", front_end);
            let is_decoded = front_end == "HttpApi" && sent.path.contains('%');
            if is_valid_in_a_url(&sent.path) && !is_decoded {
                prop_assert_eq!(&seen.path, &sent.path, "{}", front_end);
            }
            prop_assert_eq!(parameters(&seen.query), sent.parameters(of_parameters), "{}", front_end);
            prop_assert_eq!(seen.headers_of_client(), sent.headers(of_headers), "{}", front_end);
            prop_assert_eq!((seen.body, seen.is_text), sent.body(), "{}", front_end);
        }
    }

    #[test]
    fn events_of_a_web_socket_survive(sent in sent(), route in text()) {
        for route in ["$connect", "$disconnect", &route] {
            let Some(seen) = Seen::of(&sent.event(events::web_socket(route))) else {
                return Err(TestCaseError::fail(format!("{route} is refused")));
            };
            let is_connect = route == "$connect";
            let is_message = !is_connect && route != "$disconnect";
            prop_assert_eq!(&seen.front_end, "WebSocketApi");
            prop_assert_eq!(&seen.method, if is_connect { "GET" } else { "POST" });
            prop_assert_eq!(decoded(&seen.path), decoded(&format!("/{route}")));
            let (query, headers) = if is_connect {
                (sent.parameters(Values::All), sent.headers(Values::All))
            } else {
                Default::default()
            };
            prop_assert_eq!(parameters(&seen.query), query);
            prop_assert_eq!(seen.headers_of_client(), headers);
            if is_message {
                prop_assert_eq!((seen.body, seen.is_text), sent.body());
            } else {
                prop_assert!(seen.body.is_empty());
            }
        }
    }
}

/// The text of a string, a number or a boolean.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) => Some(value.to_string()),
        Value::Number(number) if number.is_f64() => Some(number.as_f64()?.to_string()),
        Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

/// The values of a map of an event: texts, or lists of them.
fn pairs(map: &Value) -> Pairs {
    let values = |value: &Value| match value {
        Value::Array(list) => list.iter().filter_map(scalar).collect(),
        value => Vec::from_iter(scalar(value)),
    };
    let members = map.as_object().into_iter().flatten();
    members
        .map(|(name, value)| (name.clone(), values(value)))
        .filter(|(_, values)| !values.is_empty())
        .collect()
}

/// The headers that an event has: its lists, the other single values, and its cookies.
fn headers_of(event: &Value) -> Pairs {
    let lower = |pairs: Pairs| -> Pairs {
        pairs.into_iter().map(|(name, values)| (name.to_lowercase(), values)).collect()
    };
    let mut headers = lower(pairs(&event["headers"]));
    headers.extend(lower(pairs(&event["multiValueHeaders"])));
    let cookies: Vec<_> =
        event["cookies"].as_array().into_iter().flatten().filter_map(scalar).collect();
    if !cookies.is_empty() {
        headers.entry("cookie".to_owned()).or_insert(vec![cookies.join("; ")]);
    }
    headers
}

/// The parameters that an event has.
fn parameters_of(event: &Value, front_end: &str) -> Parameters {
    if ["HttpApi", "FunctionUrl"].contains(&front_end) {
        return parameters(&scalar(&event["rawQueryString"]).unwrap_or_default());
    }
    let mut query = pairs(&event["multiValueQueryStringParameters"]);
    if query.is_empty() {
        // VPC Lattice has other names in version 1.
        let names = ["queryStringParameters", "query_string_parameters"];
        query = names.iter().flat_map(|name| pairs(&event[name])).collect();
    }
    // API Gateway has decoded it.
    let is_decoded = ["RestApi", "WebSocketApi"].contains(&front_end);
    let bytes = |text: &String| if is_decoded { text.clone().into_bytes() } else { decoded(text) };
    query.iter().map(|(name, values)| (bytes(name), values.iter().map(bytes).collect())).collect()
}

/// The method and the path that an event has.
fn target_of(event: &Value, front_end: &str) -> (Option<String>, String) {
    let context = &event["requestContext"];
    if front_end == "WebSocketApi" {
        let method = if context["eventType"] == "CONNECT" { "GET" } else { "POST" };
        let route = scalar(&context["routeKey"]).unwrap_or_default();
        return (Some(method.to_owned()), format!("/{route}"));
    }
    let methods = [&context["http"]["method"], &event["httpMethod"], &event["method"]];
    let is_version_2 = ["HttpApi", "FunctionUrl"].contains(&front_end);
    let paths = if is_version_2 { &["rawPath"][..] } else { &["path", "raw_path"] };
    let path = paths.iter().find_map(|name| scalar(&event[name])).unwrap_or_default();
    let path = if path.starts_with('/') { path } else { format!("/{path}") };
    (methods.into_iter().find_map(scalar), path)
}

/// The body that an event has, and whether it is text.
fn body_of(event: &Value) -> (Vec<u8>, bool) {
    let body = scalar(&event["body"]).unwrap_or_default();
    match event["isBase64Encoded"] == true || event["is_base64_encoded"] == true {
        true => (BASE64_STANDARD.decode(body).unwrap(), false),
        false => (body.clone().into_bytes(), !body.is_empty()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_changed_request_is_refused_or_read_as_it_is(
        sent in sent(),
        places in prop::collection::vec((prop::bool::weighted(0.06), odd()), 60),
    ) {
        // The stage `x` of a changed event would be taken for the start of a path.
        let path = format!("/p{}", sent.path);
        let requests = FRONT_ENDS.iter().map(|(_, start, ..)| start(&sent.method, &path));
        let sockets = ["$connect", "$disconnect", "send"].map(events::web_socket);
        for request in requests.chain(sockets) {
            let mut event = sent.event(request);
            change(&mut event, &mut places.clone().into_iter());
            let Some(seen) = Seen::of(&event) else { continue };
            let (method, path) = target_of(&event, &seen.front_end);
            prop_assert_eq!(Some(&seen.method), method.as_ref(), "{}", event);
            prop_assert_eq!(decoded(&seen.path), path_of(&path, &seen.front_end), "{}", event);
            let parameters_seen = parameters(&seen.query);
            prop_assert_eq!(parameters_seen, parameters_of(&event, &seen.front_end), "{}", event);
            prop_assert_eq!(seen.headers(), headers_of(&event), "{}", event);
            prop_assert_eq!((seen.body, seen.is_text), body_of(&event), "{}", event);
        }
    }
}
