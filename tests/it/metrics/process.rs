//! A process that measures to its standard output.

use std::io::pipe;
use std::process::{Command, Stdio};
use std::time::Duration;

use powertools::testing::{Event, FakeRuntime, MetricLine, Outcome};
use serde_json::{Value, json};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_metrics"))
}

fn lambda() -> FakeRuntime {
    FakeRuntime::new()
        .env("POWERTOOLS_METRICS_NAMESPACE", "Shop")
        .env("POWERTOOLS_SERVICE_NAME", "orders")
}

/// What a function answers to one event, and the lines of metrics that it writes.
async fn measured(lambda: &FakeRuntime, event: &str) -> (Outcome, Vec<MetricLine>) {
    let function = lambda.spawn(program()).unwrap();
    let outcome = lambda.send(Event::new(event)).outcome().await;
    function.kill().await;
    (outcome, metric_lines(&function.stdout()))
}

fn metric_lines(stdout: &[String]) -> Vec<MetricLine> {
    let lines = stdout.iter().filter(|line| line.starts_with(r#"{"_aws""#));
    lines.map(|line| MetricLine::parse(line)).collect()
}

#[tokio::test]
async fn a_function_writes_lines_of_its_environment() {
    let (outcome, lines) =
        measured(&lambda().env("POWERTOOLS_METRICS_FUNCTION_NAME", "orders-fn"), "go").await;
    assert!(outcome.response().is_some());
    let [cold_start, line] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!(cold_start.metrics["ColdStart"].values, [1.0]);
    assert_eq!(cold_start.dimensions["function_name"], "orders-fn");
    assert_eq!((&*line.namespace, &*line.dimensions["service"]), ("Shop", "orders"));
    assert_eq!(line.metrics["Received"].values, [1.0]);
}

#[tokio::test]
async fn a_function_that_runs_out_of_time_writes_what_it_measured() {
    let (outcome, lines) = measured(&lambda().timeout(Duration::from_millis(1_200)), "hang").await;
    assert_eq!(outcome.error_type(), Some("Powertools.DeadlineOutOfTime"));
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1].metrics["Received"].values, [1.0]);
}

#[tokio::test]
async fn a_function_that_is_killed_has_written_what_was_flushed_and_each_wide_line() {
    let (outcome, lines) = measured(&lambda().timeout(Duration::from_secs(1)), "block").await;
    assert!(matches!(outcome, Outcome::TimedOut(_)), "{outcome:?}");
    let [_, step, flushed] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!(
        (&step.properties["step"], &step.metrics["done"].values[..]),
        (&json!("first"), &[1.0][..])
    );
    assert_eq!(flushed.metrics.keys().collect::<Vec<_>>(), ["Received"]);
}

#[tokio::test]
async fn a_function_without_a_namespace_does_not_start() {
    let lambda = FakeRuntime::new();
    let function = lambda.spawn(program()).unwrap();
    let outcome = lambda.send(Event::new("go")).outcome().await;
    let told = outcome.diagnostic().expect("it does not start");
    assert_eq!(told.error_type, "Powertools.MetricsNamespaceMissing");
    function.kill().await;
}

/// Without `Powertools` nothing knows the end of the handler, but the invocation has one.
#[tokio::test]
async fn an_invocation_that_is_dropped_writes_its_line() {
    let mut program = program();
    program.arg("plain");
    let lambda = lambda();
    let function = lambda.spawn(program).unwrap();
    for _ in 0..2 {
        assert!(lambda.send(Event::new("go")).outcome().await.response().is_some());
    }
    function.kill().await;
    let lines = metric_lines(&function.stdout());
    // The second event is asked for after the first one's line.
    assert!(!lines.is_empty());
    assert!(lines.iter().all(|line| line.metrics["Received"].values == [1.0]));
}

fn outside(namespace: Option<&str>) -> Vec<String> {
    let mut program = program();
    program.arg("outside").env_remove("POWERTOOLS_METRICS_NAMESPACE");
    program.envs(namespace.map(|namespace| ("POWERTOOLS_METRICS_NAMESPACE", namespace)));
    let output = program.output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn outside_an_invocation_each_value_is_written_at_once() {
    let lines = metric_lines(&outside(Some("Shop")));
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line.metrics["Runs"].values == [1.0]));
    assert_eq!(lines[2].dimensions["kind"], "nightly");
}

#[test]
fn without_a_namespace_and_powertools_there_is_one_warning_and_no_line() {
    let lines = outside(None);
    let [line] = &lines[..] else { panic!("{lines:#?}") };
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["level"], "WARN");
    assert!(line["message"].as_str().unwrap().contains("POWERTOOLS_METRICS_NAMESPACE"));
}

/// Nobody reads: a line is lost, and the invocation is not.
#[tokio::test]
async fn a_closed_standard_output_fails_no_invocation() {
    for stdout in [">(true)", "/dev/full"] {
        let mut program = Command::new("bash");
        let line = format!(r#"exec "$0" > {stdout}"#);
        program.args(["-c", &line, env!("CARGO_BIN_EXE_metrics")]);
        let lambda = lambda();
        let function = lambda.spawn(program).unwrap();
        for _ in 0..3 {
            let outcome = lambda.invoke(Event::new("go")).await;
            assert_eq!(outcome.json::<String>(), "go");
        }
        function.kill().await;
        assert!(function.stdout().is_empty());
    }
}

#[tokio::test]
async fn a_closed_standard_output_fails_nothing_outside_of_invocations() {
    let mut program = program();
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    program.arg("outside").env("POWERTOOLS_METRICS_NAMESPACE", "Shop");
    let status = program.stdout(Stdio::from(writer)).status().unwrap();
    assert!(status.success());
}

/// What was measured by the environment alone does not decide for later.
#[tokio::test]
async fn a_value_before_the_start_hinders_none_after_it() {
    let lambda = FakeRuntime::new();
    let mut program = program();
    program.arg("before");
    let function = lambda.spawn(program).unwrap();
    assert_eq!(lambda.invoke(Event::new("go")).await.json::<String>(), "go");
    function.kill().await;
    let lines = metric_lines(&function.stdout());
    assert_eq!(["Boot", "WarmUps", "Received"].map(|name| count(&lines, name)), [0, 1, 1]);
}

/// The warning about the variable must meet neither a lock that the value holds nor the invocation borrowed.
#[tokio::test]
async fn a_subscriber_can_measure_the_warning_of_an_invalid_variable() {
    // The dimension has a warning of its own.
    for (arguments, runs, warnings) in [(&["counted"][..], 2, 2), (&["counted", "dimension"], 1, 4)]
    {
        let mut program = program();
        program.args(arguments).env("POWERTOOLS_METRICS_NAMESPACE", "Shop");
        program.env("POWERTOOLS_METRICS_DISABLED", "perhaps");
        let output = tokio::process::Command::from(program).kill_on_drop(true).output();
        let output = tokio::time::timeout(Duration::from_secs(30), output).await;
        let output = output.expect("it hangs").unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {stderr}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        let lines = stdout.lines().map(MetricLine::parse).collect::<Vec<_>>();
        let counted = ["Runs", "Warnings"].map(|name| count(&lines, name));
        assert_eq!(counted, [runs, warnings], "{arguments:?}: {stdout}");
    }
}

/// All metrics are lost, and nothing else would say so.
#[tokio::test]
async fn without_a_subscriber_a_warning_is_a_line_of_the_standard_error() {
    let mut program = program();
    program.arg("silent").env_remove("POWERTOOLS_METRICS_NAMESPACE");
    let output = program.output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty());
    let stderr = String::from_utf8(output.stderr).unwrap();
    let [line] = &stderr.lines().collect::<Vec<_>>()[..] else { panic!("{stderr}") };
    assert!(line.starts_with("WARN powertools::metrics: no metrics are written"), "{line}");
}

/// How many values a metric has.
fn count(lines: &[MetricLine], name: &str) -> usize {
    lines.iter().filter_map(|line| line.metrics.get(name)).map(|metric| metric.values.len()).sum()
}

/// Lambda counts JSON without a level as INFO.
#[tokio::test]
async fn a_level_of_lambda_that_can_drop_the_lines_is_warned_about() {
    for (level, warns) in [("INFO", false), ("WARN", true)] {
        let lambda = lambda().env("AWS_LAMBDA_LOG_LEVEL", level);
        let function = lambda.spawn(program()).unwrap();
        lambda.invoke(Event::new("go")).await;
        function.kill().await;
        let stdout = function.stdout().join("\n");
        let message = "Lambda can drop the lines of the metrics";
        assert_eq!(stdout.contains(message), warns, "{level}: {stdout}");
    }
}
