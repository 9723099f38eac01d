//! What the spans of an invocation say.

use std::collections::BTreeMap;
use std::sync::Arc;

use lambda_runtime::{BoxFuture, Error, LambdaEvent};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue};
use powertools::runtime::lifecycle::{Lifecycle, Moments, Starting};
use powertools::testing::{Event, events};
use powertools::{Invocation, LambdaError, Powertools};
use prost::Message;
use serde_json::json;
use tokio::sync::Notify;
use tracing::Instrument;
use tracing::instrument::WithSubscriber;
use tracing_opentelemetry::{OpenTelemetrySpanExt, SetParentError};

use super::*;

#[tracing::instrument]
async fn charge(order: u64) {
    tracing::info!(order, "charging");
    tokio::task::yield_now().await;
    reserve(order).await;
}

#[tracing::instrument(skip_all, fields(left = 3_u8))]
async fn reserve(_: u64) {
    tokio::task::yield_now().await;
}

#[derive(Debug, thiserror::Error, LambdaError)]
#[error("the card was declined")]
#[error_type = "Orders.CardDeclined"]
struct Declined;

async fn handle(event: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
    if event.payload == json!("decline") {
        return Err(Declined.into());
    }
    charge(7).await;
    Ok("charged".to_owned())
}

#[tokio::test]
async fn spans_of_a_handler_are_under_the_root_span_of_its_event() {
    let function = Function::start(handle).await;
    let event = Event::new(json!("order")).trace_id(SAMPLED).request_id("r-1");
    function.invoke(event).await.response().unwrap();

    let root = function.collector.span("orders");
    assert_eq!((root.trace(), root.parent()), (TRACE.to_owned(), PARENT.to_owned()));
    assert_eq!(root.status(), (0, String::new()));
    assert_eq!(root.text("faas.invocation_id").as_deref(), Some("r-1"));
    assert_eq!(root.text("faas.trigger").as_deref(), Some("other"));
    assert_eq!(root.text("cloud.account.id").as_deref(), Some("123456789012"));
    assert!(matches!(root.attribute("faas.coldstart"), Some(Value::BoolValue(_))));
    assert_eq!(root.resource.get("service.name").cloned(), text("orders"));
    assert_eq!(root.resource.get("faas.name").cloned(), text("orders"));
    // Of the kind of servers.
    assert_eq!(root.span.kind, 2);

    let charge = function.collector.span("charge");
    let reserve = function.collector.span("reserve");
    assert_eq!((charge.trace(), charge.parent()), (TRACE.to_owned(), root.id()));
    assert_eq!((reserve.trace(), reserve.parent()), (TRACE.to_owned(), charge.id()));
    assert!(root.span.start_time_unix_nano <= charge.span.start_time_unix_nano);
    assert!(charge.span.end_time_unix_nano <= root.span.end_time_unix_nano);
    // Nothing of the runtime or of the export itself.
    let names = function.collector.spans().into_iter().map(|received| received.span.name);
    let names: Vec<_> = names.filter(|name| name != "init").collect();
    assert_eq!(names, ["reserve", "charge", "orders"]);
}

#[tokio::test]
async fn unsigned_numbers_are_numbers() {
    let function = Function::start(handle).await;
    function.invoke(Event::new(json!("order")).trace_id(SAMPLED)).await;
    let charge = function.collector.span("charge");
    assert_eq!(charge.attribute("order"), Some(Value::IntValue(7)));
    assert_eq!(charge.event("charging").unwrap()["order"], Value::IntValue(7));
    let reserve = function.collector.span("reserve");
    assert_eq!(reserve.attribute("left"), Some(Value::IntValue(3)));
}

#[tokio::test]
async fn a_string_of_digits_stays_a_string() {
    let function = Function::start(async |_| {
        let empty = tracing::field::Empty;
        let span = tracing::info_span!(
            "lookup",
            code = "007",
            big = u64::MAX,
            name = "7",
            number = 7_u64,
            early = empty,
            twice = 1_u64
        );
        span.record("early", 5_u64).record("twice", "1");
        // Before the span has started, and after it.
        tracing::info!(parent: &span, number = "3", name = 3_u64, "first");
        tracing::info!(parent: &span, number = 3_u64, name = "3", "second");
        span.in_scope(|| tracing::info!(number = "4", name = 4_u64, "third"));
        span.in_scope(|| tracing::info!(number = 4_u64, name = "4", "fourth"));
        Ok(String::new())
    })
    .await;
    function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
    let lookup = function.collector.span("lookup");
    let (text, number) = (|text: &str| Value::StringValue(text.to_owned()), Value::IntValue);
    for (name, value) in [
        ("code", text("007")),
        ("big", text(&u64::MAX.to_string())),
        ("name", text("7")),
        ("number", number(7)),
        ("early", number(5)),
        ("twice", text("1")),
    ] {
        assert_eq!(lookup.attribute(name), Some(value), "{name}");
    }
    for (event, of_number, of_name) in [
        ("first", text("3"), number(3)),
        ("second", number(3), text("3")),
        ("third", text("4"), number(4)),
        ("fourth", number(4), text("4")),
    ] {
        let attributes = lookup.event(event).unwrap();
        assert_eq!((&attributes["number"], &attributes["name"]), (&of_number, &of_name), "{event}");
    }
}

type Dyn = dyn std::error::Error + 'static;

/// An error with a cause.
#[derive(Debug, thiserror::Error)]
#[error("the store is down")]
struct Down(#[source] std::io::Error);

fn down(cause: &str) -> Down {
    Down(std::io::Error::other(cause))
}

fn texts(values: &[&str]) -> Option<Value> {
    let values = values.iter().map(|value| AnyValue { value: text(value) }).collect();
    Some(Value::ArrayValue(ArrayValue { values }))
}

/// A span with an error in a field, and an event with one; numbers of all kinds.
async fn fail_to_store(_: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
    let error = down("no route");
    let span = tracing::info_span!("store", error = &error as &Dyn, bytes = 1_usize, wide = 2_u128);
    span.in_scope(|| {
        tracing::warn!(cause = &error as &Dyn, small = 3_u8, wide = 4_i128, "not stored");
    });
    let _ = write("down").await;
    Ok(String::new())
}

#[tracing::instrument(err, fields(size = 5_u32))]
async fn write(cause: &str) -> Result<(), Down> {
    tokio::task::yield_now().await;
    Err(down(cause))
}

#[tokio::test]
async fn an_error_in_a_field_has_its_message_and_its_causes() {
    let function = Function::start(fail_to_store).await;
    function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
    let store = function.collector.span("store");
    let not_stored = store.event("not stored").unwrap();
    let attribute = |name: &str| store.attribute(name);
    let of_event = |name: &str| not_stored.get(name).cloned();
    for name in ["error", "cause"] {
        let get = |name: &str| attribute(name).or_else(|| of_event(name));
        assert_eq!(get(name), text("the store is down"), "{name}");
        assert_eq!(get(&format!("{name}.chain")), texts(&["no route"]), "{name}");
    }
    for get in [&attribute as &dyn Fn(&str) -> Option<Value>, &of_event] {
        assert_eq!(get("exception.message"), text("the store is down"));
        assert_eq!(get("exception.stacktrace"), texts(&["no route"]));
    }
    // A field is no failure of the span. An error that `instrument` takes note of is.
    assert_eq!(store.status(), (0, String::new()));
    let write = function.collector.span("write");
    assert_eq!(write.status(), (2, "the store is down".to_owned()));
    let exception = write.event("exception").unwrap();
    assert_eq!(exception.get("exception.message").cloned(), text("the store is down"));
    for (found, expected) in [
        (attribute("bytes"), 1),
        (attribute("wide"), 2),
        (of_event("small"), 3),
        (of_event("wide"), 4),
        (write.attribute("size"), 5),
    ] {
        assert_eq!(found, Some(Value::IntValue(expected)));
    }
}

#[tokio::test]
async fn an_error_that_is_redacted_does_not_leave() {
    // As the logs redact it, in whose fields it has one name, and also by the names that it has in spans.
    for names in [&["error", "cause"][..], &["error", "cause", "exception"]] {
        let redact = |otel: Otel| otel.redact(names.iter().copied());
        let function = Function::with(Powertools::new(fail_to_store), &[], redact).await;
        function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
        for name in ["store", "write"] {
            let sent = function.collector.span(name);
            let sent = format!("{:?}", (&sent.span.attributes, &sent.span.events, sent.status()));
            assert!(sent.contains("*****"), "{name}: {sent}");
            assert!(!sent.contains("no route") && !sent.contains("is down"), "{name}: {sent}");
        }
    }
}

#[tokio::test]
async fn a_span_has_the_place_of_its_code_and_no_thread() {
    let function = Function::start(handle).await;
    function.invoke(Event::new(json!("order")).trace_id(SAMPLED)).await;
    let charge = function.collector.span("charge");
    let path = charge.text("code.file.path").unwrap();
    assert!(path.ends_with("shape.rs"), "{path}");
    assert!(matches!(charge.attribute("code.line.number"), Some(Value::IntValue(1..))));
    assert_eq!(charge.text("code.module.name").as_deref(), Some(module_path!()));
    assert_eq!(charge.text("target").as_deref(), Some(module_path!()));
    for name in ["busy_ns", "idle_ns"] {
        assert!(matches!(charge.attribute(name), Some(Value::IntValue(1..))), "{name}");
    }
    let pairs = charge.span.attributes.iter();
    assert!(!pairs.into_iter().any(|pair| pair.key.starts_with("thread.")), "{charge:?}");
}

#[tokio::test]
async fn each_attribute_is_there_once_with_its_last_value() {
    async fn handle(_: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        let empty = tracing::field::Empty;
        let span = tracing::info_span!("step", order = 1_u64, done = empty);
        let _span = span.enter();
        span.record("order", "two");
        // More often than a span may have attributes.
        for done in 0..200_u64 {
            span.record("done", done);
        }
        for error in [down("first"), down("second")] {
            tracing::error!(error = &error as &Dyn, "it fails");
        }
        let (one, other) = (down("one"), down("other"));
        tracing::warn!(one = &one as &Dyn, other = &other as &Dyn, level = "high", "both");
        Ok(String::new())
    }
    let variables = [(
        "OTEL_RESOURCE_ATTRIBUTES",
        "stage=a,faas.name=mine,service.name=a,stage=b,service.name=b",
    )];
    let function = Function::with(Powertools::new(handle), &variables, |otel| otel).await;
    function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
    let step = function.collector.span("step");
    let request = function.collector.requests().pop().unwrap().1;
    let request = ExportTraceServiceRequest::decode(&*request).unwrap();
    let resource = request.resource_spans[0].resource.clone().unwrap().attributes;
    let events = step.span.events.iter().map(|event| &event.attributes);
    for list in events.chain([&step.span.attributes, &resource]) {
        let mut names: Vec<_> = list.iter().map(|pair| &pair.key).collect();
        names.sort();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "{list:?}");
    }
    assert_eq!(step.span.dropped_attributes_count, 0);
    for (name, value) in [
        ("order", text("two")),
        ("done", Some(Value::IntValue(199))),
        ("exception.stacktrace", texts(&["other"])),
    ] {
        assert_eq!(step.attribute(name), value, "{name}");
    }
    let both = step.event("both").unwrap();
    assert_eq!(both.get("exception.stacktrace").cloned(), texts(&["other"]));
    assert_eq!(both.get("level").cloned(), text("high"));
    for (name, value) in [("stage", "b"), ("faas.name", "mine"), ("service.name", "b")] {
        assert_eq!(step.resource.get(name).cloned(), text(value), "{name}");
    }
}

#[tokio::test]
async fn fields_of_otel_are_the_name_the_kind_and_the_status() {
    let function = Function::start(async |_| {
        let empty = tracing::field::Empty;
        let span = tracing::info_span!(
            "step",
            otel.name = "charge the card",
            otel.kind = "CLIENT",
            otel.status_code = empty,
            otel.status_description = empty
        );
        span.in_scope(|| {
            span.record("otel.status_code", "ERROR");
            span.record("otel.status_description", "declined");
        });
        let span = tracing::info_span!("failing", otel.kind = "sideways");
        span.in_scope(|| tracing::error!("it fails"));
        Ok(String::new())
    })
    .await;
    function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
    let charge = function.collector.span("charge the card");
    // Of the kind of clients.
    assert_eq!(charge.span.kind, 3);
    assert_eq!(charge.status(), (2, "declined".to_owned()));
    let is_of_otel =
        |pair: &opentelemetry_proto::tonic::common::v1::KeyValue| pair.key.starts_with("otel.");
    assert!(!charge.span.attributes.iter().any(is_of_otel), "{charge:?}");
    let failing = function.collector.span("failing");
    assert_eq!((failing.span.kind, failing.status()), (1, (2, String::new())));
}

#[tokio::test]
async fn a_span_without_a_parent_is_a_trace_of_its_own_beside_that_of_the_event() {
    async fn handle(_: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        let apart = |name| {
            let span = tracing::info_span!(parent: None, "apart", otel.name = name);
            span.in_scope(|| {
                tracing::info_span!("inner", otel.name = format!("in {name}")).in_scope(|| ())
            });
        };
        apart("at the top");
        tracing::info_span!("around").in_scope(|| apart("in a span"));
        Ok(String::new())
    }
    let function = Function::start(handle).await;
    function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
    let root = function.collector.span("orders");
    let mut traces = vec![TRACE.to_owned()];
    for name in ["at the top", "in a span"] {
        let apart = function.collector.span(name);
        assert_eq!(apart.parent(), "", "{name}");
        assert_eq!(apart.links(), [(TRACE.to_owned(), root.id())], "{name}");
        let inner = function.collector.span(&format!("in {name}"));
        assert_eq!((inner.trace(), inner.parent()), (apart.trace(), apart.id()));
        traces.push(apart.trace());
    }
    traces.sort();
    traces.dedup();
    assert_eq!(traces.len(), 3, "{traces:?}");
    // It is sampled as its event is.
    let function = Function::start(handle).await;
    let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0";
    function.invoke(Event::new(json!({})).trace_id(header)).await;
    assert!(function.collector.requests().is_empty());
}

#[tokio::test]
async fn the_resource_describes_the_function() {
    let variables = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "7"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/28/[7]abc"),
    ];
    let function = Function::with(Powertools::new(handle), &variables, |otel| otel).await;
    function.invoke(Event::new(json!("order")).trace_id(SAMPLED)).await;
    let resource = function.collector.span("orders").resource;
    for (name, value) in [
        ("cloud.provider", "aws"),
        ("cloud.platform", "aws_lambda"),
        ("cloud.region", "eu-central-1"),
        ("faas.name", "orders"),
        ("faas.version", "7"),
        ("faas.instance", "2026/11/28/[7]abc"),
        ("service.name", "orders"),
        ("telemetry.sdk.name", "opentelemetry"),
        ("telemetry.sdk.language", "rust"),
        ("telemetry.distro.name", "powertools-otel"),
    ] {
        assert_eq!(resource.get(name).cloned(), text(value), "{name}");
    }
    assert_eq!(resource.get("faas.max_memory"), Some(&Value::IntValue(512 << 20)));
    let version = |name: &str| match &resource[name] {
        Value::StringValue(version) => version.split('.').count(),
        other => panic!("{other:?}"),
    };
    assert_eq!((version("telemetry.sdk.version"), version("telemetry.distro.version")), (3, 3));
}

#[tokio::test]
async fn an_error_has_its_name_as_the_status_and_an_event() {
    let function = Function::start(handle).await;
    let outcome = function.invoke(Event::new(json!("decline")).trace_id(SAMPLED)).await;
    assert_eq!(outcome.error_type(), Some("Orders.CardDeclined"));
    let root = function.collector.span("orders");
    assert_eq!(root.status(), (2, "Orders.CardDeclined".to_owned()));
    assert_eq!(root.text("error.type").as_deref(), Some("Orders.CardDeclined"));
    let exception = root.event("exception").unwrap();
    assert_eq!(exception.get("exception.type").cloned(), text("Orders.CardDeclined"));
    assert_eq!(exception.get("exception.message").cloned(), text("the card was declined"));
}

#[tokio::test]
async fn a_panic_and_an_event_that_cannot_be_parsed_are_errors() {
    let function = Function::with(
        Powertools::new(async |_: LambdaEvent<serde_json::Value>| panic!("in the handler")),
        &[],
        |otel| otel,
    )
    .await;
    function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
    let root = function.collector.span("orders");
    assert_eq!(root.status(), (2, "Powertools.Panic".to_owned()));
    function.invoke(Event::raw("{").trace_id(SAMPLED)).await;
    let statuses = function.collector.spans().into_iter().map(|received| received.status().1);
    assert!(statuses.into_iter().any(|status| status == "Powertools.EventInvalid"));
}

#[tokio::test]
async fn a_request_names_its_route() {
    let function = Function::start(async |_| Ok(String::new())).await;
    let event = events::api_gateway_v2("GET", "/orders/7").route("/orders/{id}").build();
    function.invoke(Event::new(event).trace_id(SAMPLED)).await;
    let root = function.collector.span("GET /orders/{id}");
    assert_eq!(root.text("faas.trigger").as_deref(), Some("http"));
    assert_eq!(root.text("http.request.method").as_deref(), Some("GET"));
    assert_eq!(root.text("http.route").as_deref(), Some("/orders/{id}"));
}

/// By the semantic conventions, a response of the server's errors is an error of its span, and one of the
/// client's is not.
#[tokio::test]
async fn a_request_has_the_status_of_its_response() {
    use powertools::http::{Problem, Request};

    let collector = Collector::start().await;
    let otel = otel(&collector, &[]);
    let _subscriber = subscribe(&otel);
    let lambda = FakeRuntime::new().function_name("orders");
    let handle = async |request: Request| {
        let status = request.uri().path().trim_start_matches("/").parse::<u16>()?;
        Ok::<_, Error>(Problem::new(http::StatusCode::from_u16(status).unwrap()))
    };
    let _function = lambda.run(Powertools::http(handle).lifecycle(otel).run());
    for (status, code, error_type) in [(404, 0, None), (503, 2, Some("503"))] {
        let request = events::api_gateway_v2("GET", format!("/{status}")).route("/{status}");
        lambda.invoke(Event::new(request.build()).trace_id(SAMPLED)).await;
        let root = collector.spans().pop().unwrap();
        let attribute = root.attribute("http.response.status_code");
        assert_eq!(attribute, Some(Value::IntValue(status)));
        assert_eq!(root.status(), (code, String::new()), "{status}");
        assert_eq!(root.text("error.type").as_deref(), error_type);
    }
    // A failure that is answered keeps its own name.
    let request = events::api_gateway_v2("GET", "/x").route("/{status}");
    lambda.invoke(Event::new(request.build()).trace_id(SAMPLED)).await;
    let root = collector.spans().pop().unwrap();
    assert_eq!(root.attribute("http.response.status_code"), Some(Value::IntValue(500)));
    assert_eq!(root.status(), (2, "HandlerError".to_owned()));
    assert_eq!(root.text("error.type").as_deref(), Some("HandlerError"));
}

#[tokio::test]
async fn a_span_around_the_function_takes_no_span_of_an_event() {
    let collector = Collector::start().await;
    let otel = otel(&collector, &[]);
    let _subscriber = subscribe(&otel);
    let _around = tracing::info_span!("main").entered();
    let lambda = FakeRuntime::new().function_name("orders");
    let handle = async |_: LambdaEvent<serde_json::Value>| {
        charge(7).await;
        Ok::<_, Error>(powertools_otel::outgoing::traceparent())
    };
    let function = Powertools::new(handle).lifecycle(otel).run();
    let function = lambda.run(tracing::Instrument::in_current_span(function));
    let outcome = lambda.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
    assert!(outcome.json::<String>().contains(TRACE), "{outcome:?}");
    let (root, charge) = (collector.span("orders"), collector.span("charge"));
    assert_eq!((charge.trace(), charge.parent()), (TRACE.to_owned(), root.id()));
    function.stop().await;
}

/// A span of another trace, as a message that the handler reads by itself could name it.
fn remote(flags: TraceFlags) -> opentelemetry::Context {
    let trace = TraceId::from_hex("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap();
    let span = SpanId::from_hex("bbbbbbbbbbbbbbbb").unwrap();
    let remote = SpanContext::new(trace, span, flags, true, Default::default());
    opentelemetry::Context::new().with_remote_span_context(remote)
}

#[tokio::test]
async fn a_parent_that_the_user_sets_is_kept() {
    let function = Function::start(async |_| {
        let span = tracing::info_span!("elsewhere");
        span.set_parent(remote(TraceFlags::SAMPLED)).unwrap();
        span.in_scope(|| tracing::info_span!("inner").in_scope(|| ()));
        let explicit = tracing::info_span!(parent: &span, "explicit");
        drop((explicit.entered(), span));
        Ok(String::new())
    })
    .await;
    function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
    let elsewhere = function.collector.span("elsewhere");
    assert_eq!((elsewhere.trace(), elsewhere.parent()), ("a".repeat(32), "b".repeat(16)));
    for name in ["inner", "explicit"] {
        let inner = function.collector.span(name);
        assert_eq!((inner.trace(), inner.parent()), ("a".repeat(32), elsewhere.id()), "{name}");
    }
}

#[tokio::test]
async fn lines_and_headers_are_in_the_trace_that_the_user_set_and_later_ones_in_that_of_the_event()
{
    #[tracing::instrument(skip_all)]
    async fn handle(_: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        // What has begun has its parent.
        let current = tracing::Span::current().set_parent(remote(TraceFlags::SAMPLED));
        assert!(matches!(current, Err(SetParentError::AlreadyStarted)), "{current:?}");
        let span = tracing::info_span!("elsewhere");
        span.set_parent(remote(TraceFlags::SAMPLED)).unwrap();
        let work = async {
            tokio::task::yield_now().await;
            tracing::info!("inside");
            powertools_otel::outgoing::traceparent()
        };
        let header =
            tokio::spawn(Invocation::carry(work.instrument(span).with_current_subscriber()));
        let header = header.await?;
        tracing::info!("outside");
        Ok(header.unwrap_or_default())
    }
    let collector = Collector::start().await;
    let otel = otel(&collector, &[]);
    let (lines, _subscriber) = logged(&otel);
    let lambda = FakeRuntime::new().function_name("orders");
    let function = lambda.run(Powertools::new(handle).lifecycle(otel).run());
    let outcome = lambda.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
    function.stop().await;
    let (elsewhere, handle) = (collector.span("elsewhere"), collector.span("handle"));
    let other = "a".repeat(32);
    assert_eq!(outcome.json::<String>(), format!("00-{other}-{}-01", elsewhere.id()));
    let lines = lines.lock().unwrap();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (message, trace, span) in
        [("inside", &*other, elsewhere.id()), ("outside", TRACE, handle.id())]
    {
        let line = lines.iter().find(|line| line["message"] == message).unwrap();
        assert_eq!((&line["trace_id"], &line["span_id"]), (&json!(trace), &json!(span)), "{line}");
    }
}

#[tokio::test]
async fn a_parent_that_the_user_sets_decides_whether_its_spans_are_sampled() {
    async fn handle(event: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        let flags = match event.payload.as_bool() {
            Some(true) => TraceFlags::SAMPLED,
            _ => TraceFlags::NOT_SAMPLED,
        };
        let span = tracing::info_span!("elsewhere");
        span.set_parent(remote(flags)).unwrap();
        span.in_scope(|| tracing::info_span!("inner").in_scope(|| ()));
        Ok(String::new())
    }
    let not = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";
    for (header, is_sampled, expected) in [
        (SAMPLED, false, ["init", "orders"]),
        // Those of another trace are sent with the event all the same.
        (not, true, ["elsewhere", "inner"]),
    ] {
        let function = Function::start(handle).await;
        function.invoke(Event::new(is_sampled).trace_id(header)).await.response().unwrap();
        let spans = function.collector.spans();
        let mut names: Vec<_> = spans.iter().map(|received| &*received.span.name).collect();
        names.sort_unstable();
        assert_eq!(names, expected);
    }
}

/// Notifies when all values have started.
struct Last(Arc<Notify>);

impl Lifecycle for Last {
    fn moments(&self) -> Moments {
        Moments::START
    }

    fn start<'a>(&'a self, _: &'a Starting) -> BoxFuture<'a, Result<(), Error>> {
        self.0.notify_one();
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test]
async fn what_came_before_the_first_event_is_in_its_trace() {
    let collector = Collector::start().await;
    let otel = otel(&collector, &[]);
    let _subscriber = subscribe(&otel);
    tracing::info_span!("connect").in_scope(|| tracing::info_span!("resolve").in_scope(|| ()));
    let warm_up = async || Ok::<_, Error>(());
    let lambda = FakeRuntime::new().function_name("orders");
    let started = Arc::new(Notify::new());
    let function = Powertools::new(handle).warm_up("pool", warm_up).lifecycle(otel);
    let function = lambda.run(function.lifecycle(Last(started.clone())).run());
    started.notified().await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let sent = nanos();
    lambda.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
    lambda
        .invoke(
            Event::new(json!({})).trace_id("Root=1-5759e988-000000000000000000000001;Sampled=1"),
        )
        .await;
    function.stop().await;

    let init = collector.span("init");
    let roots: Vec<_> =
        collector.spans().into_iter().filter(|received| received.span.name == "orders").collect();
    assert_eq!(roots.len(), 2);
    assert_eq!((init.trace(), init.parent()), (TRACE.to_owned(), roots[0].id()));
    let (connect, resolve) = (collector.span("connect"), collector.span("resolve"));
    assert_eq!((connect.trace(), connect.parent()), (TRACE.to_owned(), init.id()));
    assert_eq!((resolve.trace(), resolve.parent()), (TRACE.to_owned(), connect.id()));
    let warm_up = collector.span("warm-up");
    assert_eq!((warm_up.trace(), warm_up.parent()), (TRACE.to_owned(), init.id()));
    assert_eq!(warm_up.text("warm_up").as_deref(), Some("pool"));
    assert!(init.span.start_time_unix_nano <= connect.span.start_time_unix_nano);
    // Provisioned environments wait for hours.
    assert!(init.span.end_time_unix_nano < sent, "the wait for an event is no part of it");
    assert!(init.span.end_time_unix_nano >= warm_up.span.end_time_unix_nano);
}

#[tokio::test]
async fn a_warm_up_that_does_not_end_well_is_an_error() {
    let collector = Collector::start().await;
    let otel = otel(&collector, &[]);
    let _subscriber = subscribe(&otel);
    let lambda = FakeRuntime::new().function_name("orders");
    let function = Powertools::new(handle)
        .warm_up("pool", async || Ok::<_, Error>(()))
        .warm_up("store", async || Err::<(), Error>(down("no route").into()))
        .warm_up("cache", async || -> Result<(), Error> { panic!("in a warm-up") })
        .warm_up("flags", async || std::future::pending::<Result<(), Error>>().await)
        .start_timeout(Duration::from_millis(100));
    let function = lambda.run(function.lifecycle(otel).run());
    lambda.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
    function.stop().await;
    let warm_ups = collector.spans().into_iter().filter(|span| span.span.name == "warm-up");
    let statuses: BTreeMap<_, _> =
        warm_ups.map(|span| (span.text("warm_up").unwrap(), span.status())).collect();
    let error = |description: &str| (2, description.to_owned());
    let expected = [
        ("cache", error("panicked: in a warm-up")),
        ("flags", error("stopped before its end")),
        ("pool", (0, String::new())),
        ("store", error("the store is down: no route")),
    ];
    assert_eq!(statuses, expected.map(|(name, status)| (name.to_owned(), status)).into());
}

#[tokio::test]
async fn a_second_value_is_an_error_at_the_start() {
    let collector = Collector::start().await;
    let (first, second) = (otel(&collector, &[]), otel(&collector, &[]));
    let _subscriber = subscribe(&first);
    let lambda = FakeRuntime::new().function_name("orders");
    let function = Powertools::new(handle).lifecycle(first.clone()).lifecycle(second).run();
    let ended = tokio::time::timeout(10 * SECOND, lambda.run(function).wait()).await;
    let error = ended.expect("it does not run").unwrap_err();
    assert!(error.to_string().contains("one value of `Otel`"), "{error}");
    assert_eq!(lambda.init_errors().len(), 1);
}

#[tokio::test]
async fn of_two_layers_in_a_subscriber_the_first_makes_the_spans() {
    let (collector, other) = (Collector::start().await, Collector::start().await);
    let (first, second) = (otel(&collector, &[]), otel(&other, &[]));
    let subscriber = tracing_subscriber::registry().with(first.layer()).with(second.layer());
    let _subscriber = powertools_tests::subscriber::set_default(subscriber);
    let lambda = FakeRuntime::new().function_name("orders");
    let _function = lambda.run(Powertools::new(handle).lifecycle(first).run());
    lambda.invoke(Event::new(json!("order")).trace_id(SAMPLED)).await.response().unwrap();
    assert_eq!(collector.span("charge").trace(), TRACE);
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn what_is_redacted_does_not_leave() {
    let function = Function::with(
        Powertools::new(async |_: LambdaEvent<serde_json::Value>| {
            let span = tracing::info_span!(
                "pay",
                card = "4111",
                Password = "secret",
                card.number = "4111"
            );
            span.in_scope(|| tracing::info!(card = "4111", "paid"));
            Ok::<_, Error>(String::new())
        }),
        &[],
        |otel| otel.redact(["card", "password"]),
    )
    .await;
    function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
    let pay = function.collector.span("pay");
    assert_eq!(pay.text("card").as_deref(), Some("*****"));
    assert_eq!(pay.text("Password").as_deref(), Some("*****"));
    assert_eq!(pay.text("card.number").as_deref(), Some("*****"));
    assert_eq!(pay.event("paid").unwrap().get("card").cloned(), text("*****"));
}
