use std::process::Command;
use std::time::Duration;

use powertools::testing::{Event, FakeRuntime, Outcome};
use serde_json::json;

#[tokio::test]
async fn the_event_of_a_killed_function_can_be_delivered_again() {
    let lambda = FakeRuntime::new();
    let first = lambda.spawn(function()).unwrap();
    let stuck = lambda.send(json!("hang"));
    let event = Event::new(json!("answer"));
    let waiting = lambda.send(event.clone());

    let line = first.stdout_line("hanging").await.expect("it says so");
    assert_eq!(line, format!("hanging in {}", stuck.request_id()));
    assert!(first.stderr_line("no way out").await.is_some());
    assert!(!first.kill().await.success());

    let killed = stuck.outcome().await;
    assert!(matches!(killed, Outcome::Exited(_)));
    assert_eq!(killed.error_type(), Some("Runtime.ExitError"));
    assert!(matches!(waiting.outcome().await, Outcome::Exited(_)));
    assert_eq!(first.stdout(), [line]);
    assert_eq!(first.id(), None);

    let _second = lambda.spawn(function()).unwrap();
    let redelivered = lambda.send(event);
    assert_eq!(redelivered.request_id(), waiting.request_id());
    assert!(redelivered.outcome().await.json::<bool>());
}

#[tokio::test]
async fn a_function_is_killed_at_the_deadline_of_its_event() {
    let lambda = FakeRuntime::new();
    let function = lambda.spawn(function()).unwrap();
    let event = Event::new(json!("hang")).request_id("r-1").timeout(Duration::from_millis(500));

    let outcome = lambda.invoke(event).await;
    let Outcome::TimedOut(diagnostic) = outcome else { panic!("got {outcome:?}") };
    assert_eq!(diagnostic.error_type, "Sandbox.Timedout");
    assert_eq!(diagnostic.error_message, "RequestId: r-1 Error: Task timed out after 0.50 seconds");
    assert_eq!(function.id(), None, "the outcome comes when the process is gone");
    assert!(!function.wait().await.success());
}

#[tokio::test]
async fn a_function_that_takes_many_events_is_not_killed_at_a_deadline() {
    let lambda = FakeRuntime::new().concurrency(2);
    let _function = lambda.spawn(function()).unwrap();
    let event = Event::new(json!("hang")).timeout(Duration::from_millis(200));
    assert!(matches!(lambda.invoke(event).await, Outcome::TimedOut(_)));
    assert!(lambda.invoke(json!("answer")).await.response().is_some());
}

#[tokio::test]
async fn a_function_that_exits_reports_its_status() {
    let lambda = FakeRuntime::new();
    let function = lambda.spawn(function()).unwrap();
    let outcome = lambda.invoke(Event::new(json!({ "exit": 3 })).request_id("r-1")).await;
    assert_eq!(function.wait().await.code(), Some(3));
    assert_eq!(
        outcome.diagnostic().unwrap().error_message,
        "RequestId: r-1 Error: Runtime exited with error: exit status: 3"
    );
}

#[tokio::test]
async fn a_function_ends_with_its_handle_or_its_lambda() {
    let lambda = FakeRuntime::new();
    let function = lambda.spawn(self::function()).unwrap();
    let stuck = lambda.send(json!("hang"));
    stuck.delivered().await;
    drop(function);
    assert!(matches!(stuck.outcome().await, Outcome::Exited(_)));

    let function = lambda.spawn(self::function()).unwrap();
    drop(lambda);
    assert!(!function.wait().await.success());
}

#[tokio::test]
async fn two_processes_share_the_queue() {
    let lambda = FakeRuntime::new();
    let _one = lambda.spawn(function()).unwrap();
    let _two = lambda.spawn(function()).unwrap();
    let stuck = lambda.send(json!("hang"));
    stuck.delivered().await;
    assert!(lambda.invoke(json!("answer")).await.response().is_some());
}

#[tokio::test]
async fn a_program_that_does_not_exist_is_an_error() {
    let lambda = FakeRuntime::new();
    let waiting = lambda.send(json!("answer"));
    assert!(lambda.spawn(Command::new("/does/not/exist")).is_err());
    assert!(matches!(waiting.outcome().await, Outcome::Exited(_)));
}

fn function() -> Command {
    Command::new(env!("CARGO_BIN_EXE_function"))
}
