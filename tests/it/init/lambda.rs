//! Before the first event: what Lambda and the log see.

use powertools::testing::{FakeRuntime, FunctionProcess, Outcome};
use serde_json::json;
use std::time::{Duration, Instant};
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
    for part in [
        "WARN",
        "one ",
        "value ",
        "fails failed",
        "(no such table)",
        "panics panicked",
        "(in a warm-up)",
    ] {
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
    assert!(line.contains("hangs timed out after 5 s and is initialised on first use"), "{line}");
}

#[tokio::test]
async fn the_start_timeout_bounds_warm_ups() {
    let lambda = FakeRuntime::new().env("WARM_UPS", "hangs").env("START_TIMEOUT_MILLIS", "1100");
    let function = spawn(&lambda);
    assert_eq!(lambda.invoke(json!("value")).await.json::<String>(), "first");
    let line = function.stdout_line("warm-up: ").await.unwrap();
    assert!(line.contains("hangs timed out after 1.1 s and is initialised on first use"), "{line}");
}

#[tokio::test]
async fn a_required_warm_up_that_fails_is_reported_and_ends_the_function() {
    for (warm_ups, error_type, message) in [
        (
            "one required-fails",
            "Powertools.WarmUpFailed",
            "the warm-up of required-fails failed: no such table",
        ),
        (
            "required-panics",
            "Powertools.WarmUpPanicked",
            "the warm-up of required-panics panicked: in a warm-up",
        ),
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
    assert_eq!(reported.error_type, "Powertools.WarmUpFailed");
    assert_eq!(reported.error_message, "the warm-up of required-restored failed: no such table");
    assert!(matches!(event.outcome().await, Outcome::Exited(told) if told == *reported));
}

#[tokio::test]
async fn a_snapshot_hook_that_goes_wrong_is_reported_and_ends_the_function() {
    for (hook, error_type, message) in [
        (
            "before-fails",
            "Powertools.SnapshotHookFailed",
            "the hook before_snapshot failed: connection reset",
        ),
        (
            "before-panics",
            "Powertools.SnapshotHookPanicked",
            "the hook before_snapshot panicked: in a hook",
        ),
        (
            "after-fails",
            "Powertools.SnapshotHookFailed",
            "the hook after_restore failed: connection reset",
        ),
        (
            "after-panics",
            "Powertools.SnapshotHookPanicked",
            "the hook after_restore panicked: in a hook",
        ),
    ] {
        let lambda = FakeRuntime::new()
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
            .env("SNAPSHOT_HOOKS", hook);
        let function = spawn(&lambda);
        let _event = lambda.send(json!("answer"));
        assert_eq!(function.wait().await.code(), Some(1), "{hook}");

        let (expected, others) = match hook.starts_with("before") {
            true => (lambda.init_errors(), lambda.restore_errors()),
            false => (lambda.restore_errors(), lambda.init_errors()),
        };
        let [reported] = &expected[..] else { panic!("one report for {hook}: {expected:?}") };
        assert_eq!((&*reported.error_type, &*reported.error_message), (error_type, message));
        assert_eq!(others, []);
        let lines = function.stderr();
        assert!(lines.iter().any(|line| line.contains(message.rsplit(": ").next().unwrap())));
    }
}

#[tokio::test]
async fn a_required_warm_up_that_fails_is_reported_at_once() {
    let lambda = FakeRuntime::new().env("WARM_UPS", "hangs required-fails");
    let start = Instant::now();
    let function = spawn(&lambda);
    assert_eq!(function.wait().await.code(), Some(1));
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    let lines = function.stdout();
    let line = lines.iter().find(|line| line.contains("warm-up: ")).unwrap();
    assert!(line.contains("hangs was abandoned, required-fails failed"), "{line}");
}

/// Nothing can stop it, but a warning reports it.
#[tokio::test]
async fn a_warm_up_that_blocks_its_thread_is_told_of_afterwards() {
    let lambda = FakeRuntime::new().env("TOKIO_WORKER_THREADS", "1").env("WARM_UPS", "blocks");
    let function = spawn(&lambda);
    let line = function.stdout_line("blocked their threads").await.unwrap();
    assert!(line.contains("WARN") && line.contains("took_ms"), "{line}");
}

/// There is no invocation before the first event, so its absence is not a mistake.
#[tokio::test]
async fn a_guard_in_a_warm_up_does_not_warn() {
    let lambda = FakeRuntime::new().env("WARM_UPS", "guarded");
    let function = spawn(&lambda);
    assert!(lambda.invoke(json!("answer")).await.response().is_some());
    let warnings = |lines: Vec<String>| {
        lines.iter().filter(|line| line.contains("outside an invocation")).count()
    };
    assert_eq!(warnings(function.stdout()), 0);
    lambda.invoke(json!("stray")).await;
    function.kill().await;
    assert_eq!(warnings(function.stdout()), 1, "the one warning is not used up");
}
