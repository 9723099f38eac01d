//! What becomes of spans when their work does not end by itself.

use std::future::pending;

use powertools::Invocation;
use powertools::testing::Event;
use serde_json::json;
use tracing::Instrument;

use super::*;

#[tokio::test]
async fn the_time_limit_ends_open_spans_and_sends_them() {
    async fn handle(_: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        async {}.instrument(tracing::info_span!("quick")).await;
        let elsewhere = pending::<()>().instrument(tracing::info_span!("elsewhere", order = 7));
        tokio::spawn(Invocation::carry(elsewhere));
        async { pending::<()>().instrument(tracing::info_span!("call")).await }
            .instrument(tracing::info_span!("charge"))
            .await;
        unreachable!()
    }
    let function = Function::start(handle).await;
    let event = Event::new(json!({})).trace_id(SAMPLED).timeout(SECOND);
    let outcome = function.invoke(event).await;
    assert_eq!(outcome.error_type(), Some("Powertools.DeadlineOutOfTime"));

    let stopped = (2, "stopped at the time limit".to_owned());
    let root = function.collector.span("orders");
    assert_eq!(root.status(), (2, "Powertools.DeadlineOutOfTime".to_owned()));
    for (name, parent) in [("call", "charge"), ("charge", "orders"), ("elsewhere", "orders")] {
        let span = function.collector.span(name);
        assert_eq!(span.status(), stopped, "{name}");
        assert_eq!(span.parent(), function.collector.span(parent).id(), "{name}");
        let error_type = span.text("error.type");
        assert_eq!(error_type.as_deref(), Some("Powertools.DeadlineOutOfTime"), "{name}");
    }
    assert_eq!(function.collector.span("elsewhere").attribute("order"), Some(Value::IntValue(7)));
    assert_eq!(function.collector.span("quick").status(), (0, String::new()));
}

#[tokio::test]
async fn a_span_that_ends_after_the_reply_goes_with_the_next_flush_once() {
    async fn handle(event: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        if event.payload == json!("first") {
            let late = tokio::time::sleep(Duration::from_millis(50));
            tokio::spawn(Invocation::carry(late.instrument(tracing::info_span!("late"))));
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(String::new())
    }
    let function = Function::start(handle).await;
    function.invoke(Event::new(json!("first")).trace_id(SAMPLED)).await;
    let names = |spans: Vec<powertools_tests::otlp::Received>| -> Vec<String> {
        spans.into_iter().map(|received| received.span.name).collect()
    };
    assert!(!names(function.collector.spans()).contains(&"late".to_owned()));
    function.invoke(Event::new(json!("second")).trace_id("Root=1-2-3")).await;
    function.invoke(Event::new(json!("first")).trace_id("Root=1-2-3")).await;
    let late = function.collector.span("late");
    assert_eq!(late.trace(), TRACE);
    assert_eq!(late.status(), (0, String::new()));
}

#[tokio::test]
async fn a_span_that_was_ended_at_the_limit_is_not_sent_again() {
    async fn handle(event: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        if event.payload == json!("hang") {
            let elsewhere = tokio::time::sleep(2 * SECOND);
            let elsewhere = elsewhere.instrument(tracing::info_span!("elsewhere"));
            tokio::spawn(Invocation::carry(elsewhere));
            pending::<()>().await;
        }
        tokio::time::sleep(2 * SECOND).await;
        Ok(String::new())
    }
    let function = Function::start(handle).await;
    function.invoke(Event::new(json!("hang")).trace_id(SAMPLED).timeout(SECOND)).await;
    function.invoke(Event::new(json!("next")).trace_id("Root=1-2-3")).await;
    assert_eq!(function.collector.span("elsewhere").status().0, 2);
}

#[tokio::test]
async fn a_function_that_is_dropped_blocks_nobody() {
    let function = Function::start(async |_| pending().await).await;
    let _event = function.lambda.send(Event::new(json!({})).trace_id(SAMPLED));
    tokio::time::sleep(Duration::from_millis(100)).await;
    function.task.stop().await;
}
