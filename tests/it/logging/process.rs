//! A process that logs to its standard output.

use std::fs::File;
use std::io::pipe;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lambda_runtime::Diagnostic;
use powertools::testing::{Event, FakeRuntime, Outcome};
use serde_json::{Value, json};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_logs"))
}

/// What a function writes for one event.
async fn logged(lambda: &FakeRuntime, event: &str) -> (Outcome, Vec<Value>) {
    let function = lambda.spawn(program()).unwrap();
    let outcome = lambda.send(Event::new(event).request_id("r-1")).outcome().await;
    function.kill().await;
    let lines = function.stdout();
    (outcome, lines.iter().map(|line| serde_json::from_str(line).expect(line)).collect())
}

#[tokio::test]
async fn a_panic_has_one_line_with_its_place_and_its_invocation() {
    let lambda = FakeRuntime::new();
    let (outcome, lines) = logged(&lambda, "panic").await;
    let told = Diagnostic {
        error_type: "Powertools.Panic".to_owned(),
        error_message: "the handler panicked: on purpose".to_owned(),
    };
    assert_eq!(outcome.diagnostic(), Some(&told));

    let [kept, panic] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!((&kept["level"], &kept["message"]), (&json!("DEBUG"), &json!("kept")));
    assert_eq!(panic["level"], "ERROR");
    assert_eq!(panic["message"], "panicked: on purpose");
    assert_eq!(panic["exception"], "on purpose");
    assert_eq!(panic["exception_name"], "Powertools.Panic");
    assert_eq!(panic["function_request_id"], "r-1");
    let place = panic["panic_location"].as_str().unwrap();
    assert!(place.starts_with("tests/src/bin/logs.rs:"), "{place}");
}

#[tokio::test]
async fn a_handler_that_runs_out_of_time_writes_the_buffer_and_its_error() {
    let lambda = FakeRuntime::new().timeout(Duration::from_millis(1_200));
    let (outcome, lines) = logged(&lambda, "overrun").await;
    assert_eq!(outcome.error_type(), Some("Powertools.DeadlineOutOfTime"));

    let [kept, error] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!((&kept["level"], &kept["message"]), (&json!("DEBUG"), &json!("kept")));
    assert_eq!(
        (&error["level"], &error["message"]),
        (&json!("ERROR"), &json!("the handler failed"))
    );
    assert_eq!(error["exception_name"], "Powertools.DeadlineOutOfTime");
    assert_eq!(error["function_request_id"], "r-1");
}

#[tokio::test]
async fn a_panic_of_a_task_is_logged() {
    let lambda = FakeRuntime::new();
    let (outcome, lines) = logged(&lambda, "panic in a task").await;
    assert_eq!(outcome.json::<String>(), "panic in a task");
    let [_, panic] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!(
        (&panic["exception"], &panic["function_request_id"]),
        (&json!("in a task"), &json!("r-1"))
    );
}

#[tokio::test]
async fn an_error_after_a_panic_that_was_caught_is_logged() {
    let lambda = FakeRuntime::new();
    let (_, lines) = logged(&lambda, "caught").await;
    let exceptions: Vec<_> = lines.iter().map(|line| &line["exception"]).collect();
    assert_eq!(exceptions, [&json!(null), &json!("caught"), &json!("something else")]);
}

#[tokio::test]
async fn the_environment_configures_the_logs() {
    let lambda = FakeRuntime::new()
        .env("POWERTOOLS_LOGGER_LOG_EVENT", "1")
        .env("POWERTOOLS_SERVICE_NAME", "orders");
    let (_, lines) = logged(&lambda, "event").await;
    let [event] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!((&event["message"], &event["service"]), (&json!("event"), &json!("orders")));
    assert_eq!(event["cold_start"], true);

    let lambda = FakeRuntime::new().env("AWS_LAMBDA_LOG_LEVEL", "FATAL");
    assert_eq!(logged(&lambda, "panic").await.1, [] as [Value; 0]);
}

/// What a function of this kind writes for one event.
async fn logged_like(kind: &str, lambda: &FakeRuntime) -> (Outcome, Vec<Value>) {
    let mut program = program();
    program.arg(kind);
    let function = lambda.spawn(program).unwrap();
    let outcome = lambda.send(Event::new("fails").request_id("r-1")).outcome().await;
    function.kill().await;
    let lines = function.stdout();
    (outcome, lines.iter().map(|line| serde_json::from_str(line).expect(line)).collect())
}

/// Returns what a program in this mode writes for one event.
async fn stdout(like: &str, event: &str) -> Vec<String> {
    let mut program = program();
    program.arg(like);
    let lambda = FakeRuntime::new();
    let function = lambda.spawn(program).unwrap();
    lambda.send(Event::new(event).request_id("r-1")).outcome().await;
    function.kill().await;
    function.stdout()
}

#[tokio::test]
async fn a_subscriber_that_was_set_for_a_while_changes_nothing() {
    let lines = stdout("earlier", "caught").await;
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines[2].contains(r#""exception":"something else""#), "{lines:#?}");
}

#[tokio::test]
async fn an_existing_subscriber_is_kept_with_one_warning() {
    let lines = stdout("preset", "caught").await;
    assert!(lines[0].starts_with("WARN a tracing subscriber is set already"), "{lines:#?}");
    assert_eq!(lines[1], "ERROR the handler failed");
    assert!(lines.iter().skip(1).all(|line| line.starts_with("ERROR")), "{lines:#?}");
}

#[tokio::test]
async fn the_layer_among_others_logs_panics_if_configured() {
    let lines = stdout("among others", "panic").await;
    let lines: Vec<_> = lines.iter().filter(|line| line.starts_with('{')).collect();
    let [panic] = lines[..] else { panic!("{lines:#?}") };
    assert!(panic.contains(r#""message":"panicked: on purpose""#), "{panic}");
}

/// Returns what a program writes that does not hang.
fn stdout_in_time(program: &mut Command) -> Vec<String> {
    let mut program = program.stdout(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while program.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(30) {
            program.kill().unwrap();
            panic!("it hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let text = std::io::read_to_string(program.stdout.unwrap()).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// A panic in what another layer writes finds that layer locked.
#[test]
fn a_panic_inside_another_layer_has_a_line() {
    let lines = stdout_in_time(program().arg("locked"));
    assert!(lines[0].contains(r#""message":"panicked: in a value""#), "{lines:?}");
}

#[test]
fn the_code_of_a_record_can_log_panic_and_enter_an_invocation() {
    let lines = stdout_in_time(program().arg("records of the user"));
    let [lines @ .., reply] = &lines[..] else { panic!("nothing is written") };
    assert_eq!(reply, r#"{"batchItemFailures":[{"itemIdentifier":"panics"}]}"#);
    let lines = lines.iter().map(|line| {
        let line: Value = serde_json::from_str(line).expect(line);
        json!([line["message"], line["record"], line["attempt"]])
    });
    let expected = [
        json!(["asked", null, null]),
        json!(["one", "logs", 2]),
        json!(["two", "logs", 2]),
        json!(["panicked: asked", null, null]),
        json!(["one", null, null]),
        json!(["two", null, null]),
        json!(["a record failed", "panics", null]),
        json!(["one", "enters", 2]),
        json!(["two", "enters", 2]),
    ];
    assert_eq!(lines.collect::<Vec<_>>(), expected);
}

#[test]
fn a_layer_can_do_again_what_a_warning_is_about() {
    let mut program = program();
    program.arg("a layer that reacts").env("POWERTOOLS_PARAMETERS_MAX_AGE", "long");
    let lines = stdout_in_time(&mut program);
    for warning in ["half of the invocation's time in reserve", "POWERTOOLS_PARAMETERS_MAX_AGE"] {
        assert_eq!(lines.iter().filter(|line| line.contains(warning)).count(), 1, "{lines:?}");
    }
}

#[tokio::test]
async fn an_anyhow_error_has_its_stack_trace_where_one_was_captured() {
    let lambda = FakeRuntime::new().env("RUST_BACKTRACE", "1");
    let (_, lines) = logged_like("anyhow", &lambda).await;
    let error = lines.last().unwrap();
    assert_eq!(error["exception"], "no order");
    assert_eq!(error["exception_chain"], json!(["no number in fails"]));
    assert!(error["stack_trace"].as_str().unwrap().contains("logs::fails"), "{error}");

    let lambda = FakeRuntime::new().env("RUST_BACKTRACE", "0");
    let (_, lines) = logged_like("anyhow", &lambda).await;
    assert_eq!(lines.last().unwrap().get("stack_trace"), None);
}

#[tokio::test]
async fn a_streamed_body_that_fails_or_panics_is_logged_once() {
    for (event, message, exception) in [
        ("fail", "the handler failed", "connection reset"),
        ("panic", "panicked: in the body", "in the body"),
    ] {
        let lines = stdout("streamed", event).await;
        let [line] = &lines[..] else { panic!("{lines:#?}") };
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line["level"], &line["message"]), (&json!("ERROR"), &json!(message)));
        assert_eq!(line["exception"], exception);
        assert_eq!(line["function_request_id"], "r-1");

        let lines = stdout("streamed among others", event).await;
        let [line] = &lines[..] else { panic!("{lines:#?}") };
        let expected = "WARN the body of a streamed response was truncated: ";
        assert!(line.starts_with(expected) && line.ends_with(exception), "{line}");
    }
}

#[tokio::test]
async fn a_panic_under_the_plain_runtime_has_one_line() {
    let lines = stdout("plain", "panic").await;
    let [panic] = &lines[..] else { panic!("{lines:#?}") };
    assert!(panic.contains(r#""message":"panicked: on purpose""#), "{panic}");
    assert!(panic.contains(r#""function_request_id":"r-1""#), "{panic}");
}

#[tokio::test]
async fn an_invalid_variable_is_an_error_at_start() {
    let lambda = FakeRuntime::new().env("POWERTOOLS_LOG_LEVEL", "loud");
    let function = lambda.spawn(program()).unwrap();
    assert_eq!(function.wait().await.code(), Some(1));
    let [line] = &function.stderr()[..] else { panic!("{:?}", function.stderr()) };
    assert!(line.contains("POWERTOOLS_LOG_LEVEL is \"loud\": a level is one of TRACE,"), "{line}");
}

#[test]
fn each_line_is_one_write() {
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    let reader = std::thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        let mut writes = Vec::new();
        while let Ok(length @ 1..) = ours.recv(&mut buffer) {
            writes.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
            if writes.len() == 100 {
                break;
            }
        }
        writes
    });
    let status = program().arg("lines").stdout(OwnedFd::from(theirs)).status().unwrap();
    assert!(status.success());
    for (number, write) in reader.join().unwrap().iter().enumerate() {
        let line: Value = serde_json::from_str(write.strip_suffix('\n').unwrap()).unwrap();
        assert_eq!(line["number"], number);
    }
}

#[test]
fn a_closed_pipe_and_a_full_disk_end_nothing() {
    let (reader, closed) = pipe().unwrap();
    drop(reader);
    let full = File::options().write(true).open("/dev/full").unwrap();
    for stdout in [Stdio::from(closed), Stdio::from(full)] {
        let output = program().arg("lines").stdout(stdout).stderr(Stdio::piped()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "done\n");
    }
}

#[test]
fn a_second_subscriber_is_an_error() {
    let output = program().arg("twice").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("a tracing subscriber is set already"), "{said}");
}

#[test]
fn a_value_that_logs_loses_no_line() {
    let output = program().arg("nested").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let messages: Vec<_> = lines.iter().map(|line| &line["message"]).collect();
    assert_eq!(messages, ["inner", "inner", "outer value"]);
    assert_eq!(lines[2]["value"], "value");
    assert_eq!(lines[2].get("inner"), None);
}
