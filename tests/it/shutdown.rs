//! The shutdown of an environment, in real processes.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use lambda_runtime::Error;
use powertools::testing::{FakeRuntime, FunctionProcess, Outcome};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

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
async fn an_invocation_that_does_not_end_is_killed_after_the_hooks_run() {
    let lambda = FakeRuntime::new().env("SHUTDOWN_HOOKS", "one");
    let function = spawn(&lambda);
    let event = lambda.send(json!("hang"));
    function.stdout_line("hanging").await.unwrap();
    assert!(function.shut_down().await.success());
    assert!(matches!(event.outcome().await, Outcome::Exited(_)));
    assert_eq!(hooks(&function), ["hook one"]);
    let lines = function.stdout();
    assert!(lines.iter().any(|line| line.contains("during an invocation")), "{lines:?}");
}

#[tokio::test]
async fn a_function_without_hooks_registers_nothing_and_is_killed() {
    let lambda = FakeRuntime::new();
    let function = spawn(&lambda);
    assert!(lambda.invoke(json!("answer")).await.response().is_some());
    assert!(!function.shut_down().await.success());
}

#[tokio::test]
async fn a_rejected_extension_is_a_warning() {
    let lambda = FakeRuntime::new().refuse_extensions().env("SHUTDOWN_HOOKS", "one");
    let function = spawn(&lambda);
    assert!(lambda.invoke(json!("answer")).await.response().is_some());
    let line = function.stdout_line("shutdown hooks will not run").await.unwrap();
    assert!(line.contains("WARN"), "{line}");
    let stderr = function.stderr();
    assert!(!stderr.iter().any(|line| line.contains("panicked")), "nothing panics: {stderr:?}");
    assert!(!function.shut_down().await.success());
    assert_eq!(hooks(&function), [""; 0]);
}

/// The budget that Lambda gives is 500 ms from the signal on. The quickest of three counts, since
/// the machine may have other things to do.
#[tokio::test]
async fn the_process_ends_in_the_time_that_lambda_allows() {
    let mut quickest = Duration::MAX;
    for _ in 0..3 {
        let lambda = FakeRuntime::new().env("SHUTDOWN_HOOKS", "one hangs late");
        let function = spawn(&lambda);
        let _event = lambda.send(json!("hang"));
        function.stdout_line("hanging").await.unwrap();
        let start = Instant::now();
        assert!(function.shut_down().await.success(), "it ends by itself");
        quickest = quickest.min(start.elapsed());
        assert_eq!(hooks(&function), ["hook one", "hook hangs"], "there is no time for another");
        let lines = function.stdout();
        let told = |name: &str| {
            let told = |line: &&String| line.contains("no time remained") && line.contains(name);
            lines.iter().filter(told).count()
        };
        assert_eq!((told("hangs"), told("late")), (1, 1), "{lines:?}");
    }
    assert!(quickest >= Duration::from_millis(440), "the hook had its time: {quickest:?}");
    assert!(quickest < Duration::from_millis(500), "{quickest:?}");
}

/// Lambda waits for a registered extension until it requests its events.
#[tokio::test]
async fn a_late_registration_still_completes() {
    let extensions = Extensions::serve(Duration::from_millis(1500), 0).await;
    let function = spawn(&extensions.lambda);
    function.stdout_line("not registered yet").await.expect("it does not wait for ever");
    extensions.asked(1).await;
}

#[tokio::test]
async fn an_extension_repeats_a_failed_request_for_events() {
    let extensions = Extensions::serve(Duration::ZERO, 2).await;
    let function = spawn(&extensions.lambda);
    extensions.asked(3).await;
    function.kill().await;
    let lines = function.stdout();
    let told: Vec<_> = lines.iter().filter(|line| line.contains("could not request")).collect();
    let [told] = &told[..] else { panic!("one warning: {lines:?}") };
    assert!(told.contains("WARN") && told.contains("500 Internal Server Error"), "{told}");
}

/// An Extensions API that is slow, or rejects the first requests for events.
struct Extensions {
    lambda: FakeRuntime,
    asked: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Extensions {
    /// The first refusal is an answer, those after it are connections that break.
    async fn serve(registration: Duration, refusals: usize) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = asked.clone();
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let seen = seen.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let seen = seen.clone();
                    async move { respond(&request, registration, refusals, &seen).await }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        let lambda =
            FakeRuntime::new().env("AWS_LAMBDA_RUNTIME_API", address).env("SHUTDOWN_HOOKS", "one");
        Self { lambda, asked, serving }
    }

    /// Waits until the extension has requested events this number of times.
    async fn asked(&self, times: usize) {
        let asks = async {
            while self.asked.load(Ordering::Relaxed) < times {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(5), asks).await.expect("it asks for events");
    }
}

impl Drop for Extensions {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn respond(
    request: &Request<Incoming>,
    registration: Duration,
    refusals: usize,
    asked: &AtomicUsize,
) -> Result<Response<Full<Bytes>>, Error> {
    const ID: &str = "lambda-extension-identifier";

    match request.uri().path() {
        "/2020-01-01/extension/register" => {
            sleep(registration).await;
            Ok(Response::builder().header(ID, "e-1").body(Full::default())?)
        }
        "/2020-01-01/extension/event/next" => {
            assert_eq!(request.headers()[ID], "e-1");
            let before = asked.fetch_add(1, Ordering::Relaxed);
            match before {
                _ if before >= refusals => pending().await,
                0 => Ok(Response::builder().status(500).body(Full::default())?),
                _ => Err("this connection breaks".into()),
            }
        }
        _ => pending().await,
    }
}
