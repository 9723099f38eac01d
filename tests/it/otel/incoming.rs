//! Where the trace of an event comes from.

use powertools::testing::{Event, events};
use powertools::{Invocation, batch};
use powertools_tests::otlp::Received;
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
async fn a_trace_that_begins_here_has_its_time_as_x_ray_requires() {
    let function =
        Function::start(async |_| Ok(powertools_otel::outgoing::xray_header().unwrap_or_default()))
            .await;
    let seconds = || nanos() / 1_000_000_000;
    let before = seconds();
    let header = function.invoke(Event::new(json!({})).without_trace_id()).await.json::<String>();
    let of_trace = header.strip_prefix("Root=1-").and_then(|rest| rest.split_once('-'));
    let (time, rest) = of_trace.unwrap_or_else(|| panic!("{header}"));
    let time = u64::from_str_radix(time, 16).unwrap();
    assert!((before..=seconds()).contains(&time), "{header}");
    let root = function.collector.span("orders");
    assert!(root.trace().starts_with(&format!("{time:08x}{}", &rest[..24])), "{header}");
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

#[tokio::test]
async fn every_front_end_passes_the_caller_on() {
    // As the guides of the services have them.
    let lattice_1 = json!({
        "raw_path": "/orders?x=1", "method": "GET", "is_base64_encoded": false, "body": null,
        "headers": { "traceparent": W3C, "host": "orders" }, "query_string_parameters": { "x": "1" },
    });
    let lattice_2 = json!({
        "version": "2.0", "path": "/orders", "method": "GET",
        "headers": { "host": ["orders"], "traceparent": [W3C] },
        "requestContext": { "serviceArn": "arn:aws:vpc-lattice:eu-central-1:123456789012:service/svc-1" },
    });
    let balancer = |headers: Json| {
        let mut event = json!({
            "requestContext": { "elb": { "targetGroupArn": "arn" } }, "httpMethod": "GET", "path": "/orders",
        });
        event.as_object_mut().unwrap().extend(headers.as_object().unwrap().clone());
        event
    };
    let balancer_1 = balancer(json!({ "headers": { "traceparent": W3C } }));
    let balancer_2 = balancer(json!({ "multiValueHeaders": { "traceparent": [W3C] } }));
    let url = events::function_url("GET", "/orders").header("traceparent", W3C).build();
    for event in [lattice_1, lattice_2, balancer_1, balancer_2, url] {
        let function = Function::start(quiet).await;
        function.invoke(Event::new(event.clone()).trace_id(SAMPLED)).await;
        let spans = function.collector.spans();
        let root = spans.iter().find(|received| received.text("faas.invocation_id").is_some());
        let root = root.unwrap();
        assert_eq!((root.trace(), root.parent()), ("a".repeat(32), "b".repeat(16)), "{event}");
        assert_eq!(root.text("faas.trigger").as_deref(), Some("http"), "{event}");
        assert_eq!(root.text("http.request.method").as_deref(), Some("GET"), "{event}");
    }
}

#[tokio::test]
async fn headers_of_w3c_have_limits() {
    let header = |parent: &str, state: &str| {
        let request = events::api_gateway_v2("GET", "/").header("traceparent", parent);
        Event::new(request.header("tracestate", state).build()).trace_id(SAMPLED)
    };
    let (of_caller, of_xray) =
        (("a".repeat(32), "b".repeat(16)), (TRACE.to_owned(), PARENT.to_owned()));
    // A later version may have more parts, up to a length.
    let later = |len: usize| format!("{}-{}", W3C.replacen("00-", "cc-", 1), "x".repeat(len));
    for (parent, expected) in [
        (W3C.to_owned(), &of_caller),
        (later(100), &of_caller),
        (later(600), &of_xray),
        (format!("{W3C}-more"), &of_xray),
        (format!("{}x", W3C.replacen("00-", "cc-", 1)), &of_xray),
        ("00-1-2-01".to_owned(), &of_xray),
        (W3C.replacen("-a", "-+", 1), &of_xray),
        (W3C.replacen("00-", "ff-", 1), &of_xray),
        (W3C.to_uppercase(), &of_xray),
        (W3C.replace('a', "0"), &of_xray),
        (W3C.replace('b', "0"), &of_xray),
    ] {
        let roots = root_of(&[], header(&parent, "vendor=1")).await;
        assert_eq!(roots[0], *expected, "{parent}");
    }
    // A state that is too long, or damaged, is left out, and the trace continues.
    let longest = format!("v={}", "x".repeat(253));
    let members = |count: u32| (0..count).map(|key| format!("k{key}=1")).collect::<Vec<_>>();
    for (state, expected) in [
        ("vendor=1,other=2".to_owned(), "vendor=1,other=2".to_owned()),
        (format!("{longest},w{longest}"), format!("{longest},w{longest}")),
        (format!("{longest},wx{longest}"), String::new()),
        (members(33).join(","), members(32).join(",")),
        ("no pair".to_owned(), String::new()),
    ] {
        let function = Function::start(async |_| {
            Ok(powertools_otel::outgoing::tracestate().unwrap_or_default())
        })
        .await;
        let outcome = function.invoke(header(W3C, &state)).await;
        assert_eq!(outcome.json::<String>(), expected);
        let root = function.collector.spans().remove(0);
        assert_eq!(root.trace(), of_caller.0, "{state}");
    }
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
async fn a_batch_is_named_after_its_queue_topic_or_stream() {
    let record = |source: &str, service: &str, resource: &str| {
        let arn = format!("arn:aws:{service}:eu-central-1:123456789012:{resource}");
        json!({ "Records": [{ "eventSource": source, "eventSourceARN": arn }] })
    };
    let stream = |resource: &str| record("aws:kinesis", "kinesis", resource);
    let topic = "arn:aws:sns:eu-central-1:123456789012:orders";
    let sns = json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "TopicArn": topic } }] });
    let kafka = |topic: &str| {
        let records = json!({ format!("{topic}-0"): [{ "offset": 0 }] });
        json!({ "eventSource": "aws:kafka", "records": records })
    };
    for (event, name) in [
        (record("aws:sqs", "sqs", "orders"), "orders"),
        (record("aws:sqs", "sqs", "orders.fifo"), "orders.fifo"),
        (sns, "orders"),
        (stream("stream/orders"), "orders"),
        (stream("stream/orders/consumer/billing:1700000000"), "orders"),
        (kafka("orders"), "orders"),
        (kafka("shop.orders-v2"), "shop.orders-v2"),
    ] {
        let function = Function::start(quiet).await;
        function.invoke(Event::new(event).trace_id(SAMPLED)).await.response().unwrap();
        let root = function.collector.span(&format!("process {name}"));
        assert_eq!(root.text("messaging.destination.name").as_deref(), Some(name));
    }
    // The other sources have the name of the function.
    let table = "table/orders/stream/2026-11-30T00:00:00.000";
    for event in [record("aws:dynamodb", "dynamodb", table), record("aws:s3", "s3", "orders")] {
        let function = Function::start(quiet).await;
        function.invoke(Event::new(event).trace_id(SAMPLED)).await.response().unwrap();
        let root = function.collector.span("orders");
        assert_eq!(root.text("faas.trigger").as_deref(), Some("datasource"));
    }
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

/// A topic and an event bus put what the sender wrote into the body.
#[tokio::test]
async fn a_message_from_a_topic_or_a_bus_continues_the_trace_of_its_sender() {
    let attribute = json!({ "Type": "String", "Value": W3C });
    let notification = json!({
        "Type": "Notification", "TopicArn": "arn:aws:sns:eu-central-1:123456789012:orders",
        "Message": "1", "MessageAttributes": { "traceparent": attribute },
    });
    let of_bus = json!({
        "version": "0", "detail-type": "order", "source": "shop", "detail": { "traceparent": W3C },
    });
    for body in [notification, of_bus] {
        let mut message = message(1, SENDERS[1]);
        message["body"] = body.to_string().into();
        let roots =
            root_of(&[], Event::new(json!({ "Records": [message] })).trace_id(SAMPLED)).await;
        assert_eq!(roots[0], ("a".repeat(32), "b".repeat(16)), "{body}");
    }
    // What a customer wrote is no header.
    let mut message = message(1, SENDERS[1]);
    message["body"] = json!({ "traceparent": W3C }).to_string().into();
    let roots = root_of(&[], Event::new(json!({ "Records": [message] })).trace_id(SAMPLED)).await;
    assert_eq!(roots[0], ("c".repeat(32), "d".repeat(16)));
}

/// As EventBridge Pipes invokes a function: with the records alone.
#[tokio::test]
async fn the_records_of_a_pipe_link_to_their_senders() {
    let function = Function::start(quiet).await;
    let event = json!([message(1, SENDERS[0]), message(2, SENDERS[1])]);
    function.invoke(Event::new(event).trace_id(SAMPLED)).await;
    let mut links = function.collector.span("process charges").links();
    links.sort();
    let expected = [("a".repeat(32), "b".repeat(16)), ("c".repeat(32), "d".repeat(16))];
    assert_eq!(links, expected);
    let function = Function::start(quiet).await;
    function.invoke(Event::new(json!([1, { "a": 1 }])).trace_id(SAMPLED)).await;
    assert_eq!(function.collector.span("orders").text("faas.trigger").as_deref(), Some("other"));
}

#[tokio::test]
async fn a_large_batch_links_to_each_sender_once() {
    let function = Function::start(quiet).await;
    // One in the middle has another sender.
    let sender = |id| SENDERS[usize::from(id == 500)];
    let messages: Vec<_> = (0..1000).map(|id| message(id, sender(id))).collect();
    function.invoke(Event::new(json!({ "Records": messages })).trace_id(SAMPLED)).await;
    let root = function.collector.span("process charges");
    let mut links = root.links();
    links.sort();
    let expected = [("a".repeat(32), "b".repeat(16)), ("c".repeat(32), "d".repeat(16))];
    assert_eq!(links, expected);

    // Those over the limit of a span are counted.
    let function = Function::start(quiet).await;
    let sender = |id: u32| SENDERS[0].replace("bbbbbbbbbbbbbbbb", &format!("{:016x}", id + 1));
    let messages: Vec<_> = (0..200).map(|id| message(id, &sender(id))).collect();
    function.invoke(Event::new(json!({ "Records": messages })).trace_id(SAMPLED)).await;
    let root = function.collector.span("process charges");
    assert_eq!((root.links().len(), root.span.dropped_links_count), (128, 72));
}

#[tokio::test]
async fn a_batch_of_kafka_links_to_the_senders_and_each_record_to_its_own() {
    #[tracing::instrument(skip_all)]
    async fn record(_: batch::KafkaMessage<u32>) -> Result<(), batch::RecordError> {
        Ok(())
    }
    async fn all(event: LambdaEvent<Json>) -> Result<String, Error> {
        let event: powertools::events::KafkaEvent = serde_json::from_value(event.payload)?;
        let report = batch::kafka(event).run(record).await;
        assert!(report.is_done());
        Ok(String::new())
    }
    let header = |sender: char| {
        let parent = W3C.replace('a', &sender.to_string());
        json!([{ "traceparent": parent.bytes().map(|byte| byte as i8).collect::<Vec<_>>() }])
    };
    let record = |partition: u32, offset: u32, headers: Json| {
        json!({
            "topic": "orders", "partition": partition, "offset": offset, "timestamp": 1,
            "timestampType": "CREATE_TIME", "value": "Nw==", "headers": headers,
        })
    };
    // Producers without headers, and a header that is damaged, do not concern the others.
    let event = json!({
        "eventSource": "aws:kafka",
        "eventSourceArn": "arn:aws:kafka:eu-central-1:123456789012:cluster/c/1",
        "records": {
            "orders-0": [record(0, 1, header('1')), record(0, 2, Json::Null), record(0, 3, json!([]))],
            "orders-1": [record(1, 1, json!([{ "traceparent": [1, 2] }])), record(1, 2, header('2'))],
        },
    });
    let function = Function::start(all).await;
    function.invoke(Event::new(event).trace_id(SAMPLED)).await.response().unwrap();
    let links = ["1", "2"].map(|sender| (sender.repeat(32), "b".repeat(16)));
    let root = function.collector.span("process orders");
    assert_eq!((root.trace(), root.parent()), (TRACE.to_owned(), PARENT.to_owned()));
    let mut of_root = root.links();
    of_root.sort();
    assert_eq!(of_root, links);
    assert_eq!(root.attribute("messaging.batch.message_count"), Some(Value::IntValue(5)));
    let spans = function.collector.spans();
    let of_records = spans.iter().filter(|received| received.span.name == "record");
    let mut of_records: Vec<_> = of_records.map(Received::links).collect();
    of_records.sort();
    assert_eq!(
        of_records,
        [vec![], vec![], vec![], vec![links[0].clone()], vec![links[1].clone()]]
    );
}

#[tokio::test]
async fn what_is_damaged_in_a_record_does_not_concern_the_rest() {
    let attribute = json!({ "stringValue": W3C, "dataType": "String" });
    let messages = json!([
        null,
        { "eventSource": 7, "messageId": {} },
        message(1, SENDERS[0]),
        { "eventSource": "aws:sqs", "attributes": "none", "messageAttributes": { "traceparent": attribute } },
        { "eventSource": "aws:sqs", "attributes": { "AWSTraceHeader": SENDERS[1] }, "messageAttributes": [1] },
        { "eventSource": "aws:sqs", "messageAttributes": { "traceparent": "none" } },
    ]);
    let function = Function::start(quiet).await;
    function.invoke(Event::new(json!({ "Records": messages })).trace_id(SAMPLED)).await;
    let root = function.collector.span("process charges");
    // The damaged ones have no identifiers, and so one place.
    assert_eq!(root.links().len(), 2, "{root:?}");
    assert!(root.links().contains(&("a".repeat(32), "b".repeat(16))));
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
