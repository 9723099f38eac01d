//! A lifecycle value of a function's own: what it sees of each event.

use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, poll_fn};
use futures_util::{FutureExt, StreamExt};
use lambda_runtime::{Diagnostic, Error, FunctionResponse, LambdaEvent};
use powertools::runtime::lifecycle::{
    EventReceived, Flush, FlushTime, HandlerBegins, HandlerEnds, Lifecycle, Moments, Outcome,
    Starting,
};
use powertools::testing::{Event, FakeRuntime, Outcome as Reply};
use powertools::{Invocation, Powertools};
use serde::Serialize;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

/// Counts how handlers end.
#[derive(Clone, Default)]
struct Counts(Arc<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    begun: AtomicU32,
    succeeded: AtomicU32,
    failed: AtomicU32,
    panicked: AtomicU32,
    stopped: AtomicU32,
    dropped: AtomicU32,
    bodies: AtomicU32,
}

impl Lifecycle for Counts {
    fn moments(&self) -> Moments {
        Moments::HANDLER_BEGINS | Moments::HANDLER_ENDS
    }

    fn handler_begins(&self, _: &HandlerBegins<'_>) {
        self.0.begun.fetch_add(1, Ordering::Relaxed);
    }

    fn handler_ends(&self, ends: &HandlerEnds<'_>) {
        let Numbers { succeeded, failed, panicked, stopped, dropped, bodies, .. } = &*self.0;
        let count = match &ends.outcome {
            Outcome::Success if ends.is_streamed => bodies,
            Outcome::Success => succeeded,
            Outcome::Error(_) => failed,
            Outcome::Panicked(_) => panicked,
            Outcome::Stopped(_) => stopped,
            _ => dropped,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

impl Counts {
    /// Started, succeeded, failed, panicked, stopped, dropped, bodies that ended without an error.
    fn all(&self) -> [u32; 7] {
        let Numbers { begun, succeeded, failed, panicked, stopped, dropped, bodies } = &*self.0;
        [begun, succeeded, failed, panicked, stopped, dropped, bodies]
            .map(|count| count.load(Ordering::Relaxed))
    }
}

#[tokio::test]
async fn counts_every_kind_of_end_under_16_workers() {
    let counts = Counts::default();
    let lambda = FakeRuntime::new().concurrency(16).timeout(2 * SECOND);
    let function = lambda.run(Powertools::new(handle).lifecycle(counts.clone()).run());
    let kinds = ["answer", "fail", "panic", "hang", "stream", "break", "panic in the body"];
    let events: Vec<_> = (0..4).flat_map(|_| kinds).map(|kind| lambda.send(json!(kind))).collect();
    let wrong = lambda.send(json!({ "not": "a string" }));
    for (index, event) in events.into_iter().enumerate() {
        let outcome = event.outcome().await;
        match kinds[index % kinds.len()] {
            "answer" => assert_eq!(outcome.json::<String>(), "answered"),
            "fail" | "panic" | "hang" => {
                assert!(matches!(outcome, Reply::Failed(_)), "{outcome:?}")
            }
            _ => assert!(outcome.response().is_some(), "{outcome:?}"),
        }
    }
    assert_eq!(wrong.outcome().await.error_type(), Some("Powertools.EventInvalid"));
    // Successes, errors (and bodies with errors, and the event that is wrong), panics (and bodies
    // that panic), stops, drops, bodies.
    assert_eq!(counts.all(), [29, 4, 9, 8, 4, 0, 4]);
    function.stop().await;
}

#[tokio::test]
async fn a_handler_that_is_dropped_with_its_function_ends() {
    let counts = Counts::default();
    let lambda = FakeRuntime::new().timeout(60 * SECOND);
    let function = lambda.run(Powertools::new(handle).lifecycle(counts.clone()).run());
    let _event = lambda.send(json!("hang"));
    while counts.all()[0] == 0 {
        tokio::task::yield_now().await;
    }
    function.stop().await;
    assert_eq!(counts.all(), [1, 0, 0, 0, 0, 1, 0]);
}

type Pieces = BoxStream<'static, Result<&'static str, Error>>;

async fn handle(
    event: LambdaEvent<String>,
) -> Result<FunctionResponse<&'static str, Pieces>, Error> {
    let hello = stream::iter([Ok("hello")]);
    let stream = match &*event.payload {
        "answer" => return Ok(FunctionResponse::BufferedResponse("answered")),
        "fail" => return Err("declined".into()),
        "panic" => panic!("in the handler"),
        "hang" => pending().await,
        "break" => hello.chain(stream::iter([Err("connection reset".into())])).boxed(),
        "panic in the body" => hello.chain(poll_fn(|_| panic!("in the body"))).boxed(),
        _ => hello.boxed(),
    };
    Ok(FunctionResponse::StreamingResponse(stream.into()))
}

/// What a value saw, in order.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn say(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A value with a name that sees every moment around an event.
struct Named(&'static str, Seen);

impl Lifecycle for Named {
    fn moments(&self) -> Moments {
        Moments::START
            | Moments::EVENT
            | Moments::HANDLER_BEGINS
            | Moments::HANDLER_ENDS
            | Moments::FLUSH_BEFORE_REPLY
            | Moments::FLUSH_AFTER_REPLY
    }

    fn start<'a>(&'a self, _: &'a Starting) -> BoxFuture<'a, Result<(), Error>> {
        async {
            self.1.say(format!("{} start", self.0));
            Ok(())
        }
        .boxed()
    }

    fn event(&self, event: &EventReceived<'_>) {
        let current = Invocation::current().unwrap();
        assert_eq!(event.invocation.request_id(), current.request_id());
        self.1.say(format!("{} event {}", self.0, String::from_utf8_lossy(event.body)));
    }

    fn handler_begins(&self, _: &HandlerBegins<'_>) {
        self.1.say(format!("{} begins", self.0));
    }

    fn handler_ends(&self, ends: &HandlerEnds<'_>) {
        let current = Invocation::current().unwrap();
        assert_eq!(ends.invocation.request_id(), current.request_id());
        let outcome = match &ends.outcome {
            Outcome::Success => "success".to_owned(),
            Outcome::Error(failure) => {
                let error = failure.error.map(ToString::to_string);
                format!("{} ({})", failure.diagnostic.error_type, error.unwrap_or_default())
            }
            other => format!("{other:?}"),
        };
        self.1.say(format!("{} ends: {outcome}", self.0));
    }

    fn flush<'a>(&'a self, flush: &'a Flush<'a>) -> BoxFuture<'a, ()> {
        async {
            tokio::task::yield_now().await;
            let current = Invocation::current().unwrap();
            assert_eq!(flush.invocation.request_id(), current.request_id());
            let when = match flush.when {
                FlushTime::BeforeReply => "before",
                _ => "after",
            };
            self.1.say(format!("{} flush {when} the reply", self.0));
        }
        .boxed()
    }
}

#[tokio::test]
async fn beginnings_run_in_order_and_endings_in_reverse() {
    let seen = Seen::default();
    let own = seen.clone();
    let handler = move |event: LambdaEvent<String>| {
        own.say("handler");
        async move { Ok::<_, Error>(event.payload) }
    };
    let stack = Powertools::new(handler)
        .lifecycle(Named("a", seen.clone()))
        .lifecycle(Named("b", seen.clone()));
    let lambda = FakeRuntime::new();
    let function = lambda.run(stack.run());
    assert_eq!(lambda.invoke(json!("x")).await.json::<String>(), "x");
    // The function requests another event only after the first.
    assert_eq!(lambda.invoke(json!("y")).await.json::<String>(), "y");
    function.stop().await;
    assert_eq!(
        seen.lines()[..13],
        [
            "a start",
            "b start",
            "a event \"x\"",
            "b event \"x\"",
            "a begins",
            "b begins",
            "handler",
            "b ends: success",
            "a ends: success",
            "b flush before the reply",
            "a flush before the reply",
            "b flush after the reply",
            "a flush after the reply",
        ]
    );
}

#[tokio::test]
async fn an_event_that_cannot_be_parsed_begins_ends_and_flushes() {
    #[derive(serde::Deserialize)]
    struct Order {
        #[serde(rename = "lines")]
        _lines: Vec<Line>,
    }
    #[derive(serde::Deserialize)]
    struct Line {
        #[serde(rename = "amount")]
        _amount: u32,
    }
    let seen = Seen::default();
    let handler = async |_: LambdaEvent<Order>| Ok::<_, Error>("handled");
    let lambda = FakeRuntime::new();
    let function = lambda.run(Powertools::new(handler).lifecycle(Named("a", seen.clone())).run());
    let wrong = json!({ "lines": [{ "amount": 1 }, { "amount": "two" }] });
    let outcome = lambda.invoke(wrong).await;
    let told = outcome.diagnostic().unwrap();
    assert_eq!(told.error_type, "Powertools.EventInvalid");
    let message = "the event does not have the type that the handler takes, at lines[1].amount: invalid type: \
                   string, expected u32 at line 1 column 38";
    assert_eq!(told.error_message, message);
    assert_eq!(lambda.invoke(json!({ "lines": [] })).await.json::<String>(), "handled");
    function.stop().await;
    assert_eq!(
        seen.lines()[2..6],
        [
            "a begins",
            "a ends: Powertools.EventInvalid ()",
            "a flush before the reply",
            "a flush after the reply",
        ]
    );
}

/// A response that cannot be sent.
#[derive(Clone, Copy)]
enum Unsendable {
    Fails,
    Panics,
    Fine,
}

impl Serialize for Unsendable {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fails => Err(serde::ser::Error::custom("no such number")),
            Self::Panics => panic!("in serialize"),
            Self::Fine => serializer.serialize_str("fine"),
        }
    }
}

#[tokio::test]
async fn a_response_that_cannot_be_serialized_is_an_error_and_the_loop_continues() {
    for concurrency in [1, 2] {
        let seen = Seen::default();
        let handler = async |event: LambdaEvent<String>| {
            Ok::<_, Error>(match &*event.payload {
                "fails" => Unsendable::Fails,
                "panics" => Unsendable::Panics,
                _ => Unsendable::Fine,
            })
        };
        let lambda = FakeRuntime::new().concurrency(concurrency);
        let function =
            lambda.run(Powertools::new(handler).lifecycle(Named("a", seen.clone())).run());
        for (event, message) in [
            ("fails", "the response cannot be serialized: no such number"),
            ("panics", "serializing the response panicked: in serialize"),
        ] {
            for _ in 0..3 {
                let outcome = lambda.invoke(json!(event)).await;
                let told = outcome.diagnostic().unwrap();
                assert_eq!(told.error_type, "Powertools.ResponseInvalid");
                assert_eq!(told.error_message, message);
            }
        }
        assert_eq!(lambda.invoke(json!("fine")).await.json::<String>(), "fine");
        function.stop().await;
        let ends = seen.lines().iter().filter(|line| line.contains("ResponseInvalid")).count();
        assert_eq!(ends, 6);
    }
}

/// The error itself if it is boxed, and otherwise a copy of its messages.
#[tokio::test]
async fn an_error_is_seen_with_its_causes() {
    #[derive(Debug, thiserror::Error, powertools::LambdaError)]
    #[error("the order failed")]
    #[error_type = "OrderFailed"]
    struct OrderFailed(#[source] std::io::Error);

    let seen = Seen::default();
    let stack = Powertools::new(async |_: LambdaEvent<Value>| {
        Err::<Value, _>(OrderFailed(std::io::Error::other("disk full")))
    });
    let lambda = FakeRuntime::new();
    let _function = lambda.run(stack.lifecycle(Causes(seen.clone())).run());
    let boxed = Powertools::new(async |_: LambdaEvent<Value>| {
        Err::<Value, Error>(OrderFailed(std::io::Error::other("disk full")).into())
    });
    let other = FakeRuntime::new();
    let _other = other.run(boxed.lifecycle(Causes(seen.clone())).run());
    for lambda in [lambda, other] {
        let outcome = lambda.invoke(json!(null)).await;
        let expected = Diagnostic {
            error_type: "OrderFailed".to_owned(),
            error_message: "the order failed: disk full".to_owned(),
        };
        assert_eq!(outcome.diagnostic(), Some(&expected));
    }
    assert_eq!(seen.lines(), ["the order failed < disk full", "the order failed < disk full"]);
}

struct Causes(Seen);

impl Lifecycle for Causes {
    fn moments(&self) -> Moments {
        Moments::HANDLER_ENDS
    }

    fn handler_ends(&self, ends: &HandlerEnds<'_>) {
        let Outcome::Error(failure) = &ends.outcome else { panic!("an error: {ends:?}") };
        let mut error = failure.error;
        let mut messages = Vec::new();
        while let Some(found) = error {
            messages.push(found.to_string());
            error = found.source();
        }
        self.0.say(messages.join(" < "));
    }
}

/// A value that fails at every moment.
struct Wrong;

impl Lifecycle for Wrong {
    fn moments(&self) -> Moments {
        Moments::EVENT
            | Moments::HANDLER_BEGINS
            | Moments::HANDLER_ENDS
            | Moments::FLUSH_BEFORE_REPLY
            | Moments::FLUSH_AFTER_REPLY
    }

    fn event(&self, _: &EventReceived<'_>) {
        panic!("at the event");
    }

    fn handler_begins(&self, _: &HandlerBegins<'_>) {
        panic!("at the beginning");
    }

    fn handler_ends(&self, _: &HandlerEnds<'_>) {
        panic!("at the end");
    }

    fn flush<'a>(&'a self, flush: &'a Flush<'a>) -> BoxFuture<'a, ()> {
        match flush.when {
            FlushTime::BeforeReply => panic!("before the flush"),
            _ => pending().boxed(),
        }
    }
}

#[tokio::test]
async fn no_value_makes_an_invocation_fail() {
    let seen = Seen::default();
    let lambda = FakeRuntime::new().timeout(2 * SECOND);
    let stack = Powertools::new(async |event: LambdaEvent<String>| Ok::<_, Error>(event.payload))
        .lifecycle(Wrong)
        .lifecycle(Named("a", seen.clone()));
    let function = lambda.run(stack.run());
    for _ in 0..2 {
        // The flush after the reply that never ends is stopped before the deadline.
        let event = Event::new(json!("x")).timeout(SECOND);
        assert_eq!(lambda.invoke(event).await.json::<String>(), "x");
    }
    function.stop().await;
    let ends = seen.lines().iter().filter(|line| *line == "a ends: success").count();
    assert_eq!(ends, 2);
}

struct NotReady(&'static str);

impl Lifecycle for NotReady {
    fn moments(&self) -> Moments {
        Moments::START
    }

    fn start<'a>(&'a self, _: &'a Starting) -> BoxFuture<'a, Result<(), Error>> {
        match self.0 {
            "fails" => async { Err("no such table".into()) }.boxed(),
            _ => panic!("in start"),
        }
    }
}

#[tokio::test]
async fn a_value_that_cannot_start_ends_the_function_and_is_reported() {
    for (kind, error_type, message) in [
        ("fails", "HandlerError", "no such table"),
        ("panics", "Powertools.LifecyclePanicked", "start of a lifecycle value panicked: in start"),
    ] {
        let lambda = FakeRuntime::new();
        let stack = Powertools::new(async |_: LambdaEvent<Value>| Ok::<_, Error>("x"));
        let error = lambda.run(stack.lifecycle(NotReady(kind)).run()).wait().await.unwrap_err();
        assert_eq!(error.to_string(), message);
        let errors = lambda.init_errors();
        let [told] = &errors[..] else { panic!("one report: {errors:?}") };
        assert_eq!((&*told.error_type, &*told.error_message), (error_type, message));
    }
}

#[tokio::test]
async fn the_start_timeout_bounds_all_that_comes_before_the_first_event() {
    let hangs = || pending::<Result<(), Error>>();
    let function = Powertools::new(handle)
        .warm_up_required("table", hangs)
        .start_timeout(Duration::from_millis(20));
    let error = FakeRuntime::new().run(function.run()).wait().await.unwrap_err();
    assert_eq!(error.to_string(), "the warm-up of table timed out after 20ms");
}

#[tokio::test]
async fn the_start_can_take_any_time() {
    let lambda = FakeRuntime::new();
    let function = Powertools::new(handle)
        .warm_up("table", async || Ok::<_, Error>(()))
        .start_timeout(Duration::MAX);
    let _running = lambda.run(function.run());
    lambda.invoke(json!("answer")).await.response().unwrap();
}
