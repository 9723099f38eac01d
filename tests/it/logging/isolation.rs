//! Many invocations at once.

use std::collections::HashMap;

use lambda_runtime::{Error, LambdaEvent};
use powertools::testing::{Event, FakeRuntime};
use powertools::{Invocation, Powertools, logging as logs};
use serde_json::{Value, json};
use tracing::dispatcher::DefaultGuard;

use super::{Lines, logging, start};

#[tokio::test]
async fn no_line_carries_the_id_or_key_or_buffer_of_another_invocation() {
    let logging = || logging().buffer(64 * 1024).correlation_id("/id");
    lines_of_many_invocations(start(logging())).await;
    lines_of_many_invocations(start(logging().together(true))).await;
}

async fn lines_of_many_invocations((lines, _guard): (Lines, DefaultGuard)) {
    let events = powertools_tests::scale(200, 5_000);
    let lines_each = 20;
    let lambda = FakeRuntime::new().concurrency(16);
    let function = lambda.run(
        Powertools::new(move |event| log(event, lines_each))
            .logging(logging().correlation_id("/id"))
            .run(),
    );

    let sent =
        |number: usize| Event::new(json!({ "id": number })).request_id(format!("r-{number}"));
    let pending: Vec<_> = (0..events).map(|number| lambda.send(sent(number))).collect();
    for outcome in pending {
        outcome.outcome().await;
    }
    function.stop().await;

    let mut seen: HashMap<u64, usize> = HashMap::new();
    for line in lines.json() {
        let id = line["correlation_id"].as_str().expect("every line has one").to_owned();
        assert_eq!(line["function_request_id"], format!("r-{id}"), "{line}");
        let number: u64 = id.parse().unwrap();
        *seen.entry(number).or_default() += 1;
        if line["message"] != "the handler failed" {
            assert_eq!((&line["key"], &line["event"]), (&json!(number), &json!(number)), "{line}");
        }
    }
    assert_eq!(seen.len(), events);
    for (number, seen) in seen {
        // Debug lines come out where the handler failed, and the line of its error.
        let expected = if number % 2 == 1 { 2 * lines_each + 1 } else { lines_each };
        assert_eq!(seen, expected, "{number}");
    }
}

/// Logs `count` lines at INFO and as many at DEBUG, half of them in a task, and fails for every
/// second event.
async fn log(event: LambdaEvent<Value>, count: usize) -> Result<Value, Error> {
    let number = event.payload["id"].as_u64().ok_or("no id")?;
    logs::append("key", number);
    tokio::spawn(Invocation::carry(log_lines(number, count / 2))).await?;
    log_lines(number, count - count / 2).await;
    if number % 2 == 1 { Err("every second one".into()) } else { Ok(json!(null)) }
}

async fn log_lines(event: u64, count: usize) {
    for _ in 0..count {
        tracing::info!(event, "info");
        tokio::task::yield_now().await;
        tracing::debug!(event, "debug");
    }
}

#[test]
fn lines_of_many_threads_are_whole() {
    let threads = 16;
    let lines_each = powertools_tests::scale(500, 6_250);
    let lines = super::Lines::default();
    let subscriber = {
        use tracing_subscriber::layer::SubscriberExt;
        tracing_subscriber::registry().with(lines.layer(logging()))
    };
    let dispatch = tracing::Dispatch::new(subscriber);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let dispatch = &dispatch;
            scope.spawn(move || {
                let invocation =
                    powertools::testing::invocation().request_id(format!("r-{thread}")).build();
                tracing::dispatcher::with_default(dispatch, || {
                    invocation.sync_scope(|| {
                        logs::append("thread", thread);
                        for number in 0..lines_each {
                            let _span = tracing::info_span!("s", in_span = thread).entered();
                            tracing::info!(number, "{thread}");
                        }
                    });
                });
            });
        }
    });
    let lines = lines.json();
    assert_eq!(lines.len(), threads * lines_each);
    for line in lines {
        let thread = line["thread"].as_u64().unwrap();
        assert_eq!(line["function_request_id"], format!("r-{thread}"));
        assert_eq!(
            (&line["message"], &line["in_span"]),
            (&json!(thread.to_string()), &json!(thread))
        );
    }
}
