//! `#[logged]` on a handler that runs without [`powertools::Powertools`].

use lambda_runtime::{Error, LambdaEvent};
use powertools::testing;
use powertools::{LambdaError, logged};
use serde_json::{Value, json};

use super::{logging, start};

#[derive(Debug, thiserror::Error, LambdaError)]
#[error("the order failed")]
#[error_type = "OrderFailed"]
struct OrderFailed(#[source] std::io::Error);

#[logged(correlation_id = "/headers/x-id", event)]
async fn handle(LambdaEvent { payload, .. }: LambdaEvent<Value>) -> Result<Value, OrderFailed> {
    tracing::info!("inside");
    match payload["fails"] {
        Value::Bool(true) => Err(OrderFailed(std::io::Error::other("no answer"))),
        _ => Ok(payload),
    }
}

/// What is logged of an event.
async fn lines(payload: Value) -> Vec<Value> {
    let (lines, _guard) = start(logging());
    let event = testing::invocation().request_id("r-1").event(payload);
    let _ = handle(event).await;
    lines.json()
}

#[tokio::test]
async fn the_lines_of_the_event_and_the_handler_have_the_correlation_id() {
    let lines = lines(json!({ "headers": { "x-id": "c-7" } })).await;
    let [event, inside] = &lines[..] else { panic!("two lines: {lines:#?}") };
    assert_eq!(event["message"], json!({ "headers": { "x-id": "c-7" } }));
    assert_eq!(inside["message"], "inside");
    for line in &lines {
        assert_eq!(line["correlation_id"], "c-7", "{line}");
        assert_eq!(line["function_request_id"], "r-1", "{line}");
    }
}

#[tokio::test]
async fn the_error_has_a_line_with_its_name_and_its_causes() {
    let lines = lines(json!({ "fails": true })).await;
    let [_, _, error] = &lines[..] else { panic!("three lines: {lines:#?}") };
    assert_eq!(error["level"], "ERROR");
    assert_eq!(error["exception"], "the order failed");
    assert_eq!(error["exception_name"], "OrderFailed");
    assert_eq!(error["exception_chain"], json!(["no answer"]));
    assert_eq!(error["function_request_id"], "r-1");
}

const NO_PATH: &str = "headers.x-id";

#[logged(correlation_id = NO_PATH)]
async fn misconfigured(event: LambdaEvent<Value>) -> Result<Value, Error> {
    Ok(event.payload)
}

#[tokio::test]
async fn an_invalid_path_is_a_warning() {
    let (lines, _guard) = start(logging());
    misconfigured(testing::event(json!(7))).await.unwrap();
    let line = lines.one();
    assert_eq!(
        (&line["level"], &line["message"]),
        (&json!("WARN"), &json!("there is no correlation id"))
    );
}
