//! Events and bodies that nobody sends on purpose: each has one answer, and none ends in a panic.

use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use lambda_runtime::{Context, Error, LambdaEvent};
use powertools::Powertools;
use powertools::http::{self as web, Event, HttpService, Json, JsonError, Request};
use powertools::testing::FakeRuntime;
use serde_json::{Value, json};
use tower::Service;

use super::{describe, events, problem, reply};

/// What a member of an event is replaced by.
fn odd() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(7),
        json!(""),
        json!("%"),
        json!("%ff%00"),
        json!("\u{0}"),
        json!("ключ?#&=\n"),
        json!("=&=&&a&=b&%zz=%"),
        json!([]),
        json!(["a", null, 1]),
        json!({}),
        json!({ "a": { "b": [1] } }),
    ]
}

/// The places of an event, to its leaves.
fn places(value: &Value, place: String, places: &mut Vec<String>) {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(list) => {
            list.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (name, value) in members {
        let place = format!("{place}/{name}");
        self::places(value, place.clone(), places);
        places.push(place);
    }
}

#[tokio::test]
async fn an_event_with_an_odd_member_is_a_request_or_is_refused() {
    let mut service = HttpService::new(web::handler(describe));
    let (mut refused, mut rejected, mut answered) = (0, 0, 0);
    for (front_end, event) in events::all("POST", "/orders/7") {
        let mut all = Vec::new();
        places(&event, String::new(), &mut all);
        for place in all {
            for value in odd() {
                let mut event = event.clone();
                *event.pointer_mut(&place).unwrap() = value.clone();
                // Both are errors of the event, which Lambda hears of.
                let Ok(event) = serde_json::from_str::<Event>(&event.to_string()) else {
                    refused += 1;
                    continue;
                };
                let reply =
                    service.call(LambdaEvent::new(event, Context::default())).await.unwrap();
                let lambda_runtime::FunctionResponse::BufferedResponse(reply) = reply else {
                    panic!("it is not streamed")
                };
                let reply = serde_json::to_value(reply).unwrap();
                match reply["statusCode"].as_u64() {
                    Some(200) => answered += 1,
                    Some(400) => {
                        problem(&reply);
                        rejected += 1;
                    }
                    _ => panic!("{front_end} with {value} at {place}: {reply}"),
                }
            }
        }
    }
    assert!(refused > 100 && rejected > 10 && answered > 1_000, "{refused} {rejected} {answered}");
}

#[tokio::test]
async fn more_headers_than_a_map_can_have_are_refused() {
    let mut event = events::rest("GET", "/");
    event["multiValueHeaders"] = json!({ "a": vec![""; 40_000] });
    assert_eq!(reply(describe, event.clone()).await["statusCode"], 200, "they have one name");
    let names = (0..40_000).map(|index| (format!("a{index}"), json!([""])));
    event["multiValueHeaders"] = Value::Object(names.collect());
    assert_eq!(reply(describe, event).await["statusCode"], 400);
}

/// A body that is no UTF-8 comes as base64, whatever its type is declared as.
fn not_utf_8(content_type: &str) -> Value {
    let mut event = events::http_api("POST", "/", "");
    event["headers"]["content-type"] = content_type.into();
    event["body"] = "eyJuYW1lIjoiSm9z6SJ9".into(); // {"name":"Jos\xe9"}
    event["isBase64Encoded"] = true.into();
    event
}

#[tokio::test]
async fn a_body_that_is_not_utf_8_is_invalid_json_and_arrives_as_it_is() {
    async fn read(request: Request) -> Result<(), JsonError> {
        Json::<Value>::read(&request).map(drop)
    }
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(read).run());
    let rejected: Value = lambda.invoke(not_utf_8("application/json; charset=utf-8")).await.json();
    assert_eq!(rejected["statusCode"], 400);
    assert!(problem(&rejected)["detail"].as_str().unwrap().contains("invalid JSON"));

    let length = |request: Request| async move {
        Ok::<_, Error>(format!("{:?}", request.body().as_ref().last_chunk::<4>()))
    };
    let arrived = reply(length, not_utf_8("text/plain; charset=utf-8")).await;
    assert_eq!(arrived["body"], format!("{:?}", Some(*b"s\xe9\"}")));

    let router = Router::new()
        .route("/", post(async |text: String| text))
        .route("/bytes", post(async |bytes: Bytes| bytes));
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(router).run());
    let rejected: Value = lambda.invoke(not_utf_8("text/plain")).await.json();
    assert_eq!(rejected["statusCode"], 400);
    let mut bytes = not_utf_8("text/plain");
    bytes["rawPath"] = "/prod/bytes".into();
    let arrived: Value = lambda.invoke(bytes.clone()).await.json();
    assert_eq!(arrived["body"], bytes["body"]);
    assert_eq!(arrived["isBase64Encoded"], true);
}
