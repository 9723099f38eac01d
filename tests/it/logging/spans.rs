//! Spans: the invocation that they carry, and what of their fields is on the lines inside.

use powertools::logging::{self as logs, Format};
use serde_json::Value;
use tracing::Instrument as _;

use super::{invocation, logged, logging, start};

const REQUEST: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

/// A span that begins in an invocation with an appended key.
fn span() -> tracing::Span {
    invocation().build().sync_scope(|| {
        logs::append("order", 7);
        tracing::info_span!("charge")
    })
}

#[tokio::test]
async fn a_span_carries_its_invocation_into_a_task() {
    let (lines, _guard) = start(logging());
    let work = async {
        tokio::task::yield_now().await;
        tracing::info!("in the task");
    };
    tokio::spawn(work.instrument(span())).await.unwrap();
    let line = lines.one();
    assert_eq!((&line["function_request_id"], &line["order"]), (&REQUEST.into(), &7.into()));
}

#[test]
fn a_span_carries_its_invocation_into_a_thread() {
    let lines = logged(logging(), || {
        let span = span();
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        std::thread::spawn(move || {
            tracing::dispatcher::with_default(&dispatch, || {
                span.in_scope(|| {
                    let _inner = tracing::info_span!("inner").entered();
                    tracing::info!("in the thread");
                });
                tracing::info!("behind");
            });
        })
        .join()
        .unwrap();
    });
    let lines = lines.json();
    assert_eq!(lines[0]["function_request_id"], REQUEST);
    assert_eq!(lines[1].get("function_request_id"), None);
}

#[test]
fn the_current_invocation_takes_precedence_over_that_of_a_span() {
    let lines = logged(logging(), || {
        let span = span();
        let other = powertools::testing::invocation().request_id("r-2").build();
        other.sync_scope(|| span.in_scope(|| tracing::info!("x")));
    });
    assert_eq!(lines.one()["function_request_id"], "r-2");
}

#[test]
fn debug_lines_in_a_span_are_buffered_and_sampled_with_its_invocation() {
    let lines = logged(logging().buffer(1024), || {
        span().in_scope(|| {
            tracing::debug!("kept");
            tracing::error!("error");
        });
    });
    assert_eq!(lines.messages(), ["kept", "error"]);
    for (rate, expected) in [(1.0, 1), (f64::MIN_POSITIVE, 0)] {
        let lines = logged(logging().sample_rate(rate), || {
            span().in_scope(|| tracing::debug!("sampled"));
        });
        assert_eq!(lines.json().len(), expected);
    }
}

#[derive(Debug)]
#[expect(dead_code, reason = "its `Debug` form is read")]
struct Login {
    user: &'static str,
    password: &'static str,
}

const ADA: Login = Login { user: "Ada", password: "hunter2" };

#[tracing::instrument]
fn handle(event: lambda_runtime::LambdaEvent<Value>) {
    let _ = event;
    tracing::info!("handled");
}

#[test]
fn an_instrumented_handler_does_not_log_its_event() {
    for format in [Format::Json, Format::Text] {
        let lines = logged(logging().format(format), || {
            handle(powertools::testing::event(serde_json::json!({ "password": "hunter2" })));
        });
        let text = lines.take();
        assert!(!text.contains("hunter2") && text.contains("\"LambdaEvent\""), "{text}");
    }
}

#[test]
fn hidden_names_are_looked_for_in_debug_forms() {
    #[tracing::instrument]
    fn login(login: Login) {
        tracing::info!(again = ?login, pretty = %format!("{login:#?}"), "x");
    }
    let lines = logged(logging().redact(["Password"]), || login(ADA));
    let line = lines.one();
    assert!(!line.to_string().contains("hunter2"), "{line}");
    for name in ["login", "again"] {
        assert_eq!(line[name], r#"Login { user: "Ada", password: ***** }"#);
    }
}

#[test]
fn a_long_field_of_a_span_is_truncated_and_one_of_an_event_is_not() {
    let long = "é".repeat(5_000);
    let lines = logged(logging().redact(["password"]), || {
        let list = vec![ADA.user; 5_000];
        let _span = tracing::info_span!("s", text = long, debug = ?list, later = "").entered();
        tracing::Span::current().record("later", logs::json(&list));
        tracing::info!(whole = long, "x");
    });
    let line = lines.one();
    assert_eq!(line["whole"], long);
    for name in ["text", "debug", "later"] {
        let value = line[name].as_str().expect("a string");
        assert!(
            value.ends_with('…') && value.len() > 500 && value.len() <= 1024,
            "{name}: {value}"
        );
    }
}

#[test]
fn a_redacted_value_is_not_written_when_truncated() {
    let lines = logged(logging().redact(["password"]), || {
        let value = ("x".repeat(1_000), ADA);
        let _span = tracing::info_span!("s", ?value).entered();
        let password = "hunter2".repeat(1_000);
        let map = std::collections::HashMap::from([("password", password)]);
        let _map = tracing::info_span!("s", ?map).entered();
        tracing::info!("x");
    });
    let line = lines.one();
    assert!(!line["value"].as_str().unwrap().contains("hunter2"), "{line}");
    assert_eq!(line["map"], r#"{"password": *****"#);
}

#[test]
fn a_crate_with_the_prefix_of_the_runtime_keeps_its_fields() {
    let lines = logged(logging(), || {
        let span = tracing::info_span!(target: "lambda_runtime_orders::main", "s", order_id = 7);
        span.in_scope(|| tracing::info!("x"));
        let span = tracing::info_span!(target: "lambda_runtime::layers", "s", requestId = "r-1");
        span.in_scope(|| tracing::info!("x"));
    });
    let lines = lines.json();
    assert_eq!(lines[0]["order_id"], 7);
    assert_eq!(lines[1].get("requestId"), None);
}

#[test]
fn other_spans_are_not_mistaken() {
    let line = logged(logging(), || {
        let _span = tracing::info_span!("no fields").entered();
        tracing::info!("x");
    })
    .one();
    assert_eq!(line.get("function_request_id"), None);
}
