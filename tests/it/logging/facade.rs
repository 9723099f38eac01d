//! Records of the `log` facade.

use std::sync::Once;

use powertools::logging as logs;
use serde_json::json;

use super::{logged_in_invocation, logging};

/// Every thread's records go to the subscriber of that thread.
pub(crate) fn forward() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| logs::forward_log().expect("nobody else sets a logger"));
}

#[test]
fn a_record_has_a_line_like_that_of_an_event() {
    forward();
    let lines = logged_in_invocation(logging(), || {
        log::error!("lost {}", 7);
        let expected = line!() - 1;
        log::info!(target: "orders", "accepted");
        log::debug!("not at this level");
        tracing::info!(expected);
    });
    let lines = lines.json();
    let [error, info, own] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!((&error["level"], &error["message"]), (&json!("ERROR"), &json!("lost 7")));
    assert_eq!(error["location"], format!("it::logging::facade:{}", own["expected"]));
    assert!(info["location"].as_str().unwrap().starts_with("orders:"), "{info}");
    let names = |line: &serde_json::Value| -> Vec<String> {
        line.as_object().unwrap().keys().cloned().collect()
    };
    let mut of_event = names(own);
    of_event.retain(|name| name != "expected");
    of_event.push("message".to_owned());
    of_event.sort();
    assert_eq!(names(error), of_event);
}

#[test]
fn levels_of_targets_hold_for_records() {
    forward();
    let logging = logging().filter("orders=debug,noise=off");
    let lines = logged_in_invocation(logging, || {
        log::debug!(target: "orders::charge", "said");
        log::error!(target: "noise", "never");
        log::debug!(target: "rustls", "never");
    });
    assert_eq!(lines.messages(), ["said"]);
}

#[test]
fn records_are_buffered_and_sampled() {
    forward();
    let records = || {
        log::debug!(target: "hyper::client", "noise");
        log::debug!("kept");
        log::error!("error");
    };
    let lines = logged_in_invocation(logging().buffer(1024), records);
    assert_eq!(lines.messages(), ["kept", "error"]);
    let lines = logged_in_invocation(logging().sample_rate(1.0), records);
    assert_eq!(lines.messages(), ["kept", "error"]);
}

#[test]
fn a_second_logger_is_an_error() {
    forward();
    let error = logs::forward_log().unwrap_err();
    assert_eq!(error.error_type(), "Powertools.LoggingLoggerAlreadySet");
}
