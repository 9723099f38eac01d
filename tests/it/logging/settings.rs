//! What the other settings do.

use powertools::logging::{Format, json};

use super::{logged, logged_in_invocation, logging};

#[test]
fn the_service_has_a_name_in_any_case() {
    let named = logged(logging(), || tracing::info!("x")).one();
    assert_eq!(named["service"], "orders");

    let variable = [("POWERTOOLS_SERVICE_NAME", "from \"outside\"")];
    let named = logged(logging().environment(variable), || tracing::info!("x")).one();
    assert_eq!(named["service"], "from \"outside\"");

    let unnamed = powertools::logging::Logging::new().environment([("", "")]);
    assert_eq!(logged(unnamed, || tracing::info!("x")).one()["service"], "service_undefined");
}

#[test]
fn keys_of_the_process_are_on_every_line() {
    let logging = logging().key("stage", "prod").key("tags", ["a", "b"]).key("stage", "test");
    let lines = logged_in_invocation(logging, || tracing::info!("x")).take();
    assert!(lines.ends_with("\"tags\":[\"a\",\"b\"],\"stage\":\"test\"}\n"), "{lines}");
}

#[test]
fn the_variable_chooses_the_format() {
    let text = [("POWERTOOLS_LOG_FORMAT", "text")];
    let lines = logged(logging().environment(text), || tracing::info!("x")).take();
    assert!(lines.starts_with("2026-11-21T02:32:01.566Z INFO "), "{lines}");

    let json = [("POWERTOOLS_LOG_FORMAT", "JSON"), ("AWS_LAMBDA_LOG_FORMAT", "Text")];
    let lines = logged(logging().format(Format::Text).environment(json), || tracing::info!("x"));
    assert_eq!(lines.one()["message"], "x");
}

#[test]
fn a_line_over_its_limit_is_cut_and_keeps_what_it_belongs_to() {
    let lines = logged_in_invocation(logging().line_limit(2_048), || {
        tracing::info!(short = 7, long = json(vec!["é"; 5_000]), "{}", "\"".repeat(5_000));
    });
    let text = lines.take();
    assert!(text.len() <= 2_048 && text.len() > 1_900, "{}", text.len());
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["truncated"], true);
    assert_eq!(line["short"], 7);
    assert_eq!(line["function_request_id"], "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
    assert!(line["message"].as_str().unwrap().ends_with("\"\"…"));
    assert!(line["long"].as_str().unwrap().starts_with(r#"["é","é""#));

    let text = logged(logging().line_limit(1_024).format(Format::Text), || {
        tracing::info!("{}", "é".repeat(5_000));
    });
    let text = text.take();
    assert!(text.len() <= 1_024 && text.ends_with("é…\n"), "{text}");
}

#[test]
fn a_line_at_its_limit_is_not_cut() {
    let length = |text: &str| {
        let lines = logged(logging().line_limit(1_024), || tracing::info!("{text}"));
        let line = lines.take();
        (line.len(), line.contains("truncated"))
    };
    let (empty, _) = length("");
    assert_eq!(length(&"x".repeat(1_024 - empty)), (1_024, false));
    let (cut, truncated) = length(&"x".repeat(1_025 - empty));
    assert!(cut <= 1_024 && truncated);
}
