//! How executions end, for Lambda and for the function's own logs, metrics and lifecycle.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent};
use powertools::idempotency::{
    Claim, Completion, Idempotency, MemoryStore, Outcome as Written, Read, Record, Reentry,
    Release, Renewal, Store, StoreError, StoreErrorKind,
};
use powertools::logging::Logging;
use powertools::metrics;
use powertools::runtime::lifecycle::{HandlerEnds, Lifecycle, Moments, Outcome};
use powertools::testing::{self, Event, FakeRuntime};
use powertools::{Invocation, LambdaError, Powertools};
use powertools_durable::sdk::RetryDecision;
use powertools_durable::{DurableContext, DurableService, named, service_with};
use serde_json::{Value, json};
use tower::Service as _;
use tracing_subscriber::layer::SubscriberExt;

use crate::lambda::{Service, unless_lost};

#[derive(Debug, thiserror::Error, LambdaError)]
#[error("the card was declined")]
struct Declined;

/// What the lifecycle of a function has seen.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Lifecycle for Seen {
    fn moments(&self) -> Moments {
        Moments::HANDLER_ENDS
    }

    fn handler_ends(&self, ends: &HandlerEnds<'_>) {
        let is_suspended =
            Invocation::current().unwrap().execution().is_some_and(|it| it.is_suspended());
        let seen = match &ends.outcome {
            Outcome::Success if is_suspended => "suspended".to_owned(),
            Outcome::Success => "success".to_owned(),
            Outcome::Error(failure) => failure.diagnostic.error_type.clone(),
            Outcome::Panicked(_) => "panicked".to_owned(),
            Outcome::Stopped(failure) => failure.diagnostic.error_type.clone(),
            _ => "dropped".to_owned(),
        };
        self.0.lock().unwrap().push(seen);
    }
}

/// Executes a handler, and returns how the execution and its invocations ended.
async fn execute(handler: impl Fn() -> DurableService) -> (Value, Vec<String>) {
    execute_within(handler, Duration::from_secs(30)).await
}

async fn execute_within(
    handler: impl Fn() -> DurableService,
    timeout: Duration,
) -> (Value, Vec<String>) {
    unless_lost(async || {
        let seen = Seen::default();
        let lambda = FakeRuntime::new().timeout(timeout);
        let function = Powertools::service(handler()).lifecycle(seen.clone());
        let _function = lambda.run(async move { function.run().await });
        let service = Service::get();
        let arn = service.execute(&lambda, &json!({ "id": "order-7" })).await;
        Some((service.end(&arn).await?, seen.take()))
    })
    .await
}

async fn declines(_: Value, durable: DurableContext) -> Result<(), Error> {
    durable.wait(Duration::from_secs(60)).await?;
    Err(Declined.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_ends_the_execution_under_its_own_name_and_is_an_error_for_the_lifecycle() {
    let (end, seen) = execute(|| service_with(declines, Service::get().options())).await;
    assert_eq!(end["Status"], "FAILED", "{end}");
    assert_eq!(end["Error"]["ErrorType"], "Declined");
    assert_eq!(end["Error"]["ErrorMessage"], "the card was declined");
    assert!(end["Error"]["StackTrace"].as_array().is_none_or(Vec::is_empty), "{end}");
    assert_eq!(seen, ["suspended", "Declined"]);
}

async fn declines_in_a_step(_: Value, durable: DurableContext) -> Result<(), Error> {
    let charge = durable.step(|_| async { Err::<(), _>(named(Declined)) });
    let charged = charge.retry_strategy(|_, _| RetryDecision::Stop).await;
    durable.wait(Duration::from_secs(60)).await?;
    Ok(charged?)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_error_of_a_step_keeps_its_name_over_a_replay() {
    let (end, seen) = execute(|| service_with(declines_in_a_step, Service::get().options())).await;
    assert_eq!(end["Status"], "FAILED", "{end}");
    assert_eq!(end["Error"]["ErrorType"], "Declined", "{end}");
    assert_eq!(seen, ["suspended", "Powertools.DurableOperationFailed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_steps_end_the_execution_with_a_fixed_error() {
    let changing = || {
        let runs = AtomicU32::new(0);
        let handler = move |_: Value, durable: DurableContext| {
            let run = runs.fetch_add(1, Ordering::Relaxed);
            async move {
                let name = if run == 0 { "charge" } else { "ship" };
                durable.step(|_| async { Ok(()) }).name(name).await?;
                durable.wait(Duration::from_secs(60)).await?;
                Ok::<_, Error>(())
            }
        };
        service_with(handler, Service::get().options())
    };
    let (end, seen) = execute(changing).await;
    assert_eq!(end["Status"], "FAILED", "{end}");
    assert_eq!(end["Error"]["ErrorType"], "Powertools.DurableStepsChanged", "{end}");
    assert_eq!(seen, ["suspended", "Powertools.DurableStepsChanged"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_and_the_time_limit_end_the_invocation_and_not_the_execution() {
    let failing = || {
        let runs = AtomicU32::new(0);
        let handler = move |_: Value, durable: DurableContext| {
            let run = runs.fetch_add(1, Ordering::Relaxed);
            async move {
                match run {
                    0 => panic!("a mistake"),
                    1 => std::future::pending().await,
                    _ => {}
                }
                durable.step(|_| async { Ok(()) }).await?;
                Ok::<_, Error>(run)
            }
        };
        service_with(handler, Service::get().options())
    };
    let (end, seen) = execute_within(failing, Duration::from_secs(2)).await;
    assert_eq!(end["Status"], "SUCCEEDED", "{end}");
    assert_eq!(end["Result"], "2");
    assert_eq!(seen, ["panicked", "Powertools.DeadlineOutOfTime", "success"]);
}

/// A store that fails when it is first claimed.
struct FailsOnce(MemoryStore, AtomicU32);

impl Store for FailsOnce {
    fn scope(&self) -> &str {
        self.0.scope()
    }

    async fn claim(&self, claim: &Claim) -> Result<Written, StoreError> {
        if self.1.fetch_add(1, Ordering::Relaxed) == 0 {
            return Err(StoreError::new(StoreErrorKind::Throttled, "slow down"));
        }
        self.0.claim(claim).await
    }

    async fn complete(&self, completion: &Completion) -> Result<Written, StoreError> {
        self.0.complete(completion).await
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Written, StoreError> {
        self.0.renew(renewal).await
    }

    async fn release(&self, release: &Release) -> Result<Written, StoreError> {
        self.0.release(release).await
    }

    fn supports_durable(&self) -> bool {
        true
    }

    async fn reenter(&self, reentry: &Reentry) -> Result<Written, StoreError> {
        self.0.reenter(reentry).await
    }

    async fn read(&self, read: &Read) -> Result<Option<Record>, StoreError> {
        self.0.read(read).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_ends_the_invocation_and_not_the_execution() {
    let failing = || {
        let store = FailsOnce(MemoryStore::new(), AtomicU32::new(0));
        let idempotency =
            Idempotency::builder(store).lease(Duration::from_secs(86_400)).build().unwrap();
        let handler = move |order: Value, durable: DurableContext| {
            let idempotency = idempotency.clone();
            async move {
                let work = async {
                    durable.wait(Duration::from_secs(60)).await?;
                    Ok::<_, Error>("done".to_owned())
                };
                idempotency.run("place", &order, work).await
            }
        };
        service_with(handler, Service::get().options())
    };
    let (end, seen) = execute(failing).await;
    assert_eq!(end["Status"], "SUCCEEDED", "{end}");
    assert_eq!(seen, ["Powertools.IdempotencyStoreThrottled", "suspended", "success"]);
}

async fn observed(_: Value, durable: DurableContext) -> Result<(), Error> {
    tracing::info!("placed");
    metrics::count("Placed", 1);
    let charge = durable.step(|_| async {
        tracing::info!("charging");
        metrics::count("Charged", 1);
        Ok(())
    });
    charge.name("charge").await?;
    tracing::info!("charged");
    let _across = metrics::time("Whole");
    durable.wait(Duration::from_secs(3600)).await?;
    tracing::info!("waited");
    tracing::warn!("late");
    metrics::count("Waited", 1);
    durable.wait(Duration::from_secs(3600)).await?;
    tracing::info!("ready");
    Err(Declined.into())
}

#[test]
fn lines_and_values_are_written_once() {
    // One thread, whose subscriber this is.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (end, bytes, captured) = runtime.block_on(unless_lost(async || {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let written = bytes.clone();
        let logging = Logging::new()
            .service("orders")
            .writer(move |line: &[u8]| written.lock().unwrap().extend_from_slice(line));
        let subscriber = tracing_subscriber::registry().with(logging.layer().unwrap());
        let _logs = tracing::subscriber::set_default(subscriber);
        let captured = testing::metrics();
        let namespace = metrics::Namespace::from_static("Shop");

        let lambda = FakeRuntime::new();
        let handler = service_with(observed, Service::get().options());
        let function =
            Powertools::service(handler).metrics(captured.settings().namespace(namespace));
        let _function = lambda.run(async move { function.run().await });
        let service = Service::get();
        let arn = service.execute(&lambda, &json!({})).await;
        Some((service.end(&arn).await?, bytes, captured))
    }));
    assert_eq!(end["Status"], "FAILED", "{end}");

    let text = String::from_utf8(bytes.lock().unwrap().clone()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = |message: &str| lines.iter().filter(|it| it["message"] == message).count();
    for message in ["placed", "charging", "charged", "waited", "ready"] {
        assert_eq!(count(message), 1, "{message}: {text}");
    }
    // A warning can be new.
    assert_eq!(count("late"), 2, "{text}");
    for name in ["Placed", "Charged", "Waited"] {
        assert_eq!(captured.values(name), [1.0], "{name}");
    }
    assert_eq!(captured.values("Whole").len(), 1);
}

#[tokio::test]
async fn without_the_stack_the_invocation_is_entered_by_itself() {
    async fn handler(_: Value, _: DurableContext) -> Result<bool, Error> {
        Ok(Invocation::current().is_some_and(|it| it.execution().is_some()))
    }
    let payload = json!({
        "DurableExecutionArn": "arn", "CheckpointToken": "token",
        "InitialExecutionState": { "NextMarker": "", "Operations": [{
            "Id": "0", "Type": "EXECUTION", "Status": "STARTED",
            "ExecutionDetails": { "InputPayload": "{}" },
        }] },
    });
    let context = testing::event(()).context;
    let event = LambdaEvent::new(serde_json::from_value(payload).unwrap(), context);
    let mut service = service_with(handler, Service::get().options());
    let reply = service.call(event).await.unwrap();
    let reply: Value = serde_json::from_str(reply.get()).unwrap();
    assert_eq!(reply, json!({ "Status": "SUCCEEDED", "Result": "true" }));
}

#[tokio::test]
async fn an_event_of_another_kind_fails_the_invocation() {
    let seen = Seen::default();
    let lambda = FakeRuntime::new();
    let handler = service_with(declines, Service::get().options());
    let function = Powertools::service(handler).lifecycle(seen.clone());
    let _function = lambda.run(async move { function.run().await });
    let outcome = lambda.invoke(Event::new(json!({ "id": "order-7" }))).await;
    assert_eq!(outcome.error_type(), Some("HandlerError"), "{outcome:?}");
}
