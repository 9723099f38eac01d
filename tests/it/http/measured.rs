//! What the logs and metrics of an HTTP function say.

use std::time::Duration;

use lambda_runtime::Error;
use powertools::http::{Problem, Request, StatusCode};
use powertools::logging::correlation;
use powertools::metrics;
use powertools::testing::{self, Event, FakeRuntime};
use powertools::{LambdaError, Powertools};
use serde_json::{Value, json};

use super::events;
use crate::logging::{logging, start};

#[derive(Debug, thiserror::Error, LambdaError)]
enum OrderError {
    #[error("order 7 has been shipped")]
    #[http(status = 409)]
    Shipped,
    #[error("the warehouse does not answer")]
    #[http(status = 503)]
    Warehouse,
}

async fn handle(request: Request) -> Result<StatusCode, Error> {
    tracing::info!("handling");
    Err(match request.uri().path() {
        "/shipped" => OrderError::Shipped.into(),
        "/warehouse" => OrderError::Warehouse.into(),
        "/gone" => Problem::new(StatusCode::GONE).into(),
        "/other" => "secret".into(),
        "/panic" => panic!("secret"),
        "/hang" => std::future::pending().await,
        // An answer of the handler is its own, whatever its status is.
        "/answered" => return Ok(StatusCode::BAD_GATEWAY),
        _ => return Ok(StatusCode::OK),
    })
}

const PATHS: [(&str, u16, Option<&str>); 8] = [
    ("/", 200, None),
    ("/answered", 502, None),
    ("/shipped", 409, Some("INFO")),
    ("/gone", 410, Some("INFO")),
    ("/warehouse", 503, Some("ERROR")),
    ("/other", 500, Some("ERROR")),
    ("/panic", 500, Some("ERROR")),
    ("/hang", 503, Some("ERROR")),
];

fn event(path: &str) -> Event {
    let event = events::http_api("POST", path, "");
    Event::new(event).request_id("r-1").timeout(Duration::from_millis(1200))
}

#[tokio::test]
async fn failures_are_counted_and_other_errors_are_not() {
    for reported in [false, true] {
        for (path, status, level) in PATHS {
            let captured = testing::metrics();
            let settings = captured.settings().namespace(metrics::Namespace::from_static("Shop"));
            let function = Powertools::http(handle).metrics(settings.service("orders"));
            let function = if reported { function.report_errors() } else { function };
            let lambda = FakeRuntime::new();
            let _function = lambda.run(function.run());
            let outcome = lambda.invoke(event(path)).await;
            let counted: f64 = captured
                .lines()
                .iter()
                .filter_map(|line| line.metrics.get("RequestsFailed"))
                .flat_map(|metric| metric.values.clone())
                .sum();
            // Lambda counts what is reported to it.
            let is_failure = level == Some("ERROR") && !reported;
            assert_eq!(counted, f64::from(u8::from(is_failure)), "{path}, reported: {reported}");
            if !reported || level.is_none() {
                assert_eq!(outcome.json::<Value>()["statusCode"], status, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn each_line_has_the_correlation_id_and_errors_have_the_level_of_their_status() {
    // The hook of panics is not installed here: each of them has the line of its answer.
    for (path, status, level) in PATHS {
        let settings = || logging().correlation_id(correlation::API_GATEWAY_HTTP);
        let (lines, _guard) = start(settings());
        let lambda = FakeRuntime::new();
        let _function = lambda.run(Powertools::http(handle).logging(settings()).run());
        let reply: Value = lambda.invoke(event(path)).await.json();
        assert_eq!(reply["statusCode"], status, "{path}");
        let lines = lines.json();
        assert!(!lines.is_empty());
        for line in &lines {
            assert_eq!(line["correlation_id"], "r-1", "{path}: {line}");
            assert_eq!(line["function_request_id"], "r-1", "{path}: {line}");
        }
        let levels: Vec<_> = lines
            .iter()
            .filter(|line| line["message"] != "handling")
            .map(|line| &line["level"])
            .collect();
        let expected: Vec<_> = level.map(|level| json!(level)).into_iter().collect();
        assert_eq!(levels, expected.iter().collect::<Vec<_>>(), "{path}: {lines:#?}");
    }
}

#[tokio::test]
async fn without_the_logging_of_the_toolkit_a_failure_has_a_line_too() {
    for (path, status, level) in PATHS {
        let (lines, _guard) = start(logging());
        let lambda = FakeRuntime::new();
        let _function = lambda.run(Powertools::http(handle).run());
        let reply: Value = lambda.invoke(event(path)).await.json();
        assert_eq!(reply["statusCode"], status, "{path}");
        let lines = lines.json();
        let failed: Vec<_> = lines.iter().filter(|line| line["message"] != "handling").collect();
        match (level, &failed[..]) {
            (None, []) => {}
            (Some(level), [line]) => {
                assert_eq!(line["level"], level, "{path}");
                assert_eq!(line["function_request_id"], "r-1", "{path}");
                let message = line["message"].as_str().unwrap();
                assert!(path != "/panic" || message.contains("secret"), "{message}");
                assert!(line["error_type"].is_string(), "{line}");
            }
            _ => panic!("{path}: {lines:#?}"),
        }
    }
}

#[tokio::test]
async fn with_the_hook_a_panic_has_one_line_and_the_path_has_no_stage() {
    let event = |path| event(path).timeout(Duration::from_secs(60));
    // `lambda_http` reads this variable, and takes `false` for a yes.
    for ignored in [None, Some("false"), Some("true")] {
        let lambda = FakeRuntime::new();
        let lambda = match ignored {
            Some(value) => lambda.env("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH", value),
            None => lambda,
        };
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_logs"));
        program.arg("http");
        let function = lambda.spawn(program).unwrap();
        let reply: Value = lambda.invoke(event("/orders")).await.json();
        assert_eq!(reply["body"], "/orders", "{ignored:?}");
        let reply: Value = lambda.invoke(event("/panic")).await.json();
        assert_eq!(reply["statusCode"], 500);
        function.kill().await;
        let lines = function.stdout();
        let [line] = &lines[..] else { panic!("{lines:#?}") };
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line["level"], &line["exception"]), (&json!("ERROR"), &json!("secret")));
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_a_warning() {
    let (lines, _guard) = start(logging());
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(handle).logging(logging()).run());
    let mut invalid = events::http_api("POST", "/", "");
    invalid["body"] = "?".into();
    invalid["isBase64Encoded"] = true.into();
    let reply: Value = lambda.invoke(invalid).await.json();
    assert_eq!(reply["statusCode"], 400);
    let lines = lines.json();
    let [line] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!(
        (&line["level"], &line["message"]),
        (&json!("WARN"), &json!("a request could not be read"))
    );
}
