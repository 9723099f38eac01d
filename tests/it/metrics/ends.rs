//! When lines are written: once, however the work ends.

use std::future::pending;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, poll_fn};
use futures_util::{FutureExt, StreamExt};
use lambda_runtime::{Error, FunctionResponse, LambdaEvent};
use powertools::metrics::{self as measure, Unit};
use powertools::runtime::lifecycle::{Flush, HandlerEnds, Lifecycle, Moments};
use powertools::testing::{self, CapturedMetrics, FakeRuntime};
use powertools::{Invocation, Powertools};
use serde_json::{Value, json};

use super::{invocation, metrics};

type Pieces = BoxStream<'static, Result<&'static str, Error>>;

async fn handle(
    event: LambdaEvent<String>,
) -> Result<FunctionResponse<&'static str, Pieces>, Error> {
    let _timer = measure::time("Handling");
    measure::count("Orders", 1);
    let hello = stream::iter([Ok("hello")]);
    let body = match &*event.payload {
        "answer" => return Ok(FunctionResponse::BufferedResponse("answered")),
        "fail" => return Err("declined".into()),
        "panic" => panic!("in the handler"),
        "hang" => pending().await,
        "break" => stream::iter([Err("connection reset".into())]).boxed(),
        "panic in the body" => poll_fn(|_| panic!("in the body")).boxed(),
        _ => poll_fn(|_| {
            measure::count("Pieces", 1);
            std::task::Poll::Ready(None)
        })
        .boxed(),
    };
    Ok(FunctionResponse::StreamingResponse(hello.chain(body).boxed().into()))
}

#[tokio::test]
async fn each_end_writes_one_line_before_the_reply() {
    for kind in ["answer", "fail", "panic", "hang", "stream", "break", "panic in the body"] {
        let captured = testing::metrics();
        let lambda = FakeRuntime::new().timeout(Duration::from_secs(1));
        let function = lambda.run(Powertools::new(handle).metrics(metrics(&captured)).run());
        let outcome = lambda.invoke(json!(kind)).await;
        // No wait: what comes after the reply is late.
        let [line] = &captured.lines()[..] else { panic!("one line after {kind}: {outcome:?}") };
        assert_eq!(line.metrics["Orders"].values, [1.0], "{kind}");
        assert_eq!(line.metrics["Handling"].values.len(), 1, "{kind}");
        assert_eq!(line.metrics.contains_key("Pieces"), kind == "stream", "{kind}");
        function.stop().await;
        assert_eq!(captured.lines().len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_parsed_measures_nothing() {
    let captured = testing::metrics();
    let lambda = FakeRuntime::new();
    let function = lambda.run(Powertools::new(handle).metrics(metrics(&captured)).run());
    assert_eq!(lambda.invoke(json!({})).await.error_type(), Some("Powertools.EventInvalid"));
    function.stop().await;
    assert_eq!(captured.json_lines(), [] as [String; 0]);
}

#[tokio::test]
async fn a_handler_that_is_dropped_writes_its_line() {
    let captured = testing::metrics();
    let lambda = FakeRuntime::new().timeout(Duration::from_secs(60));
    let started = std::sync::Arc::new(tokio::sync::Notify::new());
    let starts = started.clone();
    let handler = move |_: LambdaEvent<Value>| {
        let starts = starts.clone();
        async move {
            measure::count("Orders", 1);
            starts.notify_one();
            pending::<Result<(), Error>>().await
        }
    };
    let function = lambda.run(Powertools::new(handler).metrics(metrics(&captured)).run());
    let _event = lambda.send(json!({}));
    started.notified().await;
    assert_eq!(captured.lines().len(), 0);
    function.stop().await;
    assert_eq!(captured.values("Orders"), [1.0]);
}

/// Measures where the handler has ended.
struct Late;

impl Lifecycle for Late {
    fn moments(&self) -> Moments {
        Moments::HANDLER_ENDS | Moments::FLUSH_BEFORE_REPLY
    }

    fn handler_ends(&self, _: &HandlerEnds<'_>) {
        measure::count("Ends", 1);
    }

    fn flush<'a>(&'a self, _: &'a Flush<'a>) -> BoxFuture<'a, ()> {
        async { measure::count("Flushes", 1) }.boxed()
    }
}

#[tokio::test]
async fn what_the_lifecycle_measures_is_written_too() {
    for late_first in [true, false] {
        let captured = testing::metrics();
        let powertools = Powertools::new(handle);
        let powertools = match late_first {
            true => powertools.lifecycle(Late).metrics(metrics(&captured)),
            false => powertools.metrics(metrics(&captured)).lifecycle(Late),
        };
        let lambda = FakeRuntime::new();
        let function = lambda.run(powertools.run());
        lambda.invoke(json!("answer")).await;
        assert_eq!(captured.sum("Ends"), 1.0);
        assert_eq!(captured.sum("Flushes"), 1.0);
        function.stop().await;
    }
}

#[tokio::test]
async fn a_task_that_outlives_its_invocation_writes_at_once() {
    let captured = testing::metrics();
    let (sent, late) = tokio::sync::oneshot::channel::<()>();
    let late = std::sync::Arc::new(std::sync::Mutex::new(Some(late)));
    let (ended, has_ended) = tokio::sync::oneshot::channel::<()>();
    let ended = std::sync::Arc::new(std::sync::Mutex::new(Some(ended)));
    let handler = move |_: LambdaEvent<Value>| {
        let late = late.lock().unwrap().take().unwrap();
        let ended = ended.lock().unwrap().take().unwrap();
        tokio::spawn(Invocation::carry(async move {
            late.await.unwrap();
            measure::count("Late", 1);
            ended.send(()).unwrap();
        }));
        measure::count("Orders", 1);
        async { Ok::<_, Error>(()) }
    };
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::new(handler).metrics(metrics(&captured)).run());
    lambda.invoke(json!({})).await;
    assert_eq!(captured.lines().len(), 1);
    sent.send(()).unwrap();
    has_ended.await.unwrap();
    assert_eq!(captured.lines().len(), 2);
    assert_eq!(captured.values("Late"), [1.0]);
}

#[tokio::test]
async fn a_second_setting_replaces_the_first() {
    let (first, second) = (testing::metrics(), testing::metrics());
    let lambda = FakeRuntime::new();
    let stack = Powertools::new(handle).metrics(metrics(&first)).metrics(metrics(&second));
    let function = lambda.run(stack.run());
    lambda.invoke(json!("answer")).await;
    function.stop().await;
    assert_eq!((first.lines().len(), second.lines().len()), (0, 1));
}

#[test]
fn nothing_is_written_twice_and_nothing_without_a_value() {
    let captured = testing::metrics();
    let invocation = captured.invocation(invocation().build());
    invocation.sync_scope(|| {
        measure::flush();
        measure::dimension("stage", "prod");
        measure::property("order", 1);
        measure::flush();
        assert_eq!(captured.json_lines(), [] as [String; 0]);
        measure::count("Orders", 1);
        measure::flush();
        measure::flush();
        assert_eq!(captured.json_lines().len(), 1);
        measure::record("Orders", 2, Unit::Count);
        measure::flush();
    });
    assert_eq!(captured.json_lines().len(), 2);
    assert_eq!(captured.values("Orders"), [1.0, 2.0]);
}

/// A writer, and a subscriber, may measure: nothing is locked then.
#[test]
fn a_writer_that_measures_does_not_wait_for_itself() {
    let captured = CapturedMetrics::default();
    let written = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = written.clone();
    let settings = metrics(&captured).writer(move |_| {
        if count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
            measure::count("Lines", 1);
        }
    });
    let lambda = FakeRuntime::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let function = lambda.run(Powertools::new(handle).metrics(settings).run());
        lambda.invoke(json!("answer")).await;
        function.stop().await;
    });
    assert_eq!(written.load(std::sync::atomic::Ordering::Relaxed), 2);
}
