//! Guards against a fake of Lambda: what it still receives when the time runs out.

use std::future::pending;
use std::sync::Arc;
use std::time::Instant;

use lambda_runtime::streaming::{Body, channel};
use lambda_runtime::{Diagnostic, Error, FunctionResponse, LambdaEvent};
use powertools::deadline::DeadlineLayer;
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::testing::{Event, FakeRuntime, Outcome};
use powertools::{Deadline, Powertools};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use super::{Duration, MILLI, SECOND};

const OUT_OF_TIME: &str = "Powertools.DeadlineOutOfTime";

#[tokio::test]
async fn the_error_reaches_lambda_before_the_process_is_killed() {
    let lambda = FakeRuntime::new().timeout(3 * SECOND);
    let function = lambda.spawn(lifecycle()).unwrap();
    let outcome = lambda.invoke(json!("hang")).await;
    assert_eq!(outcome.error_type(), Some(OUT_OF_TIME), "{outcome:?}");
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");

    assert!(lambda.invoke(json!("answer")).await.response().is_some(), "the process goes on");
    assert!(function.id().is_some());
}

#[tokio::test]
async fn a_function_without_the_guard_is_killed_at_its_deadline() {
    let lambda = FakeRuntime::new().timeout(SECOND).env("WITHOUT_DEADLINE", "1");
    let function = lambda.spawn(lifecycle()).unwrap();
    let outcome = lambda.invoke(json!("hang")).await;
    assert!(matches!(outcome, Outcome::TimedOut(_)), "{outcome:?}");
    assert_eq!(function.id(), None);
}

#[tokio::test]
async fn a_fallback_reaches_lambda_before_the_process_is_killed() {
    let lambda = FakeRuntime::new().timeout(3 * SECOND);
    let _function = lambda.spawn(lifecycle()).unwrap();
    let outcome = lambda.invoke(json!("fall_back")).await;
    assert_eq!(outcome.json::<String>(), "accepted");
}

/// The claim is released in the time that the guard leaves: the event that is delivered again runs.
#[tokio::test]
async fn the_claim_of_a_stopped_function_is_released() {
    let lambda = FakeRuntime::new().timeout(3 * SECOND);
    let function = lambda.spawn(Command::new(env!("CARGO_BIN_EXE_charge"))).unwrap();
    let hangs = json!({ "id": "order-1", "hang": true });
    let outcome = lambda.invoke(hangs).await;
    assert_eq!(outcome.error_type(), Some("Powertools.IdempotencyOutOfTime"), "{outcome:?}");

    let again = lambda.invoke(json!({ "id": "order-1" })).await;
    assert_eq!(again.json::<String>(), "charged order-1");
    function.kill().await;
    let charges = function.stdout().iter().filter(|line| *line == "charging order-1").count();
    assert_eq!(charges, 2);
}

#[tokio::test]
async fn the_standard_stack_releases_the_claim() {
    let idempotency = Idempotency::new(MemoryStore::new()).unwrap();
    let key = |event: &LambdaEvent<String>| event.payload.clone();
    let stack = Powertools::new(hang_on_first)
        .idempotent(idempotency, "charge", move |work, event: &LambdaEvent<String>| {
            work.key(&key(event))
        })
        .deadline_reserve(SECOND);
    let lambda = FakeRuntime::new().timeout(3 * SECOND);
    let _function = lambda.run(stack.run());
    let outcome = lambda.invoke(json!("order-1")).await;
    assert_eq!(outcome.error_type(), Some("Powertools.IdempotencyOutOfTime"), "{outcome:?}");
    assert_eq!(lambda.invoke(json!("order-1")).await.json::<String>(), "charged order-1");
}

async fn hang_on_first(event: LambdaEvent<String>) -> Result<String, Error> {
    static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    if CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
        pending::<()>().await;
    }
    Ok(format!("charged {}", event.payload))
}

/// The standard stack guards a handler whose error type has no conversion from the guard's.
#[tokio::test]
async fn every_error_type_is_accepted() {
    #[derive(Debug)]
    struct Own;
    impl From<Own> for Diagnostic {
        fn from(_: Own) -> Self {
            Self { error_type: "Own".to_owned(), error_message: String::new() }
        }
    }
    let handler = async |event: LambdaEvent<bool>| match event.payload {
        true => pending().await,
        false => Err::<Value, _>(Own),
    };
    let lambda = FakeRuntime::new().timeout(2 * SECOND);
    let _function = lambda.run(Powertools::new(handler).run());
    assert_eq!(lambda.invoke(json!(false)).await.error_type(), Some("Own"));
    assert_eq!(lambda.invoke(json!(true)).await.error_type(), Some(OUT_OF_TIME));
}

#[tokio::test]
async fn a_boxed_error_of_a_guard_keeps_its_name() {
    let layered = Powertools::new(boxed).layer(DeadlineLayer::new().reserve(SECOND));
    let lambda = FakeRuntime::new().timeout(3 * SECOND);
    let _function = lambda.run(layered.run());
    let outcome = lambda.invoke(json!(null)).await;
    assert_eq!(outcome.error_type(), Some(OUT_OF_TIME), "{outcome:?}");
    let message = &outcome.diagnostic().unwrap().error_message;
    let left = message
        .strip_prefix("the work was stopped ")
        .and_then(|rest| rest.strip_suffix(" before the deadline of the invocation"))
        .unwrap_or_else(|| panic!("{message}"));
    // Written with one unit or the other: 998.5ms, 1.0005s.
    let millis = match left.strip_suffix("ms") {
        Some(millis) => millis.parse::<f64>().unwrap(),
        None => left.strip_suffix('s').unwrap().parse::<f64>().unwrap() * 1000.0,
    };
    // Stopped a second before the deadline, or later on a busy machine.
    assert!((500.0..=1000.0 + 50.0).contains(&millis), "{message}");
}

async fn boxed(_: LambdaEvent<Value>) -> Result<Value, Error> {
    pending().await
}

/// A body continues after its handler has returned.
#[tokio::test]
async fn a_streamed_body_that_hangs_is_ended_before_the_timeout() {
    for concurrency in [1, 2] {
        let lambda = FakeRuntime::new().timeout(2 * SECOND).concurrency(concurrency);
        let _function = lambda.run(Powertools::new(stream).run());
        let hanging: Vec<_> = (0..concurrency).map(|_| lambda.send(json!("hang"))).collect();
        for event in hanging {
            let outcome = event.outcome().await;
            let Outcome::Response(response) = &outcome else { panic!("{outcome:?}") };
            let content = String::from_utf8_lossy(&response.content()).into_owned();
            let trailers = content.strip_prefix("hello").unwrap_or_else(|| panic!("{content}"));
            let told = "Lambda-Runtime-Function-Error-Type: Runtime.StreamError";
            assert!(trailers.starts_with(told), "{trailers}");
        }
        // The workers are free again.
        let whole = lambda.invoke(json!("end")).await;
        assert_eq!(whole.response().unwrap().content(), "hello");
        let plain = lambda.invoke(json!("buffer")).await;
        assert_eq!(plain.json::<String>(), "hello");
    }
}

#[tokio::test]
async fn a_streamed_body_without_the_guard_is_not_ended() {
    let lambda = FakeRuntime::new().timeout(SECOND).concurrency(2);
    let _function = lambda.run(Powertools::new(stream).without_deadline().run());
    let outcome = lambda.invoke(json!("hang")).await;
    assert!(matches!(outcome, Outcome::TimedOut(_)), "{outcome:?}");
}

async fn stream(event: LambdaEvent<String>) -> Result<FunctionResponse<&'static str, Body>, Error> {
    if event.payload == "buffer" {
        return Ok(FunctionResponse::BufferedResponse("hello"));
    }
    let (mut sender, body) = channel();
    tokio::spawn(async move {
        let _ = sender.send_data("hello".into()).await;
        if event.payload == "hang" {
            pending::<()>().await;
        }
    });
    Ok(FunctionResponse::StreamingResponse(body.into()))
}

/// Lambda Managed Instances do not stop them.
#[tokio::test]
async fn each_of_many_handlers_that_overrun_is_stopped() {
    let running = Arc::new(());
    let own = running.clone();
    let handler = move |event: LambdaEvent<bool>| {
        let running = own.clone();
        async move {
            let _running = running;
            if event.payload {
                pending::<()>().await;
            }
            Ok::<_, Error>("done")
        }
    };
    let lambda = FakeRuntime::new().concurrency(8).timeout(2 * SECOND);
    let function = lambda.run(Powertools::new(handler).run());
    let events: Vec<_> = (0..32).map(|number| lambda.send(json!(number % 4 != 0))).collect();
    for (number, event) in events.iter().enumerate() {
        let outcome = event.outcome().await;
        match number % 4 {
            0 => assert_eq!(outcome.json::<String>(), "done"),
            _ => assert_eq!(outcome.error_type(), Some(OUT_OF_TIME), "{outcome:?}"),
        }
    }
    // One is the test's own, and the services of the workers have the others.
    let held = Arc::strong_count(&running);
    assert!(held <= 2 + 8 + 1, "{held} handlers are still there");
    function.stop().await;
}

#[tokio::test]
async fn a_server_that_never_answers_does_not_cause_a_timeout() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let handler = move |_: LambdaEvent<Value>| async move {
        let server = TcpStream::connect(address).await?;
        server.readable().await?;
        Ok::<_, Error>("answered")
    };
    let lambda = FakeRuntime::new().timeout(2 * SECOND);
    let _function = lambda.run(Powertools::new(handler).run());
    let start = Instant::now();
    let outcome = lambda.invoke(json!(null)).await;
    assert_eq!(outcome.error_type(), Some(OUT_OF_TIME), "{outcome:?}");
    assert!(start.elapsed() >= 1400 * MILLI, "{:?}", start.elapsed());
    drop(silent);
}

#[tokio::test]
async fn a_handler_that_blocks_its_thread_causes_a_warning_afterwards() {
    let lambda = FakeRuntime::new().timeout(2 * SECOND);
    let function = lambda.spawn(lifecycle()).unwrap();
    let blocked = lambda.invoke(json!({ "block": 1800 })).await;
    assert_eq!(blocked.json::<String>(), "unblocked", "its late result still counts");
    function.kill().await;
    let lines = function.stdout();
    let warning = lines.iter().find(|line| line.contains("blocked its thread"));
    let warning = warning.unwrap_or_else(|| panic!("a warning says so: {lines:?}"));
    assert!(warning.contains("overrun_ms") && warning.contains("WARN"), "{warning}");
}

#[tokio::test]
async fn a_guard_outside_an_invocation_warns_once_in_lambda() {
    let lambda = FakeRuntime::new();
    let function = lambda.spawn(lifecycle()).unwrap();
    for _ in 0..3 {
        assert_eq!(lambda.invoke(json!("stray")).await.json::<String>(), "without a limit");
    }
    function.kill().await;
    let lines = function.stdout();
    let warnings = lines.iter().filter(|line| line.contains("outside an invocation")).count();
    assert_eq!(warnings, 1, "{lines:?}");
}

#[tokio::test]
async fn a_shortened_reserve_warns_once() {
    let lambda = FakeRuntime::new().timeout(600 * MILLI);
    let function = lambda.spawn(lifecycle()).unwrap();
    for _ in 0..3 {
        let event = Event::new(json!("answer"));
        assert!(lambda.invoke(event).await.response().is_some());
    }
    function.kill().await;
    let lines = function.stdout();
    let warnings = lines.iter().filter(|line| line.contains("more than half")).count();
    assert_eq!(warnings, 1, "{lines:?}");
}

#[tokio::test]
async fn the_handler_sees_the_time_that_the_stack_leaves_it() {
    let handler = async |_: LambdaEvent<Value>| {
        Ok::<_, Error>(u64::try_from(Deadline::current().remaining().as_millis())?)
    };
    let lambda = FakeRuntime::new().timeout(10 * SECOND);
    let stack = Powertools::new(handler).deadline_reserve(4 * SECOND);
    let _function = lambda.run(stack.run());
    let left = Duration::from_millis(lambda.invoke(json!(null)).await.json());
    assert!(left <= 6 * SECOND && left > 4 * SECOND, "{left:?}");
}

fn lifecycle() -> Command {
    Command::new(env!("CARGO_BIN_EXE_lifecycle"))
}
