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
fn a_line_over_its_limit_is_truncated_and_keeps_its_ids() {
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
    assert!(text.len() <= 1_024 && text.contains("é… service="), "{text}");
}

#[test]
fn the_longest_values_are_truncated_and_not_the_last() {
    let lines = logged_in_invocation(logging().line_limit(2_048), || {
        let error = "x".parse::<i32>().unwrap_err();
        tracing::info!(
            first = "f".repeat(3_000),
            second = "s".repeat(2_000),
            order_id = 7,
            note = "n".repeat(100),
            error = &error as &(dyn std::error::Error + 'static),
            "m"
        );
    });
    let text = lines.take();
    assert!(text.len() <= 2_048 && text.len() > 1_900, "{}", text.len());
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&line["message"], &line["order_id"]), (&"m".into(), &7.into()));
    assert_eq!(line["note"], "n".repeat(100));
    assert_eq!(line["exception"], "invalid digit found in string");
    assert_eq!(line["exception_name"], "ParseIntError");
    let cut = |name: &str| line[name].as_str().unwrap().len();
    assert!(cut("first").abs_diff(cut("second")) < 8, "{line}");
}

#[test]
fn an_error_has_its_place_beside_ten_thousand_keys() {
    let lines = logged_in_invocation(logging().line_limit(2_048), || {
        for number in 0..10_000 {
            powertools::logging::append(format!("key_{number}"), number);
        }
        let error = "x".parse::<i32>().unwrap_err();
        tracing::info!(error = &error as &(dyn std::error::Error + 'static), "m");
    });
    let line = lines.one();
    assert_eq!((&line["key_0"], &line["exception_name"]), (&0.into(), &"ParseIntError".into()));
}

#[test]
fn the_lines_own_values_are_truncated_if_they_are_too_long() {
    let service = "s".repeat(5_000);
    let lines = logged_in_invocation(logging().service(service).line_limit(1_024), || {
        tracing::info!(target: "a_target_of_two_hundred_and_more_bytes_a_target_of_two_hundred_and_more_bytes_a_target_of_two_hundred_and_more_bytes_a_target_of_two_hundred_and_more_bytes_a_target_of_two_hundred_and_more_bytes_", order = 7, "m");
    });
    let text = lines.take();
    assert!(text.len() <= 1_024, "{}", text.len());
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["function_request_id"], "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
    assert_eq!((&line["message"], &line["order"]), (&"m".into(), &7.into()));
    assert!(line["service"].as_str().unwrap().ends_with("s…"));
}

#[test]
fn a_truncated_text_line_is_marked_and_keeps_its_ids() {
    let text = logging().line_limit(1_024).format(Format::Text);
    let lines = logged_in_invocation(text, || {
        powertools::logging::append("appended", "a".repeat(3_000));
        tracing::info!(order = 7, "{}", "é".repeat(3_000));
        tracing::info!(field = "é".repeat(3_000), "short");
    });
    let text = lines.take();
    for line in text.lines() {
        assert!(line.len() < 1_024 && line.len() > 900, "{}", line.len());
        for part in ["2026-11-21T02:32:01.566Z INFO ", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"] {
            assert!(line.contains(part), "{line}");
        }
        assert!(line.ends_with("… truncated=true"), "{line}");
    }
    assert!(text.lines().next().unwrap().contains("é… order=7 "), "{text}");
    assert!(text.lines().nth(1).unwrap().contains(": short field=\"éé"), "{text}");
}

#[test]
fn a_line_at_its_limit_is_not_truncated() {
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
