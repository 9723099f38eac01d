//! `Powertools` on the wire: what Lambda sees of a function.

use std::fmt::Debug;
use std::future::{Ready, ready};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use lambda_runtime::{Diagnostic, Error, LambdaEvent};
use powertools::idempotency::{
    self, EpochMillis, Idempotency, MemoryStore, StoreError, StoreErrorKind,
};
use powertools::testing::{Event, FakeRuntime, Outcome};
use powertools::{Clock, Invocation, Powertools};
use serde_json::{Value, json};
use tokio::sync::Barrier;

const KEY_MISSING: &str = "Powertools.IdempotencyKeyMissing";
const MESSAGE: &str = "the event has no idempotency key for charge";

#[tokio::test]
async fn an_error_of_the_toolkit_keeps_its_name_in_every_kind_of_box() {
    let boxed = report(async |_| Err::<Value, Error>(key_missing().into())).await;
    assert_eq!(boxed, diagnostic(KEY_MISSING, MESSAGE));

    let anyhow = report(async |_| Err::<Value, _>(anyhow::Error::from(key_missing()))).await;
    assert_eq!(anyhow, diagnostic(KEY_MISSING, MESSAGE));

    let bare = report(async |_| Err::<Value, _>(key_missing())).await;
    assert_eq!(bare, diagnostic(KEY_MISSING, MESSAGE));
}

#[tokio::test]
async fn an_error_of_the_toolkit_keeps_its_name_when_context_is_added() {
    let once = report(async |_| Err::<Value, _>(key_missing()).context("cannot charge")).await;
    assert_eq!(once, diagnostic(KEY_MISSING, &format!("cannot charge: {MESSAGE}")));

    let twice = report(async |_| {
        let inner: Result<Value, _> = Err(key_missing()).context("cannot charge");
        Ok::<_, Error>(inner.context("cannot order")?)
    })
    .await;
    let message = format!("cannot order: cannot charge: {MESSAGE}");
    assert_eq!(twice, diagnostic(KEY_MISSING, &message));
}

#[tokio::test]
async fn an_error_of_the_toolkit_is_reported_with_its_causes() {
    let failed = report(async |_| {
        let cause = std::io::Error::other("connection reset");
        let error = StoreError::new(StoreErrorKind::Throttled, "table `orders` takes no more");
        Err::<Value, Error>(idempotency::Error::from(error.caused_by(cause)).into())
    })
    .await;
    let message = "the idempotency store failed: table `orders` takes no more: connection reset";
    assert_eq!(failed, diagnostic("Powertools.IdempotencyStoreThrottled", message));
}

/// 1,800 s is the longest timeout of a function, and 5,400 s that of one on Managed Instances.
#[tokio::test]
async fn the_longest_timeouts_are_those_of_the_event() {
    for seconds in [1_800, 5_400] {
        let store = MemoryStore::new();
        let idempotency = Idempotency::new(store.clone()).unwrap();
        let handle = move |event: LambdaEvent<String>| {
            let (idempotency, store) = (idempotency.clone(), store.clone());
            async move {
                let times = async {
                    let invocation = Invocation::current().expect("it runs in one");
                    let (_, record) = store.snapshot().remove(0);
                    let lease_end = record.in_progress_expiration.unwrap().0 / 1000;
                    Ok::<_, Error>((invocation.remaining().as_secs(), lease_end))
                };
                idempotency.run("charge", &event.payload, times).await
            }
        };
        let lambda = FakeRuntime::new();
        let _function = lambda.run(Powertools::new(handle).run());
        let event = Event::new("order").timeout(Duration::from_secs(seconds));
        let begun = EpochMillis::from(Clock::system().now()).0 / 1000;
        let (remaining, lease_end) = lambda.invoke(event).await.json::<(u64, u64)>();
        assert!((seconds - 30..=seconds).contains(&remaining), "{remaining} of {seconds}");
        // Nothing of the claim is limited before the deadline.
        let lease = lease_end - begun;
        assert!((seconds..=seconds + 60).contains(&lease), "{lease} of {seconds}");
    }
}

/// A handler's error as users write it, with names of their own.
#[derive(Debug, thiserror::Error)]
enum OrderError {
    #[error("no stock of {0}")]
    OutOfStock(&'static str),
    #[error(transparent)]
    Idempotency(#[from] idempotency::Error),
}

impl From<OrderError> for Diagnostic {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::OutOfStock(_) => diagnostic("OutOfStock", &error.to_string()),
            OrderError::Idempotency(error) => error.into(),
        }
    }
}

#[tokio::test]
async fn an_error_type_of_the_user_is_reported_as_it_converts() {
    let own = report(async |_| Err::<Value, _>(OrderError::OutOfStock("tea"))).await;
    assert_eq!(own, diagnostic("OutOfStock", "no stock of tea"));

    let converted = report(async |_| {
        Err::<(), _>(key_missing())?;
        Ok::<_, OrderError>(json!(null))
    })
    .await;
    assert_eq!(converted, diagnostic(KEY_MISSING, MESSAGE));
}

#[tokio::test]
async fn other_boxed_errors_have_one_name_and_their_causes() {
    let text = report(async |_| Err::<Value, Error>("no stock".into())).await;
    assert_eq!(text, diagnostic("HandlerError", "no stock"));

    let boxed = report(async |_| Err::<Value, Error>(OrderError::OutOfStock("tea").into())).await;
    assert_eq!(boxed, diagnostic("HandlerError", "no stock of tea"));

    let chain = report(async |_| {
        let inner = std::io::Error::other("disk full");
        Err::<Value, _>(anyhow::Error::from(inner).context("cannot write").context("cannot save"))
    })
    .await;
    assert_eq!(chain, diagnostic("HandlerError", "cannot save: cannot write: disk full"));
}

/// `lambda_runtime` names them `alloc::string::String` and `&str`.
#[tokio::test]
async fn strings_have_the_name_of_other_errors_without_one() {
    let string = report(async |_| Err::<Value, _>("no stock".to_owned())).await;
    assert_eq!(string, diagnostic("HandlerError", "no stock"));
    let literal = report(async |_| Err::<Value, _>("no stock")).await;
    assert_eq!(literal, diagnostic("HandlerError", "no stock"));
}

/// Lambda does not take an error of over 1 MiB: the invocation would end at its timeout, without a reason.
#[tokio::test]
async fn messages_too_long_for_lambda_are_truncated() {
    let error = report(async |_| Err::<Value, _>("x".repeat(2_000_000))).await;
    assert_eq!(error.error_type, "HandlerError");
    assert!(error.error_message.starts_with("xxx") && error.error_message.ends_with("x…"));
    let panic =
        report(async |_| -> Result<Value, Error> { panic!("{}", "x".repeat(2_000_000)) }).await;
    assert_eq!(panic.error_type, "Powertools.Panic");
}

#[tokio::test]
async fn panics_are_reported_and_do_not_end_the_function() {
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::new(panics_on_demand).run());
    let cases = [
        (json!("in the future"), "the handler panicked: in the future"),
        (json!("before the future"), "the handler panicked: before the future"),
        (json!("without a text"), "the handler panicked: the panic has no message"),
    ];
    for (event, message) in cases {
        let outcome = lambda.invoke(event).await;
        assert_eq!(outcome.diagnostic().unwrap(), &diagnostic("Powertools.Panic", message));
        assert_eq!(lambda.invoke(json!("none")).await.json::<Value>(), json!("none"));
    }
}

/// Not an async function: it can panic before it has made its future.
fn panics_on_demand(
    event: LambdaEvent<String>,
) -> impl Future<Output = Result<String, Error>> + Send + 'static {
    let when = event.payload;
    assert!(when != "before the future", "{when}");
    async move {
        match when.as_str() {
            "in the future" => panic!("{when}"),
            "without a text" => std::panic::panic_any(1),
            _ => Ok(when),
        }
    }
}

#[tokio::test]
async fn an_event_that_the_handler_cannot_read_is_an_error_and_ends_nothing() {
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::new(echo).run());
    let outcome = lambda.invoke(json!({ "not": "a text" })).await;
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    assert_eq!(lambda.invoke(json!("text")).await.json::<String>(), "text");
}

fn echo(event: LambdaEvent<String>) -> Ready<Result<String, Error>> {
    ready(Ok(event.payload))
}

#[tokio::test]
async fn the_environment_sets_the_number_of_concurrent_events() {
    let all = Arc::new(Barrier::new(16));
    let handler = move |_: LambdaEvent<Value>| {
        let all = all.clone();
        async move {
            // No handler passes this before all of them have arrived.
            all.wait().await;
            Ok::<_, Error>(json!("met"))
        }
    };
    let lambda = FakeRuntime::new().concurrency(16);
    let _function = lambda.run(Powertools::new(handler).run());
    let events: Vec<_> = (0..32).map(|number| lambda.send(json!(number))).collect();
    for event in events {
        assert_eq!(event.outcome().await.json::<Value>(), json!("met"));
    }
}

#[tokio::test]
async fn events_are_handled_one_after_another_by_default() {
    let inside = Arc::new(AtomicUsize::new(0));
    let handler = move |_: LambdaEvent<Value>| {
        let inside = inside.clone();
        async move {
            let others = inside.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            inside.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, Error>(json!(others))
        }
    };
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::new(handler).run());
    let events: Vec<_> = (0..16).map(|number| lambda.send(json!(number))).collect();
    for event in events {
        assert_eq!(event.outcome().await.json::<usize>(), 0);
    }
}

#[tokio::test]
async fn a_function_outside_lambda_explains_how_to_start_it() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_charge"));
    command.env_remove("AWS_LAMBDA_RUNTIME_API").stdin(Stdio::null());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let expected = "Error: this is a Lambda function and AWS_LAMBDA_RUNTIME_API is not set: start \
                    it with `cargo lambda watch` and send it events with `cargo lambda invoke`\n";
    assert_eq!(said, expected);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
}

#[tokio::test]
async fn the_variable_disables_idempotency_with_one_warning() {
    for word in ["true", "YES", "1"] {
        let lambda = FakeRuntime::new().env("POWERTOOLS_IDEMPOTENCY_DISABLED", word);
        let function = lambda.spawn(Command::new(env!("CARGO_BIN_EXE_charge"))).unwrap();
        for _ in 0..2 {
            let outcome = lambda.invoke(json!({ "id": "order-1" })).await;
            assert_eq!(outcome.json::<String>(), "charged order-1");
        }
        // An event without a key shows that no key is read.
        assert_eq!(lambda.invoke(json!({ "id": "" })).await.json::<String>(), "charged ");

        function.kill().await;
        let lines = function.stdout();
        assert_eq!(lines.iter().filter(|line| *line == "charging order-1").count(), 2, "{lines:?}");
        let warnings = lines.iter().filter(|line| line.contains("idempotency is off"));
        assert_eq!(warnings.count(), 1, "{lines:?}");
    }
}

#[tokio::test]
async fn idempotency_stays_enabled_if_the_variable_is_no() {
    let lambda = FakeRuntime::new().env("POWERTOOLS_IDEMPOTENCY_DISABLED", "no");
    let function = lambda.spawn(Command::new(env!("CARGO_BIN_EXE_charge"))).unwrap();
    for _ in 0..2 {
        let outcome = lambda.invoke(json!({ "id": "order-1" })).await;
        assert_eq!(outcome.json::<String>(), "charged order-1");
    }
    function.kill().await;
    let (warnings, lines): (Vec<_>, Vec<_>) =
        function.stdout().into_iter().partition(|line| line.contains("use a DynamoDbStore"));
    assert_eq!(lines, ["charging order-1"]);
    assert_eq!(warnings.len(), 1, "the store in memory warns once: {warnings:?}");
}

#[tokio::test]
async fn an_invalid_variable_for_idempotency_is_an_error_at_start() {
    let lambda = FakeRuntime::new().env("POWERTOOLS_IDEMPOTENCY_DISABLED", "perhaps");
    let function = lambda.spawn(Command::new(env!("CARGO_BIN_EXE_charge"))).unwrap();
    assert_eq!(function.wait().await.code(), Some(1));
    let [line] = &function.stderr()[..] else { panic!("{:?}", function.stderr()) };
    let problem = "POWERTOOLS_IDEMPOTENCY_DISABLED is neither true nor false";
    assert!(line.contains(problem), "{line}");
}

fn key_missing() -> idempotency::Error {
    idempotency::Error::KeyMissing { operation: "charge".to_owned() }
}

fn diagnostic(error_type: &str, message: &str) -> Diagnostic {
    Diagnostic { error_type: error_type.to_owned(), error_message: message.to_owned() }
}

/// Returns what Lambda receives for the error of a handler.
async fn report<F, Fut, E>(handler: F) -> Diagnostic
where
    F: FnMut(LambdaEvent<Value>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<Value, E>> + Send + 'static,
    E: Into<Diagnostic> + Debug + Send + 'static,
{
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::new(handler).run());
    let outcome = lambda.invoke(json!({})).await;
    let Outcome::Failed(diagnostic) = outcome else { panic!("it fails: {outcome:?}") };
    diagnostic
}

/// Every guard needs it, and would panic at every event.
#[test]
fn a_tokio_runtime_without_a_timer_is_an_error_at_the_start() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let error = runtime.block_on(async {
        let lambda = FakeRuntime::new();
        let handler = async |_: LambdaEvent<Value>| Ok::<_, Error>("answered");
        lambda.run(Powertools::new(handler).run()).wait().await.unwrap_err()
    });
    let error = error.downcast_ref::<powertools::runtime::StartError>().unwrap();
    assert!(error.to_string().contains("enable_all"), "{error}");
}
