//! What is not sent, and what is cut.

use std::collections::BTreeMap;

use powertools::Powertools;
use powertools::testing::Event;
use serde_json::json;

use super::*;

/// True if any request has this text in it.
fn is_sent(collector: &Collector, text: &str) -> bool {
    let requests = collector.requests();
    assert!(!requests.is_empty());
    requests.iter().any(|(_, body)| String::from_utf8_lossy(body).contains(text))
}

#[tokio::test]
async fn an_event_that_is_logged_stays_in_the_logs() {
    #[tracing::instrument(skip_all)]
    async fn handle(event: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        powertools::logging::log_event(&event.payload);
        Ok(String::new())
    }
    let collector = Collector::start().await;
    let otel = otel(&collector, &[]);
    let (lines, _subscriber) = logged(&otel);
    let lambda = FakeRuntime::new().function_name("orders");
    let function = lambda.run(Powertools::new(handle).lifecycle(otel).run());
    let event = json!({ "order": "o-7", "token": "secret" });
    lambda.invoke(Event::new(event).trace_id(SAMPLED)).await.response().unwrap();
    function.stop().await;
    let lines = lines.lock().unwrap();
    assert!(lines.contains("o-7") && !lines.contains("secret"), "{lines}");
    assert!(collector.span("handle").span.events.is_empty());
    assert!(!is_sent(&collector, "o-7") && !is_sent(&collector, "secret"));
}

#[tokio::test]
async fn the_event_as_an_argument_does_not_leave() {
    #[tracing::instrument]
    async fn handle(event: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        tracing::info!(?event, number = 7, "taken");
        charge(&event).await;
        Ok(String::new())
    }
    #[tracing::instrument(fields(late))]
    async fn charge(order: &LambdaEvent<serde_json::Value>) {
        tracing::Span::current().record("late", format!("{order:?}"));
    }
    let function = Function::start(handle).await;
    function.invoke(Event::new(json!({ "card": "4111" })).trace_id(SAMPLED)).await;
    let (handle, charge) = (function.collector.span("handle"), function.collector.span("charge"));
    assert_eq!(handle.text("event").as_deref(), Some("LambdaEvent"));
    let taken = handle.event("taken").unwrap();
    assert_eq!(taken.get("event").cloned(), text("LambdaEvent"));
    assert_eq!(taken["number"], Value::IntValue(7));
    for name in ["order", "late"] {
        assert_eq!(charge.text(name).as_deref(), Some("LambdaEvent"));
    }
    assert!(!is_sent(&function.collector, "4111"));
}

#[tokio::test]
async fn a_record_of_log_has_the_target_and_the_place_of_its_library() {
    crate::logging::forward();
    let function = Function::start(async |_| {
        let span = tracing::info_span!("step");
        let _span = span.enter();
        log::warn!("slow");
        log::info!(target: "orders", "accepted");
        // A field of the user.
        tracing::info!(log.target = "mine", "own");
        Ok(String::new())
    })
    .await;
    function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
    let step = function.collector.span("step");
    let of = |name: &str| step.event(name).unwrap();
    let (slow, own) = (of("slow"), of("own"));
    let names = |event: &BTreeMap<String, Value>| event.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&slow),
        ["code.file.path", "code.line.number", "code.module.name", "level", "target"]
    );
    for name in ["code.file.path", "code.module.name", "target"] {
        assert_eq!(slow[name], own[name], "{name}");
    }
    assert!(matches!(slow["code.line.number"], Value::IntValue(1..)), "{slow:?}");
    assert_eq!(slow.get("level").cloned(), text("WARN"));
    assert_eq!(of("accepted").get("target").cloned(), text("orders"));
    assert_eq!(own.get("log.target").cloned(), text("mine"));
}

#[tokio::test]
async fn values_of_hidden_names_inside_of_a_value_do_not_leave() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "its `Debug` form has it")]
    struct Request {
        body: Option<String>,
        token: &'static str,
    }
    #[tracing::instrument]
    async fn login(request: Request) {
        let body = request.body.as_deref().unwrap();
        let error = std::io::Error::other("bad token: expired");
        let error = &error as &(dyn std::error::Error + 'static);
        tracing::info!(body, error, "taken");
    }
    async fn handle(event: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        login(Request { body: Some(event.payload.to_string()), token: "secret" }).await;
        Ok(String::new())
    }
    let body = json!({ "token": "secret", "user": "Ada" });
    let long = json!({ "token": "secret", "user": "z".repeat(20_000) });
    for (event, is_whole) in [(body, true), (long, false)] {
        let function =
            Function::with(Powertools::new(handle), &[], |otel| otel.redact(["token"])).await;
        function.invoke(Event::new(event).trace_id(SAMPLED)).await;
        assert!(!is_sent(&function.collector, "secret"));
        let login = function.collector.span("login");
        let taken = login.event("taken").unwrap();
        if is_whole {
            let hidden = r#"{"token":"*****","user":"Ada"}"#;
            assert_eq!(taken.get("body").cloned(), text(hidden));
            let form = format!("Request {{ body: Some({hidden:?}), token: ***** }}");
            assert_eq!(login.text("request"), Some(form));
        }
        assert_eq!(taken.get("exception.message").cloned(), text("bad token: expired"));
    }
}

#[tokio::test]
async fn what_is_too_long_is_cut() {
    async fn handle(_: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        let long = "\u{e4}".repeat(20_000);
        let error = std::io::Error::other(long.clone());
        let error = &error as &(dyn std::error::Error + 'static);
        let span = tracing::info_span!("step", long, early = tracing::field::Empty, error);
        tracing::info!(parent: &span, long, "before");
        span.in_scope(|| {
            span.record("early", &*long);
            tracing::info!(long, "then");
            tracing::info!("{long}");
        });
        Ok(String::new())
    }
    let all = "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT";
    let of_spans = "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT";
    for (variables, longest) in [
        (&[][..], 16_384),
        (&[(all, "30000")][..], 20_000),
        (&[(all, "30000"), (of_spans, "100")][..], 100),
    ] {
        let function = Function::with(Powertools::new(handle), variables, |otel| otel).await;
        function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
        let step = function.collector.span("step");
        let expected = "\u{e4}".repeat(longest);
        for name in ["long", "early", "error", "exception.message"] {
            assert!(step.text(name).unwrap() == expected, "{name}");
        }
        for name in ["before", "then"] {
            assert!(step.event(name).unwrap()["long"] == Value::StringValue(expected.clone()));
        }
        assert!(step.event(&expected).is_some());
    }
}
