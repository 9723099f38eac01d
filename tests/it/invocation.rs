use std::collections::HashSet;
use std::process::Command;
use std::time::{Duration, SystemTime};

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use powertools::Invocation;
use powertools::invocation::InvocationLayer;
use powertools::testing::{Event, FakeRuntime, Outcome};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn each_of_ten_thousand_events_sees_only_its_own_invocation() {
    let lambda = FakeRuntime::new().concurrency(16);
    let _function = lambda.run(async {
        let handler = service_fn(checks_itself);
        Runtime::new(handler).layer(InvocationLayer::new()).run_concurrent().await
    });

    let pending: Vec<_> = (0..10_000).map(|n| lambda.send(json!({ "n": n }))).collect();
    let mut seen = HashSet::new();
    for event in &pending {
        assert_eq!(event.outcome().await.json::<String>(), event.request_id());
        assert!(seen.insert(event.request_id().to_owned()));
    }
}

async fn checks_itself(event: LambdaEvent<Value>) -> Result<String, Error> {
    let own = event.context.request_id;
    assert_eq!(current(), own);
    tokio::task::yield_now().await;
    assert_eq!(current(), own);
    assert_eq!(nested().await, own);

    let carried = tokio::spawn(Invocation::carry(async {
        tokio::task::yield_now().await;
        nested().await
    }));
    let bare = tokio::spawn(async { Invocation::current().is_none() });
    assert_eq!(carried.await?, own);
    assert!(bare.await?, "a task that was spawned without it has no invocation");

    let invocation = Invocation::current().expect("set by the layer");
    let blocking = move || invocation.sync_scope(current);
    assert_eq!(tokio::task::spawn_blocking(blocking).await?, own);

    assert_eq!(current(), own);
    Ok(own)
}

async fn nested() -> String {
    tokio::task::yield_now().await;
    current()
}

fn current() -> String {
    Invocation::current().expect("set by the layer").request_id().to_owned()
}

#[tokio::test]
async fn has_the_values_of_the_lambda_context() {
    let lambda = FakeRuntime::new().function_name("orders").function_version("7").memory_mb(512);
    let _function = lambda.run(async {
        let handler = service_fn(describes_itself);
        Runtime::new(handler).layer(InvocationLayer::new()).run().await
    });

    let alias = "arn:aws:lambda:us-east-1:123456789012:function:orders:live";
    let deadline = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    let event = Event::new(json!({}))
        .request_id("8476a536")
        .deadline(deadline)
        .trace_id("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1")
        .tenant_id("blue")
        .function_arn(alias);

    assert_eq!(
        lambda.invoke(event).await.json::<Value>(),
        json!({
            "request_id": "8476a536",
            "deadline": 4_000_000_000_u64,
            "trace_id": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
            "tenant_id": "blue",
            "function": "orders",
            "version": "7",
            "arn": alias,
            "memory": 512,
        })
    );
}

async fn describes_itself(_: LambdaEvent<Value>) -> Result<Value, Error> {
    let invocation = Invocation::current().expect("set by the layer");
    assert!(invocation.remaining() > Duration::from_secs(3600));
    Ok(json!({
        "request_id": invocation.request_id(),
        "deadline": invocation.deadline().duration_since(SystemTime::UNIX_EPOCH)?.as_secs(),
        "trace_id": invocation.xray_trace_id(),
        "tenant_id": invocation.tenant_id(),
        "function": invocation.function_name(),
        "version": invocation.function_version(),
        "arn": invocation.function_arn(),
        "memory": invocation.memory_mb(),
    }))
}

#[tokio::test]
async fn an_event_without_a_tenant_or_a_trace_has_none() {
    let lambda = FakeRuntime::new();
    let _function = lambda.run(async {
        let handler = service_fn(describes_itself);
        Runtime::new(handler).layer(InvocationLayer::new()).run().await
    });
    let event = Event::new(json!({})).timeout(Duration::from_secs(7200)).without_trace_id();
    let answer: Value = lambda.invoke(event).await.json();
    assert_eq!(answer["tenant_id"], Value::Null);
    assert_eq!(answer["trace_id"], Value::Null);
}

#[tokio::test]
async fn a_failing_handler_fails_its_event_alone() {
    let lambda = FakeRuntime::new();
    let _function = lambda.run(lambda_runtime::run(service_fn(async |event: LambdaEvent<u32>| {
        match event.payload {
            0 => Err(Error::from("zero")),
            1 => panic!("one"),
            n => Ok(n),
        }
    })));
    let error = lambda.invoke(json!(0)).await;
    assert!(matches!(&error, Outcome::Failed(failure) if failure.error_message == "zero"));
    let panic = lambda.invoke(json!(1)).await;
    assert!(matches!(&panic, Outcome::Failed(failure) if failure.error_message.contains("one")));
    assert_eq!(lambda.invoke(json!(2)).await.json::<u32>(), 2);
}

#[tokio::test]
async fn one_event_of_a_process_is_its_cold_start() {
    let lambda = FakeRuntime::new().concurrency(16);
    for process in 1..=2 {
        let _function = lambda.spawn(function()).unwrap();
        assert_eq!(cold_starts(&lambda).await, 1, "in process {process}");
    }
}

#[tokio::test]
async fn a_provisioned_environment_has_no_cold_start() {
    let lambda = FakeRuntime::new()
        .concurrency(16)
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "provisioned-concurrency");
    let _function = lambda.spawn(function()).unwrap();
    assert_eq!(cold_starts(&lambda).await, 0);
}

/// Sends some events at once and counts those that were a cold start.
async fn cold_starts(lambda: &FakeRuntime) -> usize {
    let pending: Vec<_> = (0..500).map(|_| lambda.send(json!("answer"))).collect();
    let mut cold = 0;
    for event in pending {
        cold += usize::from(event.outcome().await.json::<bool>());
    }
    cold
}

fn function() -> Command {
    Command::new(env!("CARGO_BIN_EXE_function"))
}
