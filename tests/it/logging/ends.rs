//! How handlers end, and which line reports it.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use lambda_runtime::{Diagnostic, Error, LambdaEvent, Runtime};
use powertools::logging::{Logging, LoggingLayer, observe};
use powertools::testing::{self, Event, FakeRuntime};
use powertools::{LambdaError, Powertools, logged};
use serde_json::{Value, json};
use tower::{ServiceBuilder, service_fn};

use super::handler::invoke;
use super::{Lines, logging, start};

#[derive(Debug, thiserror::Error, LambdaError)]
#[error("the order failed")]
#[error_type = "OrderFailed"]
struct OrderFailed(#[source] std::io::Error);

fn order_failed() -> OrderFailed {
    OrderFailed(std::io::Error::other("no answer"))
}

/// The messages of the errors that were logged, with debug lines under their own.
fn said(lines: &[Value]) -> Vec<&str> {
    let said = |line: &Value| line["exception"].is_string();
    let text = |line| if said(line) { &line["exception"] } else { &line["message"] };
    lines.iter().map(|line| text(line).as_str().expect("a text")).collect()
}

/// What is logged of one event by a function that `run` makes.
async fn under<F>(settings: Logging, run: F) -> Lines
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let (lines, _guard) = start(settings);
    let lambda = FakeRuntime::new();
    let _function = lambda.run(run);
    lambda.send(Event::new(json!({})).request_id("r-1")).outcome().await;
    lines
}

#[tokio::test]
async fn only_the_outermost_watch_reports_and_ends_the_invocation() {
    let (lines, _guard) = start(logging().buffer(20 * 1024));
    let work = observe(async {
        tracing::debug!("one");
        observe(async { Err::<(), Error>("handled".into()) }).await.unwrap_err();
        tracing::debug!("two");
        Err::<(), Error>("lost".into())
    });
    testing::invocation().build().scope(work).await.unwrap_err();
    assert_eq!(said(&lines.json()), ["one", "two", "lost"]);
}

#[tokio::test]
async fn under_powertools_too() {
    let lines = invoke(
        || logging().buffer(20 * 1024),
        json!({}),
        async |_| {
            observe(async { Err::<(), Error>("handled".into()) }).await.unwrap_err();
            tracing::debug!("kept");
            Err::<Value, Error>("lost".into())
        },
    )
    .await;
    assert_eq!(said(&lines), ["kept", "lost"]);
}

#[tokio::test]
async fn an_inner_success_or_drop_ends_nothing() {
    let (lines, _guard) = start(logging().buffer(20 * 1024));
    let work = observe(async {
        tracing::debug!("one");
        observe(async { Ok::<_, Error>(()) }).await.unwrap();
        let never = observe(std::future::pending::<Result<(), Error>>());
        tokio::time::timeout(std::time::Duration::ZERO, never).await.unwrap_err();
        assert_eq!(lines.take(), "");
        tracing::debug!("two");
        Err::<(), Error>("lost".into())
    });
    testing::invocation().build().scope(work).await.unwrap_err();
    assert_eq!(said(&lines.json()), ["one", "two", "lost"]);
}

#[tokio::test]
async fn the_same_error_is_logged_once_in_any_box() {
    let lines = invoke(logging, json!({}), async |_| {
        let charged = observe(async { Err::<Value, _>(order_failed()) }).await;
        charged.map_err(anyhow::Error::from)
    })
    .await;
    assert_eq!(said(&lines), ["the order failed"]);

    #[derive(Debug)]
    struct Declined;
    impl From<Declined> for Diagnostic {
        fn from(_: Declined) -> Self {
            Self { error_type: "Declined".to_owned(), error_message: "no money".to_owned() }
        }
    }
    let lines = invoke(logging, json!({}), async |_| {
        observe(observe(async { Err::<Value, _>(Declined) })).await
    })
    .await;
    assert_eq!(said(&lines), ["no money"]);
}

#[tokio::test]
async fn successive_errors_have_separate_lines() {
    let (lines, _guard) = start(logging().buffer(20 * 1024));
    let work = async {
        for _ in 0..2 {
            let work = observe(async {
                tracing::debug!("kept");
                Err::<(), Error>("lost".into())
            });
            work.await.unwrap_err();
        }
    };
    testing::invocation().build().scope(work).await;
    assert_eq!(said(&lines.json()), ["kept", "lost", "kept", "lost"]);
}

#[tokio::test]
async fn an_error_has_the_same_line_in_every_watch() {
    let handler = async |_| Err::<Value, _>(order_failed());
    let by_powertools = invoke(logging, json!({}), handler).await;
    let (lines, _guard) = start(logging());
    let work = observe(async { Err::<(), _>(order_failed()) });
    testing::invocation().build().scope(work).await.unwrap_err();
    let line = lines.one();
    for name in ["exception", "exception_name", "exception_chain"] {
        assert_eq!(by_powertools[0][name], line[name], "{name}");
    }
    assert_eq!(line["exception_chain"], json!(["no answer"]));
}

#[logged]
async fn charge(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let _ = event;
    tracing::debug!("kept");
    Err(order_failed().into())
}

#[tokio::test]
async fn the_plain_runtime_does_not_say_it_again() {
    let lines = under(logging(), lambda_runtime::run(service_fn(charge))).await.json();
    assert_eq!(said(&lines), ["the order failed"]);
    assert_eq!(lines[0]["function_request_id"], "r-1");

    let layer = LoggingLayer::new();
    let handler = async |_: LambdaEvent<Value>| Err::<Value, Error>("lost".into());
    let handler = ServiceBuilder::new().layer(layer).service_fn(handler);
    let lines = under(logging(), lambda_runtime::run(handler)).await.json();
    assert_eq!(said(&lines), ["lost"]);
}

#[tokio::test]
async fn the_plain_runtime_logs_another_error() {
    #[logged]
    async fn retries(event: LambdaEvent<Value>) -> Result<Value, Error> {
        Err(format!("no answer for {}", event.payload).into())
    }
    let handler = async |event| {
        let _ = retries(event).await;
        Err::<Value, Error>("gave up".into())
    };
    let lines = under(logging(), lambda_runtime::run(service_fn(handler))).await;
    let lines = lines.json();
    let [inner, outer] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!(inner["exception"], "no answer for {}");
    assert_eq!((&outer["level"], &outer["message"]), (&json!("ERROR"), &json!("\"gave up\"")));
}

#[tokio::test]
async fn a_runtime_without_a_span_or_an_invocation_logs_the_error() {
    let run = async { Runtime::new(service_fn(charge)).run().await };
    let lines = under(logging(), run).await.json();
    assert_eq!(lines.len(), 2, "{lines:#?}");
}

#[tokio::test]
async fn the_runtime_logs_an_error_whose_line_is_filtered() {
    let settings = || logging().filter("powertools=off");
    let lines = invoke(settings, json!({}), async |_| Err::<Value, Error>("lost".into())).await;
    let [line] = &lines[..] else { panic!("{lines:#?}") };
    assert!(line["message"].as_str().unwrap().contains("lost"), "{line}");
}

/// A response that cannot be written.
struct Unwritable;

impl serde::Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not this one"))
    }
}

#[tokio::test]
async fn the_buffer_is_written_if_the_response_cannot_be_serialised() {
    let handler = async |_: LambdaEvent<Value>| {
        tracing::debug!("kept");
        Ok::<_, Error>(Unwritable)
    };
    let settings = || logging().buffer(20 * 1024);
    let run = Powertools::new(handler).logging(settings()).run();
    let lines = under(settings(), run).await.json();
    assert_eq!(lines[0]["message"], "kept");
    assert_eq!(lines[1]["level"], "ERROR");
    assert_eq!(lines[1]["function_request_id"], "r-1");
}

/// Both begin, then the first ends, and then the second.
async fn one_then_the_other(
    one: impl Future<Output = Result<(), Error>>,
    other: impl Future<Output = Result<(), Error>>,
) {
    let (ended, end) = tokio::sync::oneshot::channel();
    let first = async {
        let begun = observe(async {
            tokio::task::yield_now().await;
            one.await
        });
        let _ = begun.await;
        ended.send(()).expect("the second waits");
    };
    let second = observe(async {
        end.await.expect("the first ends");
        other.await
    });
    let (_, _) = tokio::join!(first, second);
}

#[tokio::test]
async fn the_same_error_of_two_at_once_has_a_line_for_each() {
    async fn failed() -> Result<(), Error> {
        Err("no card service".into())
    }
    let (lines, _guard) = start(logging());
    testing::invocation().build().scope(one_then_the_other(failed(), failed())).await;
    assert_eq!(said(&lines.json()), ["no card service", "no card service"]);

    let both = observe(async {
        one_then_the_other(failed(), failed()).await;
        failed().await
    });
    testing::invocation().build().scope(both).await.unwrap_err();
    assert_eq!(said(&lines.json()), ["no card service"]);

    let lines = invoke(logging, json!({}), async |_| {
        one_then_the_other(failed(), failed()).await;
        Err::<Value, Error>("no card service".into())
    })
    .await;
    assert_eq!(said(&lines), ["no card service"]);
}

#[tokio::test]
async fn the_end_of_one_of_two_at_once_leaves_the_lines_of_the_other() {
    let (lines, _guard) = start(logging().buffer(20 * 1024));
    for first in [Ok(()), Err("lost")] {
        let one = async move { first.map_err(Error::from) };
        let other = async {
            tracing::debug!("kept");
            std::future::pending().await
        };
        let both = testing::invocation().build().scope(one_then_the_other(one, other));
        tokio::time::timeout(std::time::Duration::from_millis(20), both).await.unwrap_err();
        let expected = if first.is_ok() { vec!["kept"] } else { vec!["lost", "kept"] };
        assert_eq!(said(&lines.json()), expected);
    }
}

#[tokio::test]
async fn a_part_that_outlives_its_watch_reports_its_own_error() {
    let (lines, _guard) = start(logging());
    let work = observe(async {
        let part = observe(async {
            tokio::task::yield_now().await;
            Err::<(), _>(order_failed())
        });
        Ok::<_, Error>(powertools::Invocation::carry(part))
    });
    let invocation = testing::invocation().build();
    let late = invocation.scope(work).await.unwrap();
    tokio::spawn(late).await.unwrap().unwrap_err();
    assert_eq!(said(&lines.json()), ["the order failed"]);
}

/// Its `Debug` form starts with its message, like that of `anyhow`, and is much longer.
struct WithBacktrace<'a>(&'a AtomicUsize);

impl fmt::Display for WithBacktrace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no answer")
    }
}

impl fmt::Debug for WithBacktrace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        self.0.fetch_add(1, Ordering::Relaxed);
        f.write_str("\n\nStack backtrace: …")
    }
}

impl std::error::Error for WithBacktrace<'_> {}

#[tokio::test]
async fn a_backtrace_is_not_formatted_if_it_is_not_logged() {
    static WRITTEN: AtomicUsize = AtomicUsize::new(0);
    async fn fails(_: LambdaEvent<Value>) -> Result<Value, Error> {
        Err(Box::new(WithBacktrace(&WRITTEN)))
    }
    let by_powertools = under(logging(), Powertools::new(fails).logging(logging()).run()).await;
    let handler = ServiceBuilder::new().layer(LoggingLayer::new()).service_fn(fails);
    let by_the_runtime = under(logging(), lambda_runtime::run(handler)).await;
    for lines in [by_powertools, by_the_runtime] {
        assert_eq!(said(&lines.json()), ["no answer"]);
    }
    assert_eq!(WRITTEN.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn an_error_of_a_spawned_part_is_said_once() {
    let (lines, _guard) = start(logging());
    let work = observe(async {
        let part = observe(async { Err::<(), _>(order_failed()) });
        tokio::spawn(powertools::Invocation::carry(part)).await.unwrap()
    });
    testing::invocation().build().scope(work).await.unwrap_err();
    assert_eq!(said(&lines.json()), ["the order failed"]);
}
