//! Events that other published packages ship for their own tests.
//!
//! They are read from the packages themselves, where Cargo has unpacked them: `lambda_http`, and
//! `aws_lambda_events`, whose events are those of the Go package of the same purpose, and of AWS's documentation.

use std::fs;

use powertools::testing::Event;
use powertools_tests::emulators::{npm_events, sam_events};
use powertools_tests::source_of;
use serde_json::{Value, json};

use super::{reply, seen};
use crate::events::fixtures::{REQUESTS_OF_NPM, REQUESTS_OF_RUST, REQUESTS_OF_SAM};

/// A recorded event, and what a handler sees of it.
struct Recorded {
    file: &'static str,
    front_end: &'static str,
    method: &'static str,
    /// As the client sent it, with the query.
    target: &'static str,
    caller: Option<&'static str>,
}

const fn recorded(
    file: &'static str,
    front_end: &'static str,
    method: &'static str,
    target: &'static str,
) -> Recorded {
    Recorded { file, front_end, method, target, caller: None }
}

const fn by(caller: &'static str, recorded: Recorded) -> Recorded {
    Recorded { caller: Some(caller), ..recorded }
}

const LAMBDA_HTTP: &[Recorded] = &[
    recorded("alb_health_check", "LoadBalancer", "GET", "/"),
    recorded(
        "alb_multi_value_request",
        "LoadBalancer",
        "GET",
        "/?myKey=val1&myKey=val2&myOtherKey=val3&myOtherKey=val4",
    ),
    recorded(
        "alb_multi_value_request_encoded_query_parameters",
        "LoadBalancer",
        "GET",
        "/?myKey=%3FshowAll%3Dtrue&myKey=%3FshowAll%3Dfalse",
    ),
    recorded("alb_no_host", "LoadBalancer", "GET", "/v1/health/"),
    recorded("alb_request", "LoadBalancer", "GET", "/?myKey=val2"),
    recorded(
        "alb_request_encoded_query_parameters",
        "LoadBalancer",
        "GET",
        "/?myKey=%3FshowAll%3Dtrue",
    ),
    recorded(
        "apigw_multi_value_proxy_request",
        "RestApi",
        "POST",
        "/hello/world?name=me&multiValueName=you&multiValueName=me",
    ),
    recorded("apigw_no_host", "RestApi", "GET", "/hello?name=me"),
    recorded("apigw_proxy_request", "RestApi", "GET", "/hello?name=me"),
    recorded(
        "apigw_request_path_with_space",
        "HttpApi",
        "POST",
        "/my/path-with%20space?parameter1=value1&parameter1=value2&parameter2=value",
    ),
    recorded(
        "apigw_v2_proxy_request",
        "HttpApi",
        "POST",
        "/my/path?parameter1=value1&parameter1=value2&parameter2=value",
    ),
    recorded("apigw_v2_proxy_request_minimal", "HttpApi", "GET", "/"),
    recorded(
        "apigw_v2_proxy_request_with_stage_in_path",
        "HttpApi",
        "POST",
        "/my/path?parameter1=value1&parameter1=value2&parameter2=value",
    ),
    recorded("apigw_v2_sam_local", "HttpApi", "GET", "/hello"),
    recorded(
        "lambda_function_url_request",
        "FunctionUrl",
        "GET",
        "/my/path?parameter1=value1&parameter1=value2&parameter2=value",
    ),
    by(
        "iam:arn:aws:iam::123456789012:role/service-role/HealthChecker",
        recorded(
            "vpc_lattice_v2_request",
            "VpcLattice",
            "GET",
            "/health?state=prod&multi=a&multi=DEF&multi=g",
        ),
    ),
    by(
        "iam:arn:aws:iam::123456789012:role/service-role/HealthChecker",
        recorded(
            "vpc_lattice_v2_request_base64",
            "VpcLattice",
            "GET",
            "/health?state=prod&multi=a&multi=DEF&multi=g",
        ),
    ),
    recorded(
        "vpc_lattice_v2_request_encoded_query",
        "VpcLattice",
        "GET",
        "/search?filter=%3FshowAll%3Dtrue&q=hello%20world",
    ),
];

const AWS_LAMBDA_EVENTS: &[Recorded] = &[
    recorded(
        "example-alb-lambda-target-request-headers-only",
        "LoadBalancer",
        "GET",
        "/?key=hello",
    ),
    recorded(
        "example-alb-lambda-target-request-multivalue-headers",
        "LoadBalancer",
        "GET",
        "/?key=hello",
    ),
    by(
        "principal:admin",
        recorded("example-apigw-request", "RestApi", "POST", "/hello/world?name=me"),
    ),
    recorded("example-apigw-sam-http-request", "HttpApi", "GET", "/dump?foo=bar"),
    recorded("example-apigw-sam-rest-request", "RestApi", "GET", "/test"),
    by(
        "cognito:us-east-1:3f291106-8703-466b-8f2b-3ecee1ca56ce",
        recorded(
            "example-apigw-v2-request-iam",
            "HttpApi",
            "GET",
            "/my/path?parameter1=value1&parameter1=value2&parameter2=value",
        ),
    ),
    // Its claims have no subject.
    recorded(
        "example-apigw-v2-request-jwt-authorizer",
        "HttpApi",
        "GET",
        "/my/path?parameter1=value1&parameter1=value2&parameter2=value",
    ),
    recorded(
        "example-apigw-v2-request-lambda-authorizer",
        "HttpApi",
        "GET",
        "/my/path?parameter1=value1&parameter1=value2&parameter2=value",
    ),
    recorded(
        "example-apigw-v2-request-multi-value-parameters",
        "HttpApi",
        "GET",
        "/my/path?Parameter1=value1&Parameter1=value2",
    ),
    by(
        "iam:arn:aws:sts::xxxxx:assumed-role/xxxxx/xxxxx",
        recorded("example-apigw-console-test-request", "RestApi", "POST", "/myPath"),
    ),
    by(
        "api-key:asdf",
        recorded(
            "example-apigw-websocket-request-without-method",
            "WebSocketApi",
            "GET",
            "/$connect",
        ),
    ),
    recorded(
        "example-apigw-websocket-request-disconnect-route",
        "WebSocketApi",
        "POST",
        "/$disconnect",
    ),
    recorded(
        "example-vpc-lattice-v1-request",
        "VpcLattice",
        "POST",
        "/api/product?category=electronics&sort=price&limit=10&tags=tv",
    ),
    by(
        "iam:arn:aws:iam::123456789012:user/john.developer",
        recorded(
            "example-vpc-lattice-v2-request-base64",
            "VpcLattice",
            "POST",
            "/api/files/upload?uploadType=profile-image",
        ),
    ),
    by(
        "iam:arn:aws:iam::123456789012:role/ExternalPartnerAccessRole",
        recorded(
            "example-vpc-lattice-v2-request-roles-anywhere",
            "VpcLattice",
            "POST",
            "/api/external/data-sync?sync-type=incremental&validate=true",
        ),
    ),
];

#[tokio::test]
async fn recorded_events_are_read_as_the_client_sent_them() {
    for (package, data, all) in [
        ("lambda_http", "tests/data", LAMBDA_HTTP),
        ("aws_lambda_events", "src/fixtures", AWS_LAMBDA_EVENTS),
    ] {
        let data = source_of(package).join(data);
        for Recorded { file, front_end, method, target, caller } in all {
            let text = fs::read_to_string(data.join(format!("{file}.json"))).unwrap();
            let event: Value = serde_json::from_str(&text).unwrap();
            let seen = seen(Event::raw(text).without_trace_id()).await;
            assert_eq!(seen["front_end"], *front_end, "{file}");
            assert_eq!(seen["method"], *method, "{file}");
            let uri: http::Uri = seen["uri"].as_str().unwrap().parse().unwrap();
            assert_eq!(uri.path_and_query().unwrap().as_str(), *target, "{file}");
            assert_eq!(seen["caller"], json!(caller), "{file}");
            check_headers(file, &event, &seen);
            check_body(file, &event, &seen);
        }
    }
}

/// Every value of every header of the event is there.
fn check_headers(file: &str, event: &Value, seen: &Value) {
    let seen: Vec<&str> =
        seen["headers"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let maps = ["multiValueHeaders", "headers"].map(|map| event[map].as_object());
    let (lists, single) = (maps[0], maps[1]);
    let mut sent = 0;
    for (name, value) in lists.into_iter().chain(single).flatten() {
        let in_lists = lists.is_some_and(|lists| lists.contains_key(name)) && value.is_string();
        let values = match value {
            // The lists have the same, and more.
            Value::String(_) if in_lists => continue,
            Value::String(value) => vec![value.as_str()],
            list => list.as_array().unwrap().iter().map(|value| value.as_str().unwrap()).collect(),
        };
        for value in values {
            let line = format!("{}: {value}", name.to_lowercase());
            assert!(seen.contains(&&*line), "{file}: {line} is not in {seen:?}");
            sent += 1;
        }
    }
    // Beside these there are the cookies that the event has in a list of their own.
    let cookies =
        usize::from(event["cookies"].as_array().is_some_and(|cookies| !cookies.is_empty()));
    assert!((sent..=sent + cookies).contains(&seen.len()), "{file}: {seen:?}");
}

fn check_body(file: &str, event: &Value, seen: &Value) {
    use base64::Engine as _;

    let is_base64 =
        [&event["isBase64Encoded"], &event["is_base64_encoded"]].contains(&&json!(true));
    let expected = match &event["body"] {
        Value::String(body) if is_base64 => base64::prelude::BASE64_STANDARD.decode(body).unwrap(),
        Value::String(body) => body.clone().into_bytes(),
        _ => Vec::new(),
    };
    assert_eq!(seen["body"], json!(expected), "{file}");
}

/// Whatever else they contain, all events of front ends among them are requests.
#[tokio::test]
async fn every_recorded_request_is_answered() {
    let mut events: Vec<(String, Vec<u8>)> = Vec::new();
    for file in fs::read_dir(source_of("lambda_http").join("tests/data")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let is_request = ["apigw", "alb", "lattice", "function_url"];
        if is_request.iter().any(|front_end| name.contains(front_end)) {
            events.push((name, fs::read(&path).unwrap()));
        }
    }
    assert!(events.len() > 15, "{}", events.len());
    let folder = source_of("aws_lambda_events").join("src/fixtures");
    for name in REQUESTS_OF_RUST {
        let event = fs::read(folder.join(format!("example-{name}.json"))).unwrap();
        events.push(((*name).to_owned(), event));
    }
    for (files, names) in [(sam_events(), REQUESTS_OF_SAM), (npm_events(), REQUESTS_OF_NPM)] {
        let Some(files) = files else { continue };
        let text = |name: &&str| ((*name).to_owned(), files[*name].to_string().into_bytes());
        events.extend(names.iter().map(text));
    }
    for (name, event) in events {
        let outcome = super::outcome(super::describe, Event::raw(event)).await;
        assert!(outcome.response().is_some(), "{name}: {outcome:?}");
        assert_eq!(outcome.json::<Value>()["statusCode"], 200, "{name}");
    }
}

/// The header of a recorded event that `lambda_http` itself loses.
#[tokio::test]
async fn the_headers_of_a_recorded_event_keep_all_their_values() {
    let file = source_of("lambda_http").join("tests/data/alb_multi_value_request.json");
    let event = Event::raw(fs::read(file).unwrap());
    let cookies = |request: powertools::http::Request| async move {
        let cookies = request.headers().get_all("cookie").iter();
        let cookies: Vec<_> = cookies.map(|cookie| cookie.to_str().unwrap()).collect();
        Ok::<_, lambda_runtime::Error>(cookies.join(" | "))
    };
    assert_eq!(reply(cookies, event).await["body"], "name1=value1 | name2=value2");
}
