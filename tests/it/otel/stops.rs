//! What becomes of spans when their work does not end by itself.

use std::future::pending;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http::Response;
use lambda_runtime::FunctionResponse;
use powertools::batch::{self, Message, RecordError};
use powertools::events::SqsEvent;
use powertools::http::{self as web, IdempotencyKeyLayer};
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::testing::{Event, events};
use powertools::{Deadline, Invocation};
use serde_json::json;
use tokio::sync::Notify;
use tower::Layer;
use tracing::Instrument;

use super::*;

#[tokio::test]
async fn the_time_limit_ends_open_spans_and_sends_them() {
    async fn handle(_: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        async {}.instrument(tracing::info_span!("quick")).await;
        let later = tracing::field::Empty;
        let span =
            tracing::info_span!("elsewhere", order = 7_u64, code = "7", later, again = 1_u64);
        let elsewhere = async move {
            let span = tracing::Span::current();
            span.record("later", 8_u64).record("again", "2");
            tracing::info!(order = 9_u64, code = "9", "waiting");
            pending::<()>().await;
        };
        tokio::spawn(Invocation::carry(elsewhere.instrument(span)));
        async { pending::<()>().instrument(tracing::info_span!("call", left = 3_u8)).await }
            .instrument(tracing::info_span!("charge"))
            .await;
        unreachable!()
    }
    let interval = |otel: Otel| otel.every(Duration::from_millis(20));
    for change in [Otel::before_reply as fn(Otel) -> Otel, interval] {
        let function = Function::with(Powertools::new(handle), &[], change).await;
        let event = Event::new(json!({})).trace_id(SAMPLED).timeout(SECOND);
        let outcome = function.invoke(event).await;
        assert_eq!(outcome.error_type(), Some("Powertools.DeadlineOutOfTime"));
        while !function.collector.spans().iter().any(|received| received.span.name == "elsewhere") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }

        let stopped = (2, "stopped before its end".to_owned());
        let root = function.collector.span("orders");
        assert_eq!(root.status(), (2, "Powertools.DeadlineOutOfTime".to_owned()));
        for (name, parent) in [("call", "charge"), ("charge", "orders"), ("elsewhere", "orders")] {
            let span = function.collector.span(name);
            assert_eq!(span.status(), stopped, "{name}");
            assert_eq!(span.parent(), function.collector.span(parent).id(), "{name}");
            let error_type = span.text("error.type");
            assert_eq!(error_type.as_deref(), Some("Powertools.DeadlineOutOfTime"), "{name}");
        }
        let left = function.collector.span("call").attribute("left");
        assert_eq!(left, Some(Value::IntValue(3)));
        let elsewhere = function.collector.span("elsewhere");
        for (name, value) in [
            ("order", Value::IntValue(7)),
            ("code", Value::StringValue("7".to_owned())),
            ("later", Value::IntValue(8)),
            ("again", Value::StringValue("2".to_owned())),
        ] {
            let of_name = elsewhere.span.attributes.iter().filter(|pair| pair.key == name);
            assert_eq!(of_name.count(), 1, "{name}");
            assert_eq!(elsewhere.attribute(name), Some(value), "{name}");
        }
        let waiting = elsewhere.event("waiting").unwrap();
        assert_eq!(waiting["order"], Value::IntValue(9));
        assert_eq!(waiting["code"], Value::StringValue("9".to_owned()));
        assert_eq!(function.collector.span("quick").status(), (0, String::new()));
    }
}

#[tokio::test]
async fn what_a_guard_inside_of_the_handler_stops_has_its_error() {
    /// Its destructor works, too.
    struct Closes;

    impl Drop for Closes {
        fn drop(&mut self) {
            tracing::info_span!("close").in_scope(|| ());
        }
    }

    async fn hang(_: Closes) -> Result<(), Error> {
        pending::<()>().instrument(tracing::info_span!("call")).await;
        unreachable!()
    }
    async fn handle(event: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        let work = async {
            async {}.instrument(tracing::info_span!("quick")).await;
            hang(Closes).instrument(tracing::info_span!("work")).await
        };
        let stopped = match event.payload.as_str() {
            Some("once") => {
                let idempotency = Idempotency::new(MemoryStore::new())?;
                idempotency.operation("charge").key("7")?.run(work).await
            }
            _ => Deadline::current().run(SECOND, work).await,
        };
        async {}.instrument(tracing::info_span!("after")).await;
        stopped.unwrap_err();
        Ok("fallback".to_owned())
    }
    for (event, error_type) in
        [("once", "Powertools.IdempotencyOutOfTime"), ("guard", "Powertools.DeadlineOutOfTime")]
    {
        let function = Function::start(handle).await;
        let event = Event::new(event).trace_id(SAMPLED).timeout(SECOND);
        assert_eq!(function.invoke(event).await.json::<String>(), "fallback");
        for name in ["call", "work"] {
            let span = function.collector.span(name);
            assert_eq!(span.status(), (2, "stopped before its end".to_owned()), "{name}");
            assert_eq!(span.text("error.type").as_deref(), Some(error_type), "{name}");
        }
        for name in ["quick", "close", "after", "orders"] {
            assert_eq!(function.collector.span(name).status().0, 0, "{name}");
        }
    }
}

#[tokio::test]
async fn a_record_in_a_task_of_its_own_is_stopped_with_the_error_of_its_batch() {
    async fn record(order: Message<String>) -> Result<(), RecordError> {
        async {}.instrument(tracing::info_span!("quick")).await;
        if order.body == "hang" {
            pending::<()>().instrument(tracing::info_span!("call")).await;
        }
        Ok(())
    }
    async fn handle(event: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        if let Ok(messages) = serde_json::from_value::<SqsEvent>(event.payload) {
            let batch = batch::sqs(messages).concurrency(2);
            let report = batch.run_spawned(record).await;
            assert!(!report.is_done());
        }
        Ok(String::new())
    }
    let function = Function::start(handle).await;
    let event = events::sqs("orders").message(json!("hang")).message(json!("pass")).build();
    let event = Event::new(event).trace_id(SAMPLED).timeout(SECOND);
    function.invoke(event).await.response().unwrap();
    // The task that was aborted is dropped after the batch, perhaps after the flush.
    function.invoke(Event::new(json!({})).trace_id("Root=1-2-3")).await.response().unwrap();
    let call = function.collector.span("call");
    assert_eq!(call.trace(), TRACE);
    assert_eq!(call.status(), (2, "stopped before its end".to_owned()));
    assert_eq!(call.text("error.type").as_deref(), Some("Powertools.DeadlineOutOfTime"));
    let spans = function.collector.spans();
    let quick: Vec<_> = spans.iter().filter(|received| received.span.name == "quick").collect();
    assert_eq!(quick.len(), 2);
    assert!(quick.iter().all(|received| received.status().0 == 0), "{quick:?}");
}

/// Nothing of this crate knows why.
#[tokio::test]
async fn a_span_of_a_task_that_its_owner_aborts_has_no_status() {
    async fn handle(_: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        let call = pending::<()>().instrument(tracing::info_span!("call"));
        let task = tokio::spawn(Invocation::carry(call));
        tokio::task::yield_now().await;
        task.abort();
        let _ = task.await;
        Ok(String::new())
    }
    let function = Function::start(handle).await;
    function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
    assert_eq!(function.collector.span("call").status(), (0, String::new()));
}

#[tokio::test]
async fn a_body_that_outlasts_its_lease_is_stopped_with_its_error() {
    let handle = |_: web::Request| async {
        let first = stream::iter([Ok::<_, Error>(Bytes::from_static(b"more than is stored"))]);
        let call = pending::<Result<Bytes, Error>>().instrument(tracing::info_span!("call"));
        let body = axum::body::Body::from_stream(first.chain(stream::once(call)));
        Ok::<_, Error>(Response::new(body))
    };
    let idempotency = Idempotency::builder(MemoryStore::new()).lease(SECOND).build().unwrap();
    let once = IdempotencyKeyLayer::new(idempotency, "payments").max_body_bytes(10);
    let once = once.caller(|_| Some("ada".to_owned()));
    let collector = Collector::start().await;
    let otel = otel(&collector, &[]);
    let _subscriber = subscribe(&otel);
    let lambda = FakeRuntime::new().function_name("orders").timeout(20 * SECOND);
    let function = Powertools::http(once.layer(web::handler(handle))).streaming();
    let _function = lambda.run(function.lifecycle(otel).run());
    let request = events::api_gateway_v2("POST", "/charges").header("idempotency-key", "k-1");
    lambda.invoke(Event::new(request.build()).trace_id(SAMPLED)).await;
    while collector.spans().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let call = collector.span("call");
    assert_eq!(call.status(), (2, "stopped before its end".to_owned()));
    assert_eq!(call.text("error.type").as_deref(), Some("Powertools.IdempotencyLeaseExpired"));
}

#[tokio::test]
async fn a_span_that_ends_after_the_reply_goes_with_the_next_flush_once() {
    async fn handle(event: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        if event.payload == json!("first") {
            let late = tokio::time::sleep(Duration::from_millis(50));
            tokio::spawn(Invocation::carry(late.instrument(tracing::info_span!("late"))));
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(String::new())
    }
    let function = Function::start(handle).await;
    function.invoke(Event::new(json!("first")).trace_id(SAMPLED)).await;
    let names = |spans: Vec<powertools_tests::otlp::Received>| -> Vec<String> {
        spans.into_iter().map(|received| received.span.name).collect()
    };
    assert!(!names(function.collector.spans()).contains(&"late".to_owned()));
    function.invoke(Event::new(json!("second")).trace_id("Root=1-2-3")).await;
    function.invoke(Event::new(json!("first")).trace_id("Root=1-2-3")).await;
    let late = function.collector.span("late");
    assert_eq!(late.trace(), TRACE);
    assert_eq!(late.status(), (0, String::new()));
}

#[tokio::test]
async fn a_span_that_was_ended_at_the_limit_is_not_sent_again() {
    async fn handle(event: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        if event.payload == json!("hang") {
            let elsewhere = tokio::time::sleep(2 * SECOND);
            let elsewhere = elsewhere.instrument(tracing::info_span!("elsewhere"));
            tokio::spawn(Invocation::carry(elsewhere));
            pending::<()>().await;
        }
        tokio::time::sleep(2 * SECOND).await;
        Ok(String::new())
    }
    let function = Function::start(handle).await;
    function.invoke(Event::new(json!("hang")).trace_id(SAMPLED).timeout(SECOND)).await;
    function.invoke(Event::new(json!("next")).trace_id("Root=1-2-3")).await;
    assert_eq!(function.collector.span("elsewhere").status().0, 2);
}

#[tokio::test]
async fn the_root_span_of_a_streamed_body_ends_with_it() {
    type Pieces = BoxStream<'static, Result<&'static str, Error>>;
    async fn handle(event: LambdaEvent<String>) -> Result<FunctionResponse<String, Pieces>, Error> {
        tracing::info_span!("head").in_scope(|| ());
        let pieces = stream::unfold(0, |number| async move {
            let span = tracing::info_span!("piece", number);
            tokio::time::sleep(Duration::from_millis(20)).instrument(span).await;
            (number < 3).then_some((Ok("piece"), number + 1))
        });
        let end = match &*event.payload {
            "whole" => stream::empty().boxed(),
            _ => stream::iter([Err("the database is gone".into())]).boxed(),
        };
        Ok(FunctionResponse::StreamingResponse(pieces.chain(end).boxed().into()))
    }
    for (payload, code) in [("whole", 0), ("broken", 2)] {
        let collector = Collector::start().await;
        let otel = otel(&collector, &[]);
        let _subscriber = subscribe(&otel);
        let lambda = FakeRuntime::new().function_name("orders");
        let _function = lambda.run(Powertools::new(handle).lifecycle(otel).run());
        lambda.invoke(Event::new(payload).trace_id(SAMPLED)).await;
        while collector.spans().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let root = collector.span("orders");
        assert_eq!(root.status().0, code, "{payload}: {root:?}");
        let spans = collector.spans();
        let pieces: Vec<_> = spans.iter().filter(|span| span.span.name == "piece").collect();
        assert_eq!(pieces.len(), 4, "{payload}");
        for piece in pieces {
            assert_eq!((piece.trace(), piece.parent()), (TRACE.to_owned(), root.id()));
            assert!(piece.span.end_time_unix_nano <= root.span.end_time_unix_nano);
        }
        assert_eq!(collector.span("head").parent(), root.id());
    }
}

/// As the rest of a body is whose reader has gone.
#[tokio::test]
async fn an_event_whose_handler_is_dropped_says_so_on_its_root_span() {
    let begun = Arc::new(Notify::new());
    let handle = {
        let begun = begun.clone();
        move |_: LambdaEvent<serde_json::Value>| {
            begun.notify_one();
            pending()
        }
    };
    let interval = |otel: Otel| otel.every(Duration::from_millis(20));
    let function = Function::with(Powertools::new(handle), &[], interval).await;
    let _event = function.lambda.send(Event::new(json!({})).trace_id(SAMPLED));
    begun.notified().await;
    function.task.stop().await;
    // That of the initialisation can come before.
    while !function.collector.spans().iter().any(|received| received.span.name == "orders") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let root = function.collector.span("orders");
    assert_eq!(root.status(), (2, "dropped before its end".to_owned()));
}

#[tokio::test]
async fn a_function_that_is_dropped_blocks_nobody() {
    let function = Function::start(async |_| pending().await).await;
    let _event = function.lambda.send(Event::new(json!({})).trace_id(SAMPLED));
    tokio::time::sleep(Duration::from_millis(100)).await;
    function.task.stop().await;
}
