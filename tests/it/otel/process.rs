//! Functions of their own processes, with `Powertools` setting their subscribers.

use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use powertools::testing::{Event, FunctionProcess, events};
use powertools_tests::otlp::{Answer, Received, decode};
use serde_json::{Value as Json, json};

use super::*;

fn program(mode: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_spans"));
    program.arg(mode);
    program
}

fn lines(function: &FunctionProcess) -> Vec<Json> {
    let stdout = function.stdout();
    stdout.iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The spans of the lines of a function.
fn spans(lines: &[Json]) -> Vec<Received> {
    let payloads = lines.iter().filter(|line| line["__otel_otlp_stdout"].is_string());
    let decoded = payloads.flat_map(|line| {
        let payload = STANDARD.decode(line["payload"].as_str().unwrap()).unwrap();
        let mut body = Vec::new();
        let mut gzip = flate2::read::GzDecoder::new(&*payload);
        std::io::Read::read_to_end(&mut gzip, &mut body).unwrap();
        decode(&body)
    });
    decoded.collect()
}

/// Returns a function that has answered an event and ended.
async fn after_an_order(mode: &str) -> FunctionProcess {
    let lambda = FakeRuntime::new().function_name("orders");
    let function = lambda.spawn(program(mode)).unwrap();
    lambda.invoke(Event::new("order").trace_id(SAMPLED)).await.response().unwrap();
    function.kill().await;
    function
}

#[tokio::test]
async fn logs_and_spans_share_a_subscriber() {
    let function = after_an_order("logs").await;
    let lines = lines(&function);
    let spans = spans(&lines);
    let of = |name: &str| spans.iter().find(|received| received.span.name == name).unwrap();
    let (root, charge) = (of("orders"), of("charge"));
    assert_eq!((root.trace(), charge.parent()), (TRACE.to_owned(), root.id()));
    let line = lines.iter().find(|line| line["message"] == "charged").unwrap();
    assert_eq!((&line["trace_id"], &line["span_id"]), (&json!(TRACE), &json!(charge.id())));
    assert_eq!(charge.text("card").as_deref(), Some("*****"));
    assert_eq!(line["card"], "*****");
    // The warm-up is one of the spans of the first event. What it logged could not know that trace.
    assert_eq!(of("warm-up").parent(), of("init").id());
    assert_eq!(of("warm-up").trace(), TRACE);
    let line = lines.iter().find(|line| line["message"] == "warming up").unwrap();
    assert_eq!((line.get("trace_id"), line.get("span_id")), (None, None), "{line}");

    let line = lines.iter().find(|line| line["__otel_otlp_stdout"].is_string()).unwrap();
    assert_eq!(line["source"], "orders");
    assert_eq!(line["method"], "POST");
    assert_eq!(line["endpoint"], "http://localhost:4318/v1/traces");
    assert_eq!(line["content-type"], "application/x-protobuf");
    assert_eq!(line["content-encoding"], "gzip");
    assert_eq!(line["base64"], true);
}

/// Lambda counts JSON without a level as INFO.
#[tokio::test]
async fn a_level_of_lambda_that_can_drop_the_lines_is_warned_about() {
    for (level, warns) in [("INFO", false), ("WARN", true)] {
        let lambda = FakeRuntime::new().function_name("orders").env("AWS_LAMBDA_LOG_LEVEL", level);
        let function = lambda.spawn(program("logs")).unwrap();
        lambda.invoke(Event::new("order").trace_id(SAMPLED)).await.response().unwrap();
        function.kill().await;
        let stdout = function.stdout().join("\n");
        let message = "Lambda can drop the lines of the spans";
        assert_eq!(stdout.contains(message), warns, "{level}: {stdout}");
    }
}

/// Their names were free when the line of the key was written, and that of the span.
#[tokio::test]
async fn keys_and_spans_from_before_the_ids_do_not_take_their_names() {
    let function = after_an_order("around").await;
    let stdout = function.stdout();
    let line = stdout.iter().find(|line| line.contains(r#""charged""#)).unwrap();
    crate::logging::no_name_twice(line).unwrap();
    let line: Json = serde_json::from_str(line).unwrap();
    assert_eq!((&line["trace_id"], &line["trace_id_"]), (&json!(TRACE), &json!("of the process")));
    assert_eq!(line["span_id_"], "of the program");
    let spans = spans(&lines(&function));
    let charge = spans.iter().find(|received| received.span.name == "charge").unwrap();
    assert_eq!(line["span_id"], charge.id());
}

#[tokio::test]
async fn without_logs_there_are_spans_all_the_same() {
    let function = after_an_order("alone").await;
    let spans = spans(&lines(&function));
    assert!(spans.iter().any(|received| received.span.name == "charge"), "{spans:?}");
}

#[tokio::test]
async fn a_subscriber_without_the_layer_is_a_warning() {
    let function = after_an_order("other").await;
    let lines = lines(&function);
    let names: Vec<_> = spans(&lines).into_iter().map(|received| received.span.name).collect();
    assert_eq!(names, ["init", "orders"]);
    let warning = lines.iter().find(|line| line["level"] == "WARN").unwrap();
    assert!(warning["message"].as_str().unwrap().contains("Otel::layer"), "{warning}");
}

#[tokio::test]
async fn a_warning_without_logs_is_written_by_the_subscriber_or_else_to_the_standard_error() {
    let part = "OTEL_EXPORTER_OTLP_TIMEOUT";
    for (mode, level, to_stdout, to_stderr) in [
        // No subscriber; one that takes no line; one that does; logs, and logs without warnings.
        ("alone", "INFO", 0, 1),
        ("bare", "INFO", 0, 1),
        ("own", "INFO", 1, 0),
        ("logs", "INFO", 1, 0),
        ("logs", "ERROR", 0, 0),
    ] {
        let lambda = FakeRuntime::new()
            .function_name("orders")
            .env("POWERTOOLS_LOG_LEVEL", level)
            .env(part, "soon");
        let function = lambda.spawn(program(mode)).unwrap();
        for _ in 0..2 {
            lambda.invoke(Event::new("order").trace_id(SAMPLED)).await.response().unwrap();
        }
        function.kill().await;
        let count = |lines: Vec<String>| lines.iter().filter(|line| line.contains(part)).count();
        let written = (count(function.stdout()), count(function.stderr()));
        assert_eq!(written, (to_stdout, to_stderr), "{mode} at {level}: {function:?}");
    }
}

#[tokio::test]
async fn spans_from_before_a_snapshot_are_in_no_trace() {
    let lambda = FakeRuntime::new()
        .function_name("orders")
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start");
    let function = lambda.spawn(program("logs")).unwrap();
    lambda.invoke(Event::new("order").trace_id(SAMPLED)).await.response().unwrap();
    function.kill().await;
    let spans = spans(&lines(&function));
    // That of the restore alone.
    let warm_ups = spans.iter().filter(|received| received.span.name == "warm-up");
    assert_eq!(warm_ups.count(), 1);
    let init = spans.iter().find(|received| received.span.name == "init").unwrap();
    assert_eq!(init.trace(), TRACE);
}

#[tokio::test]
async fn the_initialisation_of_a_restored_environment_begins_with_the_restore() {
    let lambda = FakeRuntime::new()
        .function_name("orders")
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start");
    let function = lambda.spawn(program("across")).unwrap();
    function.stdout_line("before the snapshot").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let restored = nanos();
    lambda.invoke(Event::new("order").trace_id(SAMPLED)).await.response().unwrap();
    function.kill().await;
    let spans = spans(&lines(&function));
    let of = |name: &str| spans.iter().find(|received| received.span.name == name);
    assert!(of("hook").is_none(), "it is of no environment");
    let (init, held) = (of("init").unwrap(), of("held").unwrap());
    assert!(init.span.start_time_unix_nano >= restored);
    // It was open before the snapshot: what is shown is its part in this environment.
    assert_eq!(held.span.start_time_unix_nano, init.span.start_time_unix_nano);
    assert_eq!(held.parent(), init.id());
}

#[tokio::test]
async fn each_environment_of_a_snapshot_has_a_name_of_its_own() {
    let mut instances = std::collections::BTreeSet::new();
    for _ in 0..2 {
        let lambda = FakeRuntime::new()
            .function_name("orders")
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "of the snapshot");
        let function = lambda.spawn(program("alone")).unwrap();
        for _ in 0..2 {
            lambda.invoke(Event::new("order").trace_id(SAMPLED)).await.response().unwrap();
        }
        function.kill().await;
        for received in spans(&lines(&function)) {
            let Some(Value::StringValue(instance)) = received.resource.get("faas.instance") else {
                panic!("{received:?}")
            };
            assert_eq!(instance.len(), 32, "{instance}");
            instances.insert(instance.clone());
        }
    }
    assert_eq!(instances.len(), 2, "{instances:?}");
}

/// Nobody reads, or the disk is full: spans are lost, and invocations are not.
#[tokio::test]
async fn a_closed_standard_output_fails_no_invocation() {
    for stdout in [">(true)", "/dev/full"] {
        let lambda = FakeRuntime::new().function_name("orders");
        let mut program = Command::new("bash");
        let line = format!(r#"exec "$0" logs > {stdout}"#);
        program.args(["-c", &line, env!("CARGO_BIN_EXE_spans")]);
        let function = lambda.spawn(program).unwrap();
        for _ in 0..3 {
            let outcome = lambda.invoke(Event::new("order").trace_id(SAMPLED)).await;
            assert_eq!(outcome.json::<String>(), "order");
        }
        function.kill().await;
        assert!(lines(&function).is_empty());
    }
}

#[tokio::test]
async fn an_interval_sends_the_rest_when_the_environment_ends() {
    let collector = Collector::start().await;
    let lambda = FakeRuntime::new()
        .function_name("orders")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    let function = lambda.spawn(program("every")).unwrap();
    lambda.invoke(Event::new("order").trace_id(SAMPLED)).await.response().unwrap();
    assert!(collector.spans().is_empty());
    function.shut_down().await;
    assert_eq!(collector.span("charge").trace(), TRACE);
}

/// Not even to find the address of this host.
#[tokio::test]
async fn an_export_starts_no_thread() {
    let collector = Collector::start().await;
    let endpoint = format!("http://localhost:{}", collector.port());
    let lambda =
        FakeRuntime::new().function_name("orders").env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    let function = lambda.spawn(program("often")).unwrap();
    lambda.invoke(Event::new("order").trace_id(SAMPLED)).await.response().unwrap();
    let exported = async {
        while collector.spans().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), exported).await.unwrap();
    let threads = format!("/proc/{}/task", function.id().unwrap());
    assert_eq!(std::fs::read_dir(threads).unwrap().count(), 1);
    function.kill().await;
}

/// What the interval is sending would be lost, and what came since as well.
#[tokio::test]
async fn the_environment_ends_after_a_flush_that_is_being_sent_and_one_more() {
    let collector = Collector::start().await;
    collector.answer(Answer::Slow(Duration::from_millis(150)));
    let lambda = FakeRuntime::new()
        .function_name("orders")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    let function = lambda.spawn(program("often")).unwrap();
    let event = || Event::new("order").trace_id(SAMPLED);
    lambda.invoke(event()).await.response().unwrap();
    while collector.requests().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    collector.answer(Answer::Take);
    lambda.invoke(event()).await.response().unwrap();
    function.shut_down().await;
    let spans = collector.spans();
    assert_eq!(spans.iter().filter(|received| received.span.name == "charge").count(), 2);
}

/// Their tasks are dropped after the batch has ended.
#[tokio::test]
async fn the_last_flush_has_the_spans_of_records_that_were_stopped_in_tasks() {
    let collector = Collector::start().await;
    let lambda = FakeRuntime::new()
        .function_name("orders")
        .timeout(SECOND)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    let function = lambda.spawn(program("records")).unwrap();
    let event = events::sqs("orders").message(json!("order")).build();
    lambda.invoke(Event::new(event).trace_id(SAMPLED)).await.response().unwrap();
    function.shut_down().await;
    let call = collector.span("call");
    assert_eq!(
        (call.trace(), call.status()),
        (TRACE.to_owned(), (2, "stopped before its end".to_owned()))
    );
}

#[tokio::test]
async fn a_line_at_the_end_of_a_thread_has_no_ids_and_does_no_harm() {
    let lambda = FakeRuntime::new().function_name("orders");
    let function = lambda.spawn(program("ends")).unwrap();
    let outcome = lambda.invoke(Event::new("order").trace_id(SAMPLED)).await;
    assert_eq!(outcome.json::<String>(), "order", "{:?}", function.stderr());
    function.kill().await;
    let lines = lines(&function);
    let last = lines.iter().filter(|line| line["message"] == "the thread ends");
    assert_eq!(last.count(), 3, "{lines:?}");
}

#[tokio::test]
async fn an_event_within_another_leaves_the_numbers_of_that() {
    let function = after_an_order("nested").await;
    let spans = spans(&lines(&function));
    let step = spans.iter().find(|received| received.span.name == "step").unwrap();
    for (event, field, number) in
        [("before", "order", 7), ("then", "order", 8), ("outer", "order", 9), ("inner", "size", 3)]
    {
        let fields = step.event(event).unwrap();
        assert_eq!(fields[field], Value::IntValue(number), "{event}");
    }
}
