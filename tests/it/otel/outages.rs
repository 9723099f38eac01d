//! Collectors that do not do what they should.

use std::time::Instant;

use hyper::StatusCode;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use powertools::testing::Event;
use powertools_tests::otlp::Answer;
use prost::Message;
use serde_json::json;

use super::*;

async fn quiet(_: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
    Ok("done".to_owned())
}

fn event() -> Event {
    Event::new(json!({})).trace_id(SAMPLED)
}

/// The warnings of the export, as they are counted by a layer of the test.
#[derive(Clone, Default)]
struct Warnings(std::sync::Arc<std::sync::Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Warnings {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        if event.metadata().target() == "powertools_otel" {
            let mut text = Text(String::new());
            event.record(&mut text);
            self.0.lock().unwrap().push(text.0);
        }
    }
}

struct Text(String);

impl tracing::field::Visit for Text {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!("{}={value:?} ", field.name()));
    }
}

impl Warnings {
    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

fn watch(otel: &Otel) -> (Warnings, DefaultGuard) {
    let warnings = Warnings::default();
    let subscriber = tracing_subscriber::registry().with(otel.layer()).with(warnings.clone());
    (warnings, powertools_tests::subscriber::set_default(subscriber))
}

fn run(otel: Otel) -> (FakeRuntime, FunctionTask<Result<(), Error>>) {
    let lambda = FakeRuntime::new().function_name("orders");
    let function = lambda.run(Powertools::new(quiet).lifecycle(otel).run());
    (lambda, function)
}

#[tokio::test]
async fn a_collector_that_restarts_gets_everything() {
    let collector = Collector::start().await;
    let port = collector.port();
    let otel = otel(&collector, &[]);
    let (warnings, _subscriber) = watch(&otel);
    let (lambda, function) = run(otel);
    lambda.invoke(event()).await;
    assert_eq!(collector.spans().len(), 2);
    drop(collector);
    for _ in 0..3 {
        assert_eq!(lambda.invoke(event()).await.json::<String>(), "done");
    }
    let collector = Collector::on(port).await;
    // The pause after the first failure.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    lambda.invoke(event()).await;
    assert_eq!(collector.spans().len(), 4);
    function.stop().await;
    let warnings = warnings.all();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("cannot connect"), "{warnings:?}");
}

#[tokio::test]
async fn a_collector_that_hangs_costs_one_timeout() {
    let variables = [("OTEL_EXPORTER_OTLP_TIMEOUT", "300")];
    let function = Function::with(Powertools::new(quiet), &variables, |otel| otel).await;
    function.collector.answer(Answer::Hang);
    let start = Instant::now();
    for _ in 0..5 {
        assert_eq!(function.invoke(event()).await.json::<String>(), "done");
    }
    assert!(start.elapsed() < Duration::from_millis(1300), "{:?}", start.elapsed());
    assert_eq!(function.collector.requests().len(), 1);
}

#[tokio::test]
async fn an_export_ends_before_the_time_of_the_invocation() {
    let variables = [("OTEL_EXPORTER_OTLP_TIMEOUT", "60000")];
    let function = Function::with(Powertools::new(quiet), &variables, |otel| otel).await;
    function.collector.answer(Answer::Hang);
    let start = Instant::now();
    let outcome = function.invoke(event().timeout(SECOND)).await;
    assert_eq!(outcome.json::<String>(), "done");
    assert!(start.elapsed() < SECOND, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_busy_collector_is_asked_again_within_the_same_flush() {
    let function = Function::start(quiet).await;
    function.collector.answer(Answer::Refuse(StatusCode::SERVICE_UNAVAILABLE));
    let collector = &function.collector;
    let recover = async {
        while collector.requests().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        collector.answer(Answer::Take);
    };
    tokio::join!(recover, function.invoke(event()));
    assert_eq!(function.collector.span("orders").trace(), TRACE);
}

#[tokio::test]
async fn what_is_rejected_is_dropped_and_counted_in_one_warning() {
    let collector = Collector::start().await;
    let otel = otel(&collector, &[]);
    let (warnings, _subscriber) = watch(&otel);
    let (lambda, function) = run(otel);
    collector.answer(Answer::Refuse(StatusCode::BAD_REQUEST));
    assert_eq!(lambda.invoke(event()).await.json::<String>(), "done");
    let partial = ExportTracePartialSuccess { rejected_spans: 1, ..Default::default() };
    let partial = ExportTraceServiceResponse { partial_success: Some(partial) };
    collector.answer(Answer::Body(partial.encode_to_vec().into()));
    assert_eq!(lambda.invoke(event()).await.json::<String>(), "done");
    function.stop().await;
    // The root span, and that of the initialisation.
    let warnings = warnings.all();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("spans=2"), "{warnings:?}");
    assert!(warnings[0].contains("status 400"), "{warnings:?}");
    assert!(warnings[1].contains("spans=1"), "{warnings:?}");
    assert_eq!(collector.requests().len(), 2);
}

/// Each attempt would have the same end.
#[tokio::test]
async fn a_redirect_is_not_tried_again() {
    let collector = Collector::start().await;
    let otel = otel(&collector, &[]);
    let (warnings, _subscriber) = watch(&otel);
    let (lambda, _function) = run(otel);
    collector.answer(Answer::Refuse(StatusCode::MOVED_PERMANENTLY));
    lambda.invoke(event()).await;
    assert_eq!(collector.requests().len(), 1);
    let warnings = warnings.all();
    assert!(warnings.len() == 1 && warnings[0].contains("redirect"), "{warnings:?}");
    collector.answer(Answer::Take);
    lambda.invoke(event()).await;
    assert_eq!(collector.requests().len(), 2);
}

#[tokio::test]
async fn a_layer_from_before_a_setting_is_warned_about() {
    let collector = Collector::start().await;
    let before = otel(&collector, &[]);
    let (warnings, _subscriber) = watch(&before);
    let (lambda, _function) = run(before.service("orders"));
    lambda.invoke(event()).await.response().unwrap();
    let warnings = warnings.all();
    assert!(warnings.len() == 1 && warnings[0].contains("before a setting"), "{warnings:?}");
}

#[tokio::test]
async fn memory_is_bounded_while_nobody_listens() {
    let collector = Collector::start().await;
    let otel = otel(&collector, &[("OTEL_BSP_MAX_QUEUE_SIZE", "3")]);
    let (warnings, _subscriber) = watch(&otel);
    let (lambda, function) = run(otel);
    collector.answer(Answer::Refuse(StatusCode::SERVICE_UNAVAILABLE));
    for _ in 0..6 {
        assert_eq!(lambda.invoke(event()).await.json::<String>(), "done");
    }
    collector.answer(Answer::Take);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    lambda.invoke(event()).await;
    function.stop().await;
    assert_eq!(collector.spans().len(), 3);
    let dropped = warnings.all().iter().filter(|warning| warning.contains("spans=1")).count();
    // Six root spans and the initialisation were more than three, and so was the last one.
    assert_eq!(dropped, 5, "{:?}", warnings.all());
}

#[tokio::test]
async fn without_a_way_to_the_collector_there_is_a_warning_and_no_span() {
    for (url, reason) in [
        ("collector:4318", "invalid"),
        ("not a url", "invalid"),
        ("ftp://host", "the URL is not absolute"),
        ("", "invalid"),
    ] {
        let otel = Otel::collector(url).environment([("A", "")]);
        let (warnings, _subscriber) = watch(&otel);
        let lambda = FakeRuntime::new();
        let function = lambda.run(Powertools::new(quiet).lifecycle(otel).run());
        assert_eq!(lambda.invoke(event()).await.json::<String>(), "done");
        function.stop().await;
        let warnings = warnings.all();
        assert_eq!(warnings.len(), 1, "{url}: {warnings:?}");
        assert!(warnings[0].contains(reason), "{url}: {warnings:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_fails_the_export_alone() {
    let (collector, certificate) = Collector::over_tls().await;
    let bundle = std::env::temp_dir().join(format!("otlp-{}.pem", std::process::id()));
    std::fs::write(&bundle, certificate).unwrap();
    let url = format!("https://localhost:{}", collector.port());
    for (variable, is_trusted) in [("AWS_CA_BUNDLE", true), ("IT_IS_NOT_NAMED", false)] {
        let variables = [(variable, bundle.to_str().unwrap())];
        let otel = Otel::collector(&url).environment(variables);
        let (warnings, _subscriber) = watch(&otel);
        let (lambda, function) = run(otel);
        assert_eq!(lambda.invoke(event()).await.json::<String>(), "done");
        function.stop().await;
        let warnings = warnings.all();
        assert_eq!(warnings.is_empty(), is_trusted, "{warnings:?}");
        assert!(is_trusted || warnings[0].contains("certificate"), "{warnings:?}");
        assert_eq!(collector.spans().len(), 2);
    }
    std::fs::remove_file(&bundle).unwrap();
}
