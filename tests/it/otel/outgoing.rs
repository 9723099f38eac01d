//! The trace on its way to other services.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use powertools::Powertools;
use powertools::testing::{Event, events};
use powertools_otel::{PropagationLayer, outgoing};
use powertools_tests::proxy::{Fault, Proxy};
use serde_json::json;
use tower::{ServiceBuilder, ServiceExt};

use super::*;

/// What a request has of a trace: `traceparent`, and `x-amzn-trace-id`.
async fn headers_of_a_request() -> [Option<String>; 2] {
    let client = ServiceBuilder::new().layer(PropagationLayer::new()).service_fn(
        async |request: Request<()>| {
            let header =
                |name: &str| Some(request.headers().get(name)?.to_str().unwrap().to_owned());
            Ok::<_, Error>(Response::new([header("traceparent"), header("x-amzn-trace-id")]))
        },
    );
    client.oneshot(Request::new(())).await.unwrap().into_body()
}

#[tokio::test]
async fn requests_have_the_headers_of_the_innermost_span() {
    async fn handle(_: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        let outer = headers_of_a_request().await;
        let inner =
            tracing::Instrument::instrument(headers_of_a_request(), tracing::info_span!("inner"))
                .await;
        Ok(json!([outer, inner]).to_string())
    }
    let function = Function::start(handle).await;
    let header = format!("{SAMPLED};Lineage=a:1");
    let outcome = function.invoke(Event::new(json!({})).trace_id(header)).await;
    let headers: serde_json::Value = serde_json::from_str(&outcome.json::<String>()).unwrap();
    let (root, inner) = (function.collector.span("orders"), function.collector.span("inner"));
    for (headers, span) in [(&headers[0], root.id()), (&headers[1], inner.id())] {
        assert_eq!(headers[0], format!("00-{TRACE}-{span}-01"));
        let xray = "Root=1-5759e988-bd862e3fe1be46a994272793";
        assert_eq!(headers[1], format!("{xray};Parent={span};Sampled=1;Lineage=a:1"));
    }
}

#[tokio::test]
async fn a_client_of_hyper_sends_the_headers() {
    // Any server.
    let payments = Collector::start().await;
    let url = format!("{}/payments", payments.url());
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let client = ServiceBuilder::new().layer(PropagationLayer::new()).service(client);
    let function = Function::start(move |_| {
        let request = Request::post(&url).header("traceparent", "of another");
        let request = request.header("tracestate", "vendor=another");
        let reply = client.clone().oneshot(request.body(Full::default()).unwrap());
        async move { Ok(reply.await?.status().to_string()) }
    })
    .await;
    function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await.response().unwrap();
    let root = function.collector.span("orders");
    let (headers, _) = payments.requests().remove(0);
    assert_eq!(headers["traceparent"], format!("00-{TRACE}-{}-01", root.id()));
    assert!(!headers.contains_key("tracestate"), "{headers:?}");
    let xray = "Root=1-5759e988-bd862e3fe1be46a994272793";
    assert_eq!(headers["x-amzn-trace-id"], format!("{xray};Parent={};Sampled=1", root.id()));
}

#[tokio::test]
async fn receivers_of_messages_continue_the_trace() {
    async fn send(_: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        let mut detail = json!({ "order": 7, "tracestate": "old" });
        tracing::info_span!("put").in_scope(|| outgoing::add_to_detail(&mut detail));
        let attributes = tracing::info_span!("publish").in_scope(outgoing::message_attributes);
        let mut other = json!({ "tracestate": "old" });
        tracing::info_span!(parent: None, "apart").in_scope(|| outgoing::add_to_detail(&mut other));
        assert!(other["traceparent"].is_string() && other.get("tracestate").is_none(), "{other}");
        let mut list = json!([7]);
        outgoing::add_to_detail(&mut list);
        assert_eq!(list, json!([7]));
        Ok(json!([detail, attributes]).to_string())
    }
    let sender = Function::start(send).await;
    let request = events::api_gateway_v2("POST", "/orders")
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
        .header("tracestate", "vendor=1");
    let sent = sender.invoke(Event::new(request.build()).without_trace_id()).await;
    let sent: serde_json::Value = serde_json::from_str(&sent.json::<String>()).unwrap();
    let [detail, attributes] = [&sent[0], &sent[1]];
    assert_eq!((&detail["order"], &detail["tracestate"]), (&json!(7), &json!("vendor=1")));
    assert_eq!(attributes[1], json!(["tracestate", "vendor=1"]));

    let attribute = |value: &serde_json::Value| json!({ "Type": "String", "Value": value });
    let sns = json!({ "Records": [{ "EventSource": "aws:sns", "Sns": {
        "MessageId": "m-1", "TopicArn": "arn:aws:sns:eu-central-1:123456789012:orders",
        "Message": "7", "Timestamp": "2026-11-28T00:00:00.000Z",
        "MessageAttributes": {
            "traceparent": attribute(&attributes[0][1]),
            "tracestate": attribute(&attributes[1][1]),
        },
    } }] });
    let bus = json!({ "detail-type": "OrderPlaced", "source": "shop", "detail": detail });
    for (event, name) in [(sns, "publish"), (bus, "put")] {
        let receiver = Function::start(async |_| Ok(String::new())).await;
        receiver.invoke(Event::new(event).without_trace_id()).await.response().unwrap();
        let spans = receiver.collector.spans();
        let root = spans.iter().find(|span| span.text("faas.invocation_id").is_some()).unwrap();
        let parent = sender.collector.span(name).id();
        assert_eq!((root.trace(), root.parent()), (TRACE.to_owned(), parent), "{name}");
        assert_eq!(root.span.trace_state, "vendor=1", "{name}");
    }
    // Where there is no span, nothing is added.
    let mut detail = json!({ "traceparent": "mine" });
    outgoing::add_to_detail(&mut detail);
    assert_eq!(detail, json!({ "traceparent": "mine" }));
    assert_eq!(outgoing::message_attributes(), []);
}

#[tokio::test]
async fn a_trace_that_is_not_sampled_goes_on_as_such() {
    async fn handle(_: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        let span = tracing::info_span!("inner");
        let ids = span.in_scope(|| (outgoing::traceparent(), outgoing::xray_header()));
        assert_eq!(outgoing::tracestate(), None);
        Ok(format!("{} {}", ids.0.unwrap(), ids.1.unwrap()))
    }
    let function = Function::start(handle).await;
    let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";
    let outcome = function.invoke(Event::new(json!({})).trace_id(header)).await;
    let headers = outcome.json::<String>();
    let (w3c, xray) = headers.split_once(' ').unwrap();
    assert!(w3c.starts_with(&format!("00-{TRACE}-")) && w3c.ends_with("-00"), "{headers}");
    assert!(xray.ends_with(";Sampled=0"), "{headers}");
    assert!(function.collector.requests().is_empty());
}

#[tokio::test]
async fn only_the_chosen_formats_go_on_and_nothing_without_a_span() {
    async fn handle(_: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        Ok(json!(headers_of_a_request().await).to_string())
    }
    for (propagators, expected) in
        [("tracecontext", [true, false]), ("xray", [false, true]), ("none", [false, false])]
    {
        let variables = [("OTEL_PROPAGATORS", propagators)];
        let function = Function::with(Powertools::new(handle), &variables, |otel| otel).await;
        let outcome = function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
        let headers: [Option<String>; 2] = serde_json::from_str(&outcome.json::<String>()).unwrap();
        assert_eq!(headers.map(|header| header.is_some()), expected, "{propagators}");
    }
    assert_eq!(headers_of_a_request().await, [None, None]);
    assert_eq!(outgoing::xray_header(), None);
}

/// It does not know its invocation, but its span does.
#[tokio::test]
async fn a_task_without_the_invocation_sends_the_same_headers() {
    async fn handle(_: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        let call = async {
            assert!(powertools::Invocation::current().is_none());
            (headers_of_a_request().await, outgoing::xray_header())
        };
        let call = tracing::Instrument::instrument(call, tracing::info_span!("call"));
        Ok(json!(tokio::spawn(call).await?).to_string())
    }
    for (propagators, w3c, xray) in
        [("none", false, false), ("xray", false, true), ("tracecontext,xray", true, true)]
    {
        let variables = [("OTEL_PROPAGATORS", propagators), ("OTEL_TRACES_SAMPLER", "always_on")];
        let function = Function::with(Powertools::new(handle), &variables, |otel| otel).await;
        let header = format!("{SAMPLED};Lineage=a:1");
        let outcome = function.invoke(Event::new(json!({})).trace_id(header)).await;
        let (headers, header): ([Option<String>; 2], Option<String>) =
            serde_json::from_str(&outcome.json::<String>()).unwrap();
        assert_eq!(headers.clone().map(|header| header.is_some()), [w3c, xray], "{propagators}");
        if xray {
            let span = function.collector.span("call").id();
            let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
            let expected = format!("{root};Parent={span};Sampled=1;Lineage=a:1");
            assert_eq!((headers[1].as_ref(), &header), (Some(&expected), &Some(expected.clone())));
        }
    }
}

#[tokio::test]
async fn a_call_of_the_sdk_is_a_span_whose_header_it_sends() {
    let proxy = Proxy::alone().await;
    proxy.next("DescribeTable", Fault::Refuse("ResourceNotFoundException", "there is none"));
    let collector = Collector::start().await;
    let otel = otel(&collector, &[]);
    let _subscriber = subscribe(&otel);
    let config = proxy.client().config().to_builder().interceptor(otel.sdk_interceptor()).build();
    let client = aws_sdk_dynamodb::Client::from_conf(config);
    let handler = move |_: LambdaEvent<serde_json::Value>| {
        let client = client.clone();
        async move {
            let call = async {
                client.list_tables().send().await.unwrap();
                client.describe_table().table_name("none").send().await.unwrap_err();
            };
            tracing::Instrument::instrument(call, tracing::info_span!("look")).await;
            Ok::<_, Error>(String::new())
        }
    };
    let lambda = FakeRuntime::new().function_name("orders");
    let function = lambda.run(Powertools::new(handler).lifecycle(otel).run());
    lambda.invoke(Event::new(json!({})).trace_id(SAMPLED)).await.response().unwrap();
    function.stop().await;

    let look = collector.span("look");
    let list = collector.span("DynamoDB.ListTables");
    assert_eq!((list.trace(), list.parent()), (TRACE.to_owned(), look.id()));
    assert_eq!(list.text("rpc.method").as_deref(), Some("ListTables"));
    assert_eq!(list.attribute("http.response.status_code"), Some(Value::IntValue(200)));
    assert_eq!(list.status().0, 0);
    // Of the kind of clients.
    assert_eq!(list.span.kind, 3);
    let describe = collector.span("DynamoDB.DescribeTable");
    assert_eq!(describe.status(), (2, "service".to_owned()));
    assert_eq!(describe.attribute("http.response.status_code"), Some(Value::IntValue(400)));
    // An intermediary may change the headers of a trace, and the client of a presigned URL lacks them.
    for request in proxy.captured() {
        let signature = request.signature.unwrap();
        assert!(!signature.contains("traceparent"), "{signature}");
    }
    let sent: Vec<_> = proxy.captured().into_iter().filter_map(|request| request.trace).collect();
    let xray = "Root=1-5759e988-bd862e3fe1be46a994272793";
    let expected = [list, describe].map(|span| format!("{xray};Parent={};Sampled=1", span.id()));
    assert_eq!(sent, expected);
}
