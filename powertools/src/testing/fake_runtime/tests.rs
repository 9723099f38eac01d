use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, stream};
use lambda_runtime::{
    BoxFuture, Diagnostic, Error, LambdaEvent, Runtime, SnapStartResource, StreamResponse,
    service_fn,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::{Event, FakeRuntime, Outcome};

async fn echo(event: LambdaEvent<Value>) -> Result<Value, Error> {
    Ok(event.payload)
}

async fn hang(_: LambdaEvent<Value>) -> Result<Value, Error> {
    pending().await
}

#[tokio::test]
async fn a_function_sees_only_its_own_environment() {
    let fakes: Vec<_> = (0..8)
        .map(|n| {
            let name = format!("function-{n}");
            let lambda = FakeRuntime::new().function_name(&name).env("OWN", &name);
            let function = lambda.run(async move {
                assert_eq!(std::env::var("OWN").as_ref(), Ok(&name));
                tokio::task::yield_now().await;
                assert_eq!(std::env::var("OWN").as_ref(), Ok(&name));
                let answer = async |event: LambdaEvent<Value>| {
                    Ok::<_, Diagnostic>(event.context.env_config.function_name.clone())
                };
                lambda_runtime::run(service_fn(answer)).await
            });
            (lambda, function)
        })
        .collect();

    for (n, (lambda, _)) in fakes.iter().enumerate() {
        let name: String = lambda.invoke(json!({})).await.json();
        assert_eq!(name, format!("function-{n}"));
    }
    temp_env::with_vars([("", None::<&str>); 0], || {
        assert!(std::env::var("OWN").is_err());
        assert!(std::env::var("AWS_LAMBDA_RUNTIME_API").is_err());
    });
}

#[tokio::test]
async fn an_event_that_is_not_answered_times_out() {
    let lambda = FakeRuntime::new().timeout(Duration::from_millis(100));
    let _function = lambda.run(lambda_runtime::run(service_fn(hang)));
    let outcome = lambda.invoke(Event::new(json!({})).request_id("r-1")).await;
    assert_eq!(
        outcome,
        Outcome::TimedOut(Diagnostic {
            error_type: "Sandbox.Timedout".to_owned(),
            error_message: "RequestId: r-1 Error: Task timed out after 0.10 seconds".to_owned(),
        })
    );
}

#[tokio::test]
async fn a_late_answer_changes_nothing() {
    let lambda = FakeRuntime::new();
    let late = Arc::new(Notify::new());
    let answer = late.clone();
    let _function = lambda.run(lambda_runtime::run(service_fn(move |event: LambdaEvent<bool>| {
        let answer = answer.clone();
        async move {
            if event.payload {
                answer.notified().await;
            }
            Ok::<_, Diagnostic>(event.payload)
        }
    })));
    let event = Event::new(true).timeout(Duration::from_millis(100));
    let slow = lambda.send(event);
    assert!(matches!(slow.outcome().await, Outcome::TimedOut(_)));

    late.notify_one();
    assert!(!lambda.invoke(json!(false)).await.json::<bool>());
    assert!(matches!(slow.outcome().await, Outcome::TimedOut(_)));
}

#[tokio::test]
async fn a_past_deadline_is_sent_but_not_enforced() {
    let lambda = FakeRuntime::new();
    let deadline = async |event: LambdaEvent<Value>| Ok::<_, Diagnostic>(event.context.deadline);
    let _function = lambda.run(lambda_runtime::run(service_fn(deadline)));
    let past = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(5);
    let outcome = lambda.invoke(Event::new(json!({})).deadline(past)).await;
    assert_eq!(outcome.json::<u64>(), 5_000);
}

#[tokio::test(start_paused = true)]
async fn paused_time_is_for_the_function_alone() {
    let lambda = FakeRuntime::new();
    let _function = lambda.run(lambda_runtime::run(service_fn(async |_: LambdaEvent<Value>| {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        Ok::<_, Diagnostic>("slept")
    })));
    assert_eq!(lambda.invoke(json!({})).await.json::<String>(), "slept");
}

#[tokio::test]
async fn errors_keep_their_names() {
    struct OutOfStock;

    impl From<OutOfStock> for Diagnostic {
        fn from(_: OutOfStock) -> Self {
            Self { error_type: "OutOfStock".to_owned(), error_message: "no more".to_owned() }
        }
    }

    impl std::fmt::Debug for OutOfStock {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("OutOfStock")
        }
    }

    let lambda = FakeRuntime::new();
    let fail = async |_: LambdaEvent<Value>| Err::<Value, _>(OutOfStock);
    let _function = lambda.run(lambda_runtime::run(service_fn(fail)));
    let outcome = lambda.invoke(json!({})).await;
    assert!(matches!(outcome, Outcome::Failed(_)));
    assert_eq!(outcome.error_type(), Some("OutOfStock"));
    assert_eq!(outcome.diagnostic().unwrap().error_message, "no more");
}

#[tokio::test]
async fn an_error_from_the_initialisation_is_collected() {
    struct Broken;

    impl SnapStartResource for Broken {
        fn before_snapshot(&self) -> BoxFuture<'_, Result<(), Error>> {
            Box::pin(async { Err("no database".into()) })
        }
    }

    let lambda = FakeRuntime::new().env("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start");
    let function = lambda.run(async {
        let runtime = Runtime::new(service_fn(echo));
        runtime.register_snapstart_resource(Arc::new(Broken)).run().await
    });
    let waiting = lambda.send(json!({}));
    assert_eq!(function.wait().await.unwrap_err().to_string(), "no database");

    let errors = lambda.init_errors();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].error_message, "no database");
    assert_eq!(waiting.outcome().await, Outcome::Exited(errors[0].clone()));
}

#[tokio::test]
async fn a_function_that_panics_has_exited() {
    let lambda = FakeRuntime::new();
    let waiting = lambda.send(json!({}));
    let function = lambda.run(async { panic!("in main") });
    assert_eq!(waiting.outcome().await.error_type(), Some("Runtime.ExitError"));
    let panic = tokio::spawn(async { function.wait().await }).await.unwrap_err();
    assert!(panic.is_panic());
}

#[tokio::test]
async fn a_stopped_function_releases_everything() {
    let lambda = FakeRuntime::new().concurrency(4);
    let held = Arc::new(());
    let weak = Arc::downgrade(&held);
    let function = lambda.run(async move {
        let handler = service_fn(move |event| {
            let _held = held.clone();
            echo(event)
        });
        lambda_runtime::run_concurrent(handler).await
    });
    assert!(lambda.invoke(json!({})).await.response().is_some());

    function.stop().await;
    // The workers are tasks of their own, which end when they next hear from the service.
    while weak.strong_count() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_event_of_a_stopped_function_can_be_delivered_again() {
    let lambda = FakeRuntime::new();
    let event = Event::new(json!({ "n": 1 }));
    let first = lambda.run(lambda_runtime::run(service_fn(hang)));
    let stuck = lambda.send(event.clone());
    stuck.delivered().await;
    first.stop().await;
    assert!(matches!(stuck.outcome().await, Outcome::Exited(_)));

    let _second = lambda.run(lambda_runtime::run(service_fn(echo)));
    assert_eq!(lambda.invoke(event).await.json::<Value>(), json!({ "n": 1 }));
}

#[tokio::test]
async fn functions_end_with_their_lambda() {
    let lambda = FakeRuntime::new();
    let _function = lambda.run(lambda_runtime::run(service_fn(hang)));
    let stuck = lambda.send(json!({}));
    stuck.delivered().await;
    let waiting = lambda.send(json!({}));
    drop(lambda);
    assert!(matches!(stuck.outcome().await, Outcome::Exited(_)));
    assert!(matches!(waiting.outcome().await, Outcome::Exited(_)));
}

#[tokio::test]
async fn a_function_that_is_being_ended_receives_neither_events_nor_the_end() {
    let lambda = FakeRuntime::new();
    let (environment, _) = lambda.environment(true);
    let mut next = pin!(environment.next());
    assert!(next.as_mut().now_or_never().is_none());
    environment.stop();
    let waiting = lambda.send(json!({}));
    // The process could write about the end before the kill arrives.
    assert!(next.as_mut().now_or_never().is_none());
    environment.close("killed");
    assert!(next.await.is_none());
    assert!(matches!(waiting.outcome().await, Outcome::Exited(_)));
}

#[tokio::test]
async fn a_streamed_response_is_collected() {
    let lambda = FakeRuntime::new();
    let _function = lambda.run(lambda_runtime::run(service_fn(async |_: LambdaEvent<Value>| {
        let chunks = ["one ", "two"].map(Ok::<_, Error>);
        Ok::<_, Diagnostic>(StreamResponse::from(stream::iter(chunks)))
    })));
    let outcome = lambda.invoke(json!({})).await;
    let response = outcome.response().unwrap();
    assert!(response.is_streamed());
    assert_eq!(response.prelude().unwrap()["statusCode"], 200);
    assert_eq!(response.content(), "one two");
}

#[tokio::test]
async fn a_response_over_the_limit_of_lambda_is_an_error() {
    let lambda = FakeRuntime::new();
    let large = async |event: LambdaEvent<usize>| Ok::<_, Diagnostic>("x".repeat(event.payload));
    let _function = lambda.run(lambda_runtime::run(service_fn(large)));
    let outcome = lambda.invoke(json!(7_000_000)).await;
    assert_eq!(outcome.error_type(), Some("Function.ResponseSizeTooLarge"));
    assert_eq!(lambda.invoke(json!(3)).await.json::<String>(), "xxx");
}

#[tokio::test]
async fn an_error_over_the_limit_of_lambda_is_not_taken() {
    let lambda = FakeRuntime::new().timeout(Duration::from_millis(200));
    let fail = async |event: LambdaEvent<usize>| Err::<(), Error>("x".repeat(event.payload).into());
    let _function = lambda.run(lambda_runtime::run(service_fn(fail)));
    let outcome = lambda.invoke(json!(1_048_576)).await;
    assert!(matches!(outcome, Outcome::TimedOut(_)), "{outcome:?}");
}

#[tokio::test]
async fn replies_to_unknown_and_old_events_are_rejected() {
    let lambda = FakeRuntime::new();
    let function = lambda.run(async {
        let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
        let event = request(&api, "GET", "invocation/next").await;
        assert!(event.contains("lambda-runtime-aws-request-id: r-1\r\n"));
        assert!(event.ends_with("\r\n\r\n\"hello\""));

        let answers = [
            ("invocation/other/response", "400"),
            ("invocation/r-1/response", "202"),
            ("invocation/r-1/response", "410"),
            ("invocation/r-1/error", "410"),
            ("nonsense", "404"),
        ];
        for (path, status) in answers {
            let answer = request(&api, "POST", path).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
        }
    });
    let outcome = lambda.invoke(Event::new("hello").request_id("r-1")).await;
    assert_eq!(outcome.json::<u32>(), 7);
    function.wait().await;
}

/// Sends a request with the body `7` and returns the whole response.
async fn request(api: &str, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(api).await.unwrap();
    let request = format!(
        "{method} /2018-06-01/runtime/{path} HTTP/1.1\r\n\
         host: {api}\r\ncontent-length: 1\r\nconnection: close\r\n\r\n7"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}
