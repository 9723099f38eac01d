//! The end of an environment, in real processes.

use powertools::testing::{FakeRuntime, FunctionProcess, Outcome};
use serde_json::json;
use tokio::process::Command;

fn spawn(lambda: &FakeRuntime) -> FunctionProcess {
    lambda.spawn(Command::new(env!("CARGO_BIN_EXE_lifecycle"))).unwrap()
}

fn hooks(function: &FunctionProcess) -> Vec<String> {
    function.stdout().into_iter().filter(|line| line.starts_with("hook ")).collect()
}

#[tokio::test]
async fn hooks_run_in_order_between_two_invocations() {
    let lambda = FakeRuntime::new().env("SHUTDOWN_HOOKS", "one two");
    let function = spawn(&lambda);
    assert!(lambda.invoke(json!("answer")).await.response().is_some());
    assert!(function.shut_down().await.success());
    assert_eq!(hooks(&function), ["hook one", "hook two"]);
}

#[tokio::test]
async fn an_invocation_that_ends_in_time_is_answered_before_the_hooks_run() {
    let lambda = FakeRuntime::new().env("SHUTDOWN_HOOKS", "one");
    let function = spawn(&lambda);
    let event = lambda.send(json!({ "sleep": 150 }));
    function.stdout_line("sleeping").await.unwrap();
    assert!(function.shut_down().await.success());
    assert_eq!(event.outcome().await.json::<String>(), "slept");
    assert_eq!(hooks(&function), ["hook one"]);
}

#[tokio::test]
async fn an_invocation_that_does_not_end_is_cut_off_and_the_hooks_run() {
    let lambda = FakeRuntime::new().env("SHUTDOWN_HOOKS", "one");
    let function = spawn(&lambda);
    let event = lambda.send(json!("hang"));
    function.stdout_line("hanging").await.unwrap();
    assert!(function.shut_down().await.success());
    assert!(matches!(event.outcome().await, Outcome::Exited(_)));
    assert_eq!(hooks(&function), ["hook one"]);
    let lines = function.stdout();
    assert!(lines.iter().any(|line| line.contains("in the middle of an invocation")), "{lines:?}");
}

#[tokio::test]
async fn a_function_without_hooks_registers_nothing_and_is_killed() {
    let lambda = FakeRuntime::new();
    let function = spawn(&lambda);
    assert!(lambda.invoke(json!("answer")).await.response().is_some());
    assert!(!function.shut_down().await.success());
}

#[tokio::test]
async fn a_refused_extension_is_a_warning() {
    let lambda = FakeRuntime::new().refuse_extensions().env("SHUTDOWN_HOOKS", "one");
    let function = spawn(&lambda);
    assert!(lambda.invoke(json!("answer")).await.response().is_some());
    let line = function.stdout_line("shutdown hooks will not run").await.unwrap();
    assert!(line.contains("WARN"), "{line}");
    assert!(!function.shut_down().await.success());
    assert_eq!(hooks(&function), [""; 0]);
}
