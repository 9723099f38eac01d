//! What is logged of events and of handlers that fail, on the real runtime.

use std::time::Duration;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, Runtime};
use powertools::Powertools;
use powertools::events::CloudWatchLogsEvent;
use powertools::invocation::InvocationLayer;
use powertools::logging::{self as logs, Format, Level, Logging, LoggingLayer, correlation};
use powertools::testing::{Event, FakeRuntime, Outcome, events};
use serde_json::{Value, json};
use tower::ServiceBuilder;

use super::{logging, start};

/// Sends one event to a handler under [`Powertools`]. Returns what was logged.
pub(super) async fn invoke<F, Fut, E>(
    settings: fn() -> Logging,
    event: Value,
    handler: F,
) -> Vec<Value>
where
    F: FnMut(LambdaEvent<Value>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<Value, E>> + Send + 'static,
    E: Into<Diagnostic> + std::fmt::Debug + Send + 'static,
{
    let (lines, _guard) = start(settings());
    let lambda = FakeRuntime::new().function_name("orders-fn");
    let _function = lambda.run(Powertools::new(handler).logging(settings()).run());
    lambda.send(Event::new(event).request_id("r-1")).outcome().await;
    lines.json()
}

#[tokio::test]
async fn a_handler_that_logs_and_fails_under_warn_has_its_request_id_on_the_error() {
    let lines = invoke(
        || logging().level(Level::Warn),
        json!({}),
        async |_| {
            tracing::info!("not at this level");
            let cause = "x".parse::<i32>().unwrap_err();
            Err::<Value, _>(anyhow::Error::from(cause).context("no number").context("no order"))
        },
    )
    .await;
    let [error] = &lines[..] else { panic!("one line, not also the runtime's: {lines:#?}") };
    assert_eq!(error["level"], "ERROR");
    assert_eq!(error["message"], "the handler failed");
    assert_eq!(error["function_request_id"], "r-1");
    assert_eq!(error["exception"], "no order");
    assert_eq!(error["exception_name"], "HandlerError");
    assert_eq!(error["exception_chain"], json!(["no number", "invalid digit found in string"]));
}

#[derive(Debug)]
struct Declined;

impl From<Declined> for Diagnostic {
    fn from(_: Declined) -> Self {
        Self { error_type: "Declined".to_owned(), error_message: "no money".to_owned() }
    }
}

#[tokio::test]
async fn an_error_type_of_the_user_is_logged_as_it_is_reported() {
    let lines = invoke(logging, json!({}), async |_| Err::<Value, _>(Declined)).await;
    let [error] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!(error["exception"], "no money");
    assert_eq!(error["exception_name"], "Declined");
    assert_eq!(error.get("exception_chain"), None);
}

#[tokio::test]
async fn the_event_and_its_correlation_id_are_logged_if_configured() {
    let settings =
        || logging().event(true).redact(["password"]).correlation_id(correlation::API_GATEWAY_REST);
    let event = json!({ "requestContext": { "requestId": "corr-1" }, "password": ["p"] });
    let lines = invoke(settings, event, async |event| {
        tracing::info!("handling");
        Ok::<_, Error>(event.payload)
    })
    .await;
    let [event, own] = &lines[..] else { panic!("{lines:#?}") };
    let expected = json!({ "requestContext": { "requestId": "corr-1" }, "password": "*****" });
    assert_eq!(event["message"], expected);
    assert_eq!((&event["level"], &event["function_request_id"]), (&json!("INFO"), &json!("r-1")));
    assert_eq!(
        (&event["correlation_id"], &own["correlation_id"]),
        (&json!("corr-1"), &json!("corr-1"))
    );
}

#[tokio::test]
async fn an_event_is_not_logged_by_default() {
    let lines = invoke(logging, json!({ "secret": 1 }), async |_| Ok::<_, Error>(json!(1))).await;
    assert_eq!(lines, [] as [Value; 0]);
}

#[tokio::test]
async fn an_event_is_not_logged_at_trace_either() {
    let settings = || logging().filter("lambda_runtime=trace");
    let event = json!({ "password": "hunter2" });
    let lines = invoke(settings, event, async |_| Ok::<_, Error>(json!(1))).await;
    assert!(lines.iter().any(|line| line["level"] == "TRACE"), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.to_string().contains("hunter2")), "{lines:#?}");
}

#[tokio::test]
async fn a_long_event_is_logged_as_its_beginning() {
    let settings =
        || logging().event_limit(100).environment([("POWERTOOLS_LOGGER_LOG_EVENT", "true")]);
    let event = json!({ "text": "é\"".repeat(1_000) });
    let bytes = event.to_string().len();
    let lines = invoke(settings, event, async |_| Ok::<_, Error>(json!(1))).await;
    let [line] = &lines[..] else { panic!("{lines:#?}") };
    let text = line["message"].as_str().expect("a text");
    assert!(text.starts_with(r#"{"text":"é\"é"#) && text.len() <= 100, "{text}");
    assert_eq!(line["event_bytes"], bytes);
}

#[test]
fn the_limit_of_an_event_holds_wherever_it_is_logged() {
    let event = json!({ "text": "é\"".repeat(1_000), "password": "p" });
    let settings = || logging().event_limit(100).redact(["password"]);
    let line = super::logged(settings(), || logs::log_event(&event)).one();
    let text = line["message"].as_str().expect("a text");
    assert!(text.starts_with(r#"{"password":"*****","text":"é\"é"#), "{text}");
    assert!(text.len() <= 100, "{text}");
    assert!(line["event_bytes"].as_u64() > Some(4_000), "{line}");

    let text = super::logged(settings().format(Format::Text), || logs::log_event(&event)).take();
    assert!(text.len() < 250 && text.contains(" event_bytes=4"), "{text}");

    let short = json!({ "text": "x".repeat(100 - r#"{"text":""}"#.len()) });
    let line = super::logged(settings(), || logs::log_event(&short)).one();
    assert_eq!((&line["message"], line.get("event_bytes")), (&short, None));
}

#[tokio::test]
async fn a_typed_closure_finds_the_correlation_id() {
    #[derive(serde::Deserialize)]
    struct Order {
        id: u32,
    }
    let settings =
        || logging().correlation_id_by(|order: Order| Some(format!("order-{}", order.id)));
    let handler = async |_| {
        tracing::info!("handling");
        Ok::<_, Error>(json!(1))
    };
    let lines = invoke(settings, json!({ "id": 7, "more": [] }), handler).await;
    assert_eq!(lines[0]["correlation_id"], "order-7");
    let lines = invoke(settings, json!({ "no": "id" }), handler).await;
    assert_eq!(lines[0].get("correlation_id"), None);
}

/// The log events of a subscription are compressed, so that no place in the event leads to an id.
#[tokio::test]
async fn a_typed_closure_finds_an_id_in_what_is_compressed() {
    let settings = || {
        logging().correlation_id_by(|event: CloudWatchLogsEvent| {
            event.logs.events.into_iter().next()?.id
        })
    };
    let event = events::cloudwatch_logs("/aws/lambda/orders").message("a").message("b").build();
    let sent: CloudWatchLogsEvent = serde_json::from_value(event.clone()).unwrap();
    let handler = async |_| {
        tracing::info!("handling");
        Ok::<_, Error>(json!(1))
    };
    let lines = invoke(settings, event, handler).await;
    let id = sent.logs.events[0].id.as_deref();
    assert!(id.is_some());
    assert_eq!(lines[0]["correlation_id"].as_str(), id);
}

#[tokio::test]
async fn a_closure_that_panics_sets_no_correlation_id_and_does_not_fail_the_event() {
    let settings = || logging().correlation_id_by(|items: Vec<String>| Some(items[0].clone()));
    let (lines, _guard) = start(settings());
    let lambda = FakeRuntime::new();
    let handler = async |event: LambdaEvent<Value>| Ok::<_, Error>(event.payload);
    let _function = lambda.run(Powertools::new(handler).logging(settings()).run());
    for event in [json!([]), json!(["c-1"])] {
        let outcome = lambda.send(Event::new(event.clone()).request_id("r-1")).outcome().await;
        assert_eq!(outcome.json::<Value>(), event);
    }
    let line = lines.one();
    assert_eq!((&line["level"], &line["function_request_id"]), (&json!("WARN"), &json!("r-1")));
    assert_eq!(line["message"], "there is no correlation id: the code that looks for it panicked");
}

#[tokio::test]
async fn the_buffer_is_written_if_the_handler_fails() {
    let lines = invoke(
        || logging().buffer(20 * 1024),
        json!({}),
        async |_| {
            tracing::debug!("kept");
            Err::<Value, Error>("lost".into())
        },
    )
    .await;
    assert_eq!(lines[0]["message"], "kept");
    assert_eq!((&lines[1]["exception"], lines.len()), (&json!("lost"), 2));
}

#[tokio::test]
async fn a_panic_is_not_lost_without_the_hook() {
    let lines = invoke(
        || logging().buffer(20 * 1024),
        json!({}),
        async |event| {
            tracing::debug!("kept");
            assert!(event.payload.is_null(), "on purpose");
            Ok::<_, Error>(json!(1))
        },
    )
    .await;
    assert_eq!(lines[0]["message"], "kept");
    // The layer alone has no hook, so only the runtime's own line is written.
    let text = lines[1]["message"].as_str().unwrap();
    assert!(text.contains("Powertools.Panic") && text.contains("on purpose"), "{text}");
    assert_eq!((&lines[1]["function_request_id"], lines.len()), (&json!("r-1"), 2));
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_logged_with_its_request_id() {
    let (lines, _guard) = start(logging().level(Level::Error));
    let lambda = FakeRuntime::new();
    let handler = async |event: LambdaEvent<String>| Ok::<_, Error>(event.payload);
    let _function = lambda.run(Powertools::new(handler).logging(logging()).run());
    lambda.send(Event::new(json!(7)).request_id("r-2")).outcome().await;
    let lines = lines.json();
    assert!(!lines.is_empty());
    assert!(lines.iter().all(|line| line["function_request_id"] == "r-2"), "{lines:#?}");
}

#[tokio::test]
async fn settings_that_cannot_be_end_the_function_at_start() {
    let lambda = FakeRuntime::new();
    let handler = async |event: LambdaEvent<Value>| Ok::<_, Error>(event.payload);
    let function = lambda.run(Powertools::new(handler).logging(logging().sample_rate(2.0)).run());
    let error = function.wait().await.unwrap_err();
    assert_eq!(error.to_string(), "sample_rate is \"2\": a rate is a number from 0 to 1");
}

#[tokio::test]
async fn the_layer_does_the_same_under_the_plain_runtime() {
    let (lines, _guard) = start(logging().buffer(1024));
    let lambda = FakeRuntime::new();
    let _function = lambda.run(async {
        let layer = LoggingLayer::new().on_event(look_at);
        let handler = ServiceBuilder::new().layer(layer).service_fn(loses);
        Runtime::new(handler).layer(InvocationLayer::new()).run_concurrent().await
    });
    let outcome =
        lambda.send(Event::new(json!({ "id": "corr-1" })).request_id("r-1")).outcome().await;
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");

    let lines = lines.json();
    let [event, kept, error] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!(event["message"], json!({ "id": "corr-1" }));
    assert_eq!(kept["message"], "kept");
    assert_eq!(error["exception"], "lost");
    for line in &lines {
        assert_eq!(
            (&line["function_request_id"], &line["correlation_id"]),
            (&json!("r-1"), &json!("corr-1"))
        );
    }
}

fn look_at(event: &LambdaEvent<Value>) {
    logs::set_correlation_id_from(&event.payload, "/id").unwrap();
    logs::log_event(&event.payload);
}

async fn loses(_: LambdaEvent<Value>) -> Result<Value, Error> {
    tracing::debug!("kept");
    tokio::time::sleep(Duration::from_millis(1)).await;
    Err("lost".into())
}

#[tokio::test]
async fn two_layers_around_a_handler_log_its_error_once() {
    let (lines, _guard) = start(logging());
    let handler = ServiceBuilder::new()
        .layer(LoggingLayer::new())
        .layer(LoggingLayer::new())
        .service_fn(async |_: LambdaEvent<Value>| Err::<Value, Error>("lost".into()));
    let event = powertools::testing::event(json!(1));
    tower::ServiceExt::oneshot(handler, event).await.unwrap_err();
    assert_eq!(lines.one()["exception"], "lost");
}
