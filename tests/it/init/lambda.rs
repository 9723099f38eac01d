//! Before the first event: what Lambda and the log see.

use powertools::testing::{FakeRuntime, FunctionProcess, Outcome};
use serde_json::json;
use std::time::Duration;
use tokio::process::Command;

fn spawn(lambda: &FakeRuntime) -> FunctionProcess {
    lambda.spawn(Command::new(env!("CARGO_BIN_EXE_lifecycle"))).unwrap()
}

#[tokio::test]
async fn warm_ups_are_done_before_the_first_event_and_told_in_one_line() {
    let lambda = FakeRuntime::new().env("WARM_UPS", "one value fails panics");
    let function = spawn(&lambda);
    assert_eq!(lambda.invoke(json!("value")).await.json::<String>(), "first");
    function.kill().await;

    let lines = function.stdout();
    let about: Vec<_> = lines.iter().filter(|line| line.contains("warm-up: ")).collect();
    let [line] = about[..] else { panic!("one line: {lines:?}") };
    for part in ["WARN", "one ", "value ", "fails failed", "(no such table)", "panics panicked"] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert_eq!(lines.iter().filter(|line| *line == "making value 1").count(), 1, "{lines:?}");
}

#[tokio::test]
async fn a_warm_up_that_hangs_holds_the_first_event_up_for_a_bounded_time() {
    let lambda = FakeRuntime::new().env("WARM_UPS", "hangs value");
    let function = spawn(&lambda);
    let event = powertools::testing::Event::new(json!("value")).timeout(Duration::from_secs(20));
    assert_eq!(lambda.invoke(event).await.json::<String>(), "first");
    let line = function.stdout_line("warm-up: ").await.unwrap();
    assert!(line.contains("hangs was not done after 5 s and is left to first use"), "{line}");
}

#[tokio::test]
async fn a_required_warm_up_that_fails_is_reported_and_ends_the_function() {
    for (warm_ups, error_type, message) in [
        (
            "one required-fails",
            "Powertools.WarmUpFailed",
            "the warm-up of required-fails failed: no such table",
        ),
        ("required-panics", "Powertools.WarmUpPanicked", "the warm-up of required-panics panicked"),
    ] {
        let lambda = FakeRuntime::new().env("WARM_UPS", warm_ups);
        let function = spawn(&lambda);
        let event = lambda.send(json!("answer"));
        assert_eq!(function.wait().await.code(), Some(1));

        let errors = lambda.init_errors();
        let [reported] = &errors[..] else { panic!("one report: {errors:?}") };
        assert_eq!((&*reported.error_type, &*reported.error_message), (error_type, message));
        assert!(matches!(event.outcome().await, Outcome::Exited(told) if told == *reported));
    }
}

#[tokio::test]
async fn after_a_restore_values_are_made_anew() {
    let lambda = FakeRuntime::new()
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
        .env("SNAPSHOT_HOOKS", "pool cache")
        .env("WARM_UPS", "value");
    let function = spawn(&lambda);
    function.stdout_line("before pool").await.expect("the snapshot is taken without an event");
    assert_eq!(lambda.invoke(json!("value")).await.json::<String>(), "second");
    assert_eq!(lambda.invoke(json!("value")).await.json::<String>(), "second");
    function.kill().await;

    let lines = function.stdout();
    let own: Vec<_> = lines.iter().filter(|line| !line.contains("warm-up: ")).collect();
    assert_eq!(
        own,
        [
            "making value 1",
            "before cache",
            "before pool",
            "after pool",
            "after cache",
            "making value 2",
        ]
    );
    let warm_ups = lines.iter().filter(|line| line.contains("warm-up: value")).count();
    assert_eq!(warm_ups, 2, "{lines:?}");
}

#[tokio::test]
async fn a_required_warm_up_that_fails_after_a_restore_is_one_of_the_restore() {
    let lambda = FakeRuntime::new()
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
        .env("WARM_UPS", "required-restored");
    let function = spawn(&lambda);
    let event = lambda.send(json!("answer"));
    assert_eq!(function.wait().await.code(), Some(1));
    let errors = lambda.restore_errors();
    let [reported] = &errors[..] else { panic!("one report: {errors:?}") };
    assert_eq!(reported.error_message, "the warm-up of required-restored failed");
    assert!(matches!(event.outcome().await, Outcome::Exited(_)));
}
