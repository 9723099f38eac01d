//! One request through five services: an API, payments, a queue, an event bus and a topic.
//!
//! With `POWERTOOLS_WRITE_TRACE=1` the test writes the spans that it saw to
//! `powertools/docs/pictures/trace.json`, from which the picture of the guide is drawn.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use powertools::testing::{Event, events};
use powertools_otel::outgoing;
use powertools_tests::otlp::Received;
use serde_json::{Value as Json, json};
use tracing::Instrument;
use tracing::instrument::WithSubscriber;

use super::*;

/// A step of the work that takes so many milliseconds.
async fn step(name: &'static str, millis: u64) {
    let span = tracing::info_span!("step", otel.name = name);
    tokio::time::sleep(Duration::from_millis(millis)).instrument(span).await;
}

/// What the services send to each other.
#[derive(Clone, Default)]
struct Sent(Arc<Mutex<Vec<Json>>>);

impl Sent {
    fn push(&self, event: Json) {
        self.0.lock().unwrap().push(event);
    }

    fn take(&self) -> Json {
        self.0.lock().unwrap().remove(0)
    }
}

/// A service, whose spans go to the collector under its name.
fn service<F, Fut>(
    collector: &Collector,
    name: &str,
    handler: F,
) -> (FakeRuntime, FunctionTask<Result<(), Error>>)
where
    F: FnMut(LambdaEvent<Json>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<String, Error>> + Send + 'static,
{
    let url = collector.url();
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", &*url);
    let otel = Otel::new().environment([endpoint]).service(name);
    let subscriber = tracing_subscriber::registry().with(otel.layer());
    let lambda = FakeRuntime::new().function_name(name);
    let function = Powertools::new(handler).lifecycle(otel).run();
    let task = lambda.run(function.with_subscriber(subscriber));
    (lambda, task)
}

#[tokio::test]
async fn one_request_is_one_trace_through_five_services() {
    let collector = Collector::start().await;
    let (messages, facts) = (Sent::default(), Sent::default());

    let (payments, _payments) = service(&collector, "payments", async |_| {
        step("reserve the amount", 4).await;
        step("call the bank", 9).await;
        Ok("paid".to_owned())
    });
    let payments = Arc::new(payments);
    let (bank, queue) = (payments.clone(), messages.clone());
    let (shop, _shop) = service(&collector, "shop", move |_| {
        let (bank, queue) = (bank.clone(), queue.clone());
        async move {
            step("validate", 2).await;
            let pay = async {
                let request = events::api_gateway_v2("POST", "/payments").route("/payments");
                let headers = outgoing::headers().into_iter();
                let request = headers
                    .filter(|(name, _)| *name == "traceparent")
                    .fold(request, |request, (name, value)| request.header(name, value));
                bank.invoke(Event::new(request.build()).without_trace_id()).await
            };
            let kind = tracing::info_span!("POST /payments", otel.kind = "client");
            assert_eq!(pay.instrument(kind).await.json::<String>(), "paid");
            let span = tracing::info_span!("send orders", otel.kind = "producer");
            queue.push(span.in_scope(|| {
                json!({ "Records": [{
                    "messageId": "m-1",
                    "body": "7",
                    "attributes": { "AWSTraceHeader": outgoing::xray_header() },
                    "messageAttributes": {},
                    "eventSource": "aws:sqs",
                    "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:orders",
                }] })
            }));
            Ok(String::new())
        }
    });
    let bus = facts.clone();
    let (fulfilment, _fulfilment) = service(&collector, "fulfilment", move |_| {
        let bus = bus.clone();
        async move {
            step("pick", 5).await;
            step("pack", 3).await;
            let span = tracing::info_span!("put OrderShipped", otel.kind = "producer");
            let traceparent = span.in_scope(outgoing::traceparent);
            bus.push(json!({
                "detail-type": "OrderShipped", "source": "fulfilment",
                "detail": { "order": 7, "traceparent": traceparent },
            }));
            let span = tracing::info_span!("publish shipments", otel.kind = "producer");
            let traceparent = span.in_scope(outgoing::traceparent).unwrap().into_bytes();
            bus.push(json!({
                "eventSource": "aws:kafka",
                "records": { "shipments-0": [{
                    "topic": "shipments", "partition": 0, "offset": 7, "value": "Nw==",
                    "headers": [{ "traceparent": traceparent }],
                }] },
            }));
            Ok(String::new())
        }
    });
    let (mails, _mails) = service(&collector, "mails", async |_| {
        step("render", 2).await;
        step("send mail", 6).await;
        Ok(String::new())
    });
    let (ledger, _ledger) = service(&collector, "ledger", async |_| {
        step("book", 3).await;
        Ok(String::new())
    });

    let order = events::api_gateway_v2("POST", "/orders/7").route("/orders/{id}").build();
    shop.invoke(Event::new(order).trace_id(SAMPLED)).await.response().unwrap();
    fulfilment.invoke(Event::new(messages.take())).await.response().unwrap();
    mails.invoke(Event::new(facts.take())).await.response().unwrap();
    ledger.invoke(Event::new(facts.take())).await.response().unwrap();

    let spans: Vec<_> =
        collector.spans().into_iter().filter(|received| received.span.name != "init").collect();
    let services: BTreeSet<_> = spans.iter().map(service_of).collect();
    assert_eq!(services.len(), 5, "{services:?}");
    assert!(spans.iter().all(|received| received.trace() == TRACE));
    let ids: BTreeSet<_> = spans.iter().map(Received::id).collect();
    for (name, parent) in [
        ("POST /orders/{id}", None),
        ("POST /payments", Some("POST /orders/{id}")),
        ("process orders", Some("send orders")),
        ("mails", Some("put OrderShipped")),
        ("process shipments", Some("publish shipments")),
    ] {
        let of =
            |name: &'static str| spans.iter().filter(move |received| received.span.name == name);
        let expected: Vec<_> = match parent {
            Some(parent) => of(parent).map(Received::id).collect(),
            None => vec![PARENT.to_owned()],
        };
        assert!(of(name).any(|received| expected.contains(&received.parent())), "{name}");
    }
    let has_parent = |received: &&Received| ids.contains(&received.parent());
    assert_eq!(spans.iter().filter(has_parent).count(), spans.len() - 1, "one has none");
    if std::env::var_os("POWERTOOLS_WRITE_TRACE").is_some() {
        write(&spans);
    }
}

fn service_of(received: &Received) -> String {
    match received.resource.get("service.name") {
        Some(Value::StringValue(name)) => name.clone(),
        other => panic!("{other:?}"),
    }
}

/// Writes spans in the order of their starts, with times in microseconds from the first one.
fn write(spans: &[Received]) {
    let first = spans.iter().map(|received| received.span.start_time_unix_nano).min().unwrap();
    let mut spans: Vec<_> = spans.iter().collect();
    spans.sort_by_key(|received| received.span.start_time_unix_nano);
    let line = |received: &&Received| {
        let span = &received.span;
        let micros = |time: u64| (time - first) / 1000;
        json!({
            "service": service_of(received),
            "name": span.name,
            "id": received.id(),
            "parent": received.parent(),
            "start": micros(span.start_time_unix_nano),
            "end": micros(span.end_time_unix_nano),
        })
        .to_string()
    };
    let lines: Vec<_> = spans.iter().map(line).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../powertools/docs/pictures/trace.json");
    std::fs::write(path, format!("[\n  {}\n]\n", lines.join(",\n  "))).unwrap();
}
