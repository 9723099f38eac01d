//! Where the trace of an event comes from.

use powertools::testing::{Event, events};
use powertools::{Invocation, batch};
use serde_json::{Value as Json, json};

use super::*;

const W3C: &str = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01";

async fn quiet(_: LambdaEvent<Json>) -> Result<String, Error> {
    tracing::info_span!("inner").in_scope(|| ());
    Ok(String::new())
}

/// The trace and the parent of the root span of an event with this header.
async fn root_of(variables: &[(&str, &str)], event: Event) -> Vec<(String, String)> {
    let function = Function::with(Powertools::new(quiet), variables, |otel| otel).await;
    function.invoke(event).await.response().unwrap();
    let spans = function.collector.spans();
    let inner = spans.iter().find(|received| received.span.name == "inner");
    let roots: Vec<_> = spans
        .iter()
        .filter(|received| received.text("faas.invocation_id").is_some())
        .map(|root| {
            assert_eq!(inner.unwrap().parent(), root.id());
            assert_eq!(inner.unwrap().trace(), root.trace());
            (root.trace(), root.parent())
        })
        .collect();
    assert!(!roots.is_empty() || spans.is_empty(), "spans without their root: {spans:?}");
    roots
}

fn event(header: &str) -> Event {
    Event::new(json!({})).trace_id(header)
}

#[tokio::test]
async fn the_header_of_the_event_decides_whether_it_is_sampled() {
    let not = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";
    assert_eq!(root_of(&[], event(not)).await, []);
    let not = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0";
    assert_eq!(root_of(&[], event(not)).await, []);
    let expected = [(TRACE.to_owned(), PARENT.to_owned())];
    assert_eq!(root_of(&[], event(SAMPLED)).await, expected);
    // A sampler that does not ask the parent.
    let always = [("OTEL_TRACES_SAMPLER", "always_on")];
    assert_eq!(root_of(&always, event(not)).await.len(), 1);
    let never = [("OTEL_TRACES_SAMPLER", "always_off")];
    assert_eq!(root_of(&never, event(SAMPLED)).await, []);
}

#[tokio::test]
async fn a_header_without_a_decision_leaves_it_to_the_sampler() {
    let open = "Root=1-5759e988-bd862e3fe1be46a994272793; Parent=53995c3f42cd8ad8";
    let expected = [(TRACE.to_owned(), PARENT.to_owned())];
    assert_eq!(root_of(&[], event(open)).await, expected);
    let never = [("OTEL_TRACES_SAMPLER", "parentbased_always_off")];
    assert_eq!(root_of(&never, event(open)).await, []);
    assert_eq!(root_of(&never, event(SAMPLED)).await, expected);
}

#[tokio::test]
async fn a_header_without_a_parent_keeps_its_trace() {
    let root = "root=1-5759e988-bd862e3fe1be46a994272793;sampled=1";
    assert_eq!(root_of(&[], event(root)).await, [(TRACE.to_owned(), String::new())]);
}

#[tokio::test]
async fn a_damaged_header_starts_a_trace_of_its_own() {
    for header in [W3C, "Root=1-2-3;Parent=4;Sampled=1", "x", &"a".repeat(5000)] {
        let roots = root_of(&[], event(header)).await;
        let (trace, parent) = &roots[0];
        assert_eq!((trace.len(), &**parent), (32, ""), "{header}");
        // Its time, as X-Ray wants it.
        let time = u64::from_str_radix(&trace[..8], 16).unwrap();
        assert!(time > 1_700_000_000, "{trace}");
    }
    let roots = root_of(&[], Event::new(json!({})).without_trace_id()).await;
    assert_eq!(roots[0].1, "");
}

#[tokio::test]
async fn the_caller_of_an_http_function_is_the_parent() {
    let expected = [("a".repeat(32), "b".repeat(16))];
    let v2 = events::api_gateway_v2("GET", "/").header("Traceparent", W3C).build();
    let v1 = events::api_gateway_v1("GET", "/").header("TraceParent", W3C).build();
    for event in [v2, v1] {
        let event = || Event::new(event.clone()).trace_id(SAMPLED);
        assert_eq!(root_of(&[], event()).await, expected);
        let xray_only = [("OTEL_PROPAGATORS", "xray")];
        let of_xray = [(TRACE.to_owned(), PARENT.to_owned())];
        assert_eq!(root_of(&xray_only, event()).await, of_xray);
    }
    let none = [("OTEL_PROPAGATORS", "none")];
    assert_eq!(root_of(&none, event(SAMPLED)).await[0].1, "");
    let damaged = events::api_gateway_v2("GET", "/").header("traceparent", "00-x").build();
    let roots = root_of(&[], Event::new(damaged).trace_id(SAMPLED)).await;
    assert_eq!(roots, [(TRACE.to_owned(), PARENT.to_owned())]);
}

fn message(id: u32, sender: &str) -> Json {
    json!({
        "messageId": format!("m-{id}"),
        "body": "1",
        "attributes": { "AWSTraceHeader": sender, "ApproximateReceiveCount": "1" },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:charges",
    })
}

const SENDERS: [&str; 2] = [
    "Root=1-aaaaaaaa-aaaaaaaaaaaaaaaaaaaaaaaa;Parent=bbbbbbbbbbbbbbbb;Sampled=1",
    "Root=1-cccccccc-cccccccccccccccccccccccc;Parent=dddddddddddddddd;Sampled=1",
];

#[tokio::test]
async fn a_batch_of_one_message_continues_the_trace_of_its_sender() {
    let function = Function::start(quiet).await;
    let event = json!({ "Records": [message(1, SENDERS[0])] });
    function.invoke(Event::new(event).trace_id(SAMPLED)).await;
    let root = function.collector.span("process charges");
    assert_eq!((root.trace(), root.parent()), ("a".repeat(32), "b".repeat(16)));
    assert_eq!(root.links(), [(TRACE.to_owned(), PARENT.to_owned())]);
    assert_eq!(root.text("messaging.system").as_deref(), Some("aws_sqs"));
    assert_eq!(root.text("messaging.destination.name").as_deref(), Some("charges"));
    assert_eq!(root.attribute("messaging.batch.message_count"), None);
    // Of the kind of consumers.
    assert_eq!(root.span.kind, 5);
}

#[tokio::test]
async fn a_batch_links_to_the_senders_and_each_record_to_its_own() {
    #[tracing::instrument(skip_all)]
    async fn record(_: batch::Message<u32>) -> Result<(), batch::RecordError> {
        tracing::info_span!("step").in_scope(|| ());
        Ok(())
    }
    async fn all(event: LambdaEvent<Json>) -> Result<String, Error> {
        let event: powertools::events::SqsEvent = serde_json::from_value(event.payload)?;
        let report = batch::sqs(event).concurrency(2).run(record).await;
        assert!(report.into_reply()?.batch_item_failures.is_empty());
        Ok(String::new())
    }
    let function = Function::start(all).await;
    let messages = [message(1, SENDERS[0]), message(2, SENDERS[1]), message(3, "x")];
    function.invoke(Event::new(json!({ "Records": messages })).trace_id(SAMPLED)).await;

    let links = [("a".repeat(32), "b".repeat(16)), ("c".repeat(32), "d".repeat(16))];
    let root = function.collector.span("process charges");
    assert_eq!((root.trace(), root.parent()), (TRACE.to_owned(), PARENT.to_owned()));
    let mut of_root = root.links();
    of_root.sort();
    assert_eq!(of_root, links);
    assert_eq!(root.attribute("messaging.batch.message_count"), Some(Value::IntValue(3)));

    let spans = function.collector.spans();
    let of = |name| spans.iter().filter(move |received| received.span.name == name);
    let mut of_records: Vec<_> = of("record").flat_map(|record| record.links()).collect();
    of_records.sort();
    assert_eq!(of_records, links);
    assert!(of("record").all(|record| record.parent() == root.id()));
    assert_eq!((of("record").count(), of("step").count()), (3, 3));
    assert!(of("step").all(|step| step.links().is_empty()));
}

#[tokio::test]
async fn other_sources_continue_the_trace_of_their_sender() {
    let bytes: Vec<i16> = W3C.bytes().map(i16::from).collect();
    let kafka = json!({
        "eventSource": "aws:kafka",
        "records": { "orders-0": [{ "topic": "orders", "partition": 0, "offset": 7, "headers": [
            { "other": [1] }, { "traceparent": bytes },
        ] }] },
    });
    let attribute = json!({ "traceparent": { "Type": "String", "Value": W3C } });
    let sns = json!({ "Records": [{ "EventSource": "aws:sns", "Sns": {
        "TopicArn": "arn:aws:sns:eu-central-1:123456789012:orders", "Message": "1",
        "MessageAttributes": attribute,
    } }] });
    let sqs = json!({ "Records": [{ "eventSource": "aws:sqs", "messageId": "1", "body": "",
        "messageAttributes": { "traceparent": { "stringValue": W3C, "dataType": "String" } },
    }] });
    let bridge = json!({
        "detail-type": "Order", "source": "shop", "detail": { "traceparent": W3C, "order": 7 },
    });
    for event in [kafka, sns, sqs, bridge] {
        let roots = root_of(&[], Event::new(event.clone()).trace_id(SAMPLED)).await;
        assert_eq!(roots, [("a".repeat(32), "b".repeat(16))], "{event}");
    }
}

#[tokio::test]
async fn hostile_events_have_a_root_span_all_the_same() {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    for event in [
        json!({ "Records": 1 }),
        json!({ "Records": [] }),
        json!({ "Records": [{ "attributes": 1, "eventSource": "aws:sqs" }] }),
        json!({ "Records": [{ "eventSource": "aws:sqs" }, null] }),
        json!({ "eventSource": [], "records": { "x": [{ "headers": [{ "traceparent": [999] }] }] } }),
        json!({ "eventSource": "", "records": { "x": [{ "headers": { "traceparent": "a" } }] } }),
        json!({ "requestContext": null, "headers": 1, "httpMethod": {}, "resource": 1 }),
        json!({ "requestContext": { "http": 1 }, "headers": { "traceparent": null } }),
        json!({ "detail-type": 1, "detail": "x", "source": {} }),
        json!([{}]),
        json!(deep),
    ] {
        let roots = root_of(&[], Event::new(event.clone()).trace_id(SAMPLED)).await;
        assert_eq!(roots, [(TRACE.to_owned(), PARENT.to_owned())], "{event}");
    }
    assert!(Invocation::current().is_none());
}
