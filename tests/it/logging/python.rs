//! The lines of the Python toolkit.

use std::error::Error as StdError;
use std::fmt;

use powertools::logging::{self as logs, Level};
use powertools::testing;
use serde_json::{Value, json};

use super::{Lines, logged, logging};

/// What each recorded case does, in Rust.
fn lines(case: &str) -> Lines {
    match case {
        "info" => logged(logging(), || tracing::info!("order accepted")),
        "extra fields" => logged(logging(), || {
            tracing::info!(order_id = "o-1", amount = 9.5, "order accepted");
        }),
        // A key of one invocation, whose fields are compared elsewhere.
        "appended keys" => {
            let lines = logged(logging(), || {
                invocation().build().sync_scope(|| {
                    logs::append("tenant", "a");
                    tracing::info!("x");
                    logs::remove("tenant");
                    tracing::info!("y");
                });
            });
            without_invocation(&lines)
        }
        "exception" => logged(logging(), || {
            tracing::error!(error = &ValueError as &(dyn StdError + 'static), "failed");
        }),
        "lambda context, correlation id and event" => logged(logging(), || {
            invocation().cold_start(true).build().sync_scope(|| {
                let event = json!({ "requestContext": { "requestId": "corr-1" } });
                let path = logs::correlation::API_GATEWAY_REST;
                logs::set_correlation_id_from(&event, path).unwrap();
                logs::log_event(&event);
                tracing::info!("hi");
            });
        }),
        "debug is dropped at info" => logged(logging(), || tracing::debug!("x")),
        "levels" => logged(logging().level(Level::Debug), || {
            tracing::debug!("debug");
            tracing::info!("info");
            tracing::warn!("warning");
            tracing::error!("error");
        }),
        other => panic!("an unknown case: {other}"),
    }
}

#[test]
fn the_same_keys_in_the_same_order_with_the_same_meaning() {
    let file = include_str!("../../vectors/python-logs.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let text = lines(name).take();
        let ours: Vec<&str> = text.lines().collect();
        let mut theirs: Vec<(&Value, &Value)> = case["emitted"]
            .as_array()
            .unwrap()
            .iter()
            .zip(case["key_order"].as_array().unwrap())
            .collect();
        // `tracing` has no level above ERROR.
        theirs.retain(|(line, _)| line["level"] != "CRITICAL");
        assert_eq!(ours.len(), theirs.len(), "{name}");
        for (ours, (theirs, order)) in ours.into_iter().zip(theirs) {
            compare(name, ours, theirs, order);
        }
    }
}

fn compare(case: &str, ours: &str, theirs: &Value, order: &Value) {
    let mut line: Value = serde_json::from_str(ours).unwrap();
    // Ours always have a trace in a test.
    line.as_object_mut().unwrap().remove("xray_trace_id");
    let mut expected: Vec<&str> =
        order.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    // Only Python's own error type has its name without help.
    expected.retain(|name| *name != "exception_name");
    // Keys at the top are those with a comma or the brace before their quote and no depth: all
    // values that hold objects here stand in `message`.
    let mut keys: Vec<(usize, &str)> = expected
        .iter()
        .map(|key| {
            (
                ours.find(&format!("\"{key}\":"))
                    .unwrap_or_else(|| panic!("{case}: {key}: {ours}")),
                *key,
            )
        })
        .collect();
    keys.sort_unstable();
    let keys: Vec<&str> = keys.into_iter().map(|(_, key)| key).collect();
    assert_eq!(keys, expected, "{case}");
    assert_eq!(line.as_object().unwrap().len(), expected.len(), "{case}: {line}");

    for key in expected {
        let value = &line[key];
        match (key, &theirs[key]) {
            ("timestamp" | "location" | "exception", _) => {
                assert!(value.is_string(), "{case}: {key}")
            }
            ("level", theirs) if theirs == "WARNING" => assert_eq!(value, "WARN"),
            (_, theirs) => assert_eq!(value, theirs, "{case}: {key}"),
        }
    }
}

fn invocation() -> testing::InvocationBuilder {
    testing::invocation()
        .function_name("orders-fn")
        .request_id("52fdfc07-2182-154f-163f-5f0f9a621d72")
}

/// Returns the lines without the fields of their invocation.
fn without_invocation(lines: &Lines) -> Lines {
    let out = Lines::default();
    let text = lines.take();
    for line in text.lines() {
        let start = line.find(",\"cold_start\"").unwrap();
        let trace = start + line[start..].find("\"xray_trace_id\":\"").unwrap();
        let end = trace + line[trace..].find([',', '}']).unwrap();
        let mut bytes = out.0.lock().unwrap();
        bytes.extend_from_slice(&line.as_bytes()[..start]);
        bytes.extend_from_slice(&line.as_bytes()[end..]);
        bytes.push(b'\n');
    }
    out
}

#[derive(Debug)]
struct ValueError;

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no")
    }
}

impl StdError for ValueError {}
