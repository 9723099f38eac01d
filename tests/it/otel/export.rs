//! The way of spans to a collector.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use powertools::testing::Event;
use powertools_tests::otlp::{Answer, Received, decode};
use powertools_tests::scale;
use serde_json::json;
use tracing::Instrument;

use super::*;

async fn echo(_: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
    async {}.instrument(tracing::info_span!("inner")).await;
    Ok(String::new())
}

#[tokio::test]
async fn each_trace_is_whole_and_its_own_under_16_workers() {
    async fn handle(event: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        let number = event.payload.as_u64().unwrap();
        async {
            tokio::task::yield_now().await;
            let carried = powertools::Invocation::carry(
                async { tokio::task::yield_now().await }
                    .instrument(tracing::info_span!("task", number)),
            );
            tokio::spawn(carried).await.unwrap();
            async { tokio::task::yield_now().await }
                .instrument(tracing::info_span!("store", number))
                .await;
        }
        .instrument(tracing::info_span!("charge", number))
        .await;
        async {}.instrument(tracing::info_span!("answer", number)).await;
        Ok(number.to_string())
    }
    let collector = Collector::start().await;
    let otel = otel(&collector, &MANY);
    let _subscriber = subscribe(&otel);
    let lambda = workers();
    let function = lambda.run(Powertools::new(handle).lifecycle(otel).run());
    for (number, spans) in traces_of_many(&lambda, &collector).await {
        let of = |name| own(&spans, name, number);
        let (root, charge) = (root_of(&spans), of("charge"));
        assert_eq!((charge.parent(), of("answer").parent()), (root.id(), root.id()));
        assert_eq!((of("store").parent(), of("task").parent()), (charge.id(), charge.id()));
    }
    function.stop().await;
}

/// On several threads, with `tokio::spawn` among them: a process of its own, whose subscriber is that of all
/// threads.
#[tokio::test]
async fn each_trace_is_whole_and_its_own_under_16_workers_on_several_threads() {
    let collector = Collector::start().await;
    let lambda = workers().env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    let [(name, value)] = MANY;
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_spans"));
    program.arg("threads").env(name, value);
    let function = lambda.spawn(program).unwrap();
    for (number, spans) in traces_of_many(&lambda, &collector).await {
        let order = own(&spans, "order", number);
        assert_eq!(order.parent(), root_of(&spans).id());
        for name in ["charge", "store", "task"] {
            assert_eq!(own(&spans, name, number).parent(), order.id(), "{name}");
        }
    }
    function.kill().await;
}

/// Room for the spans of all workers.
const MANY: [(&str, &str); 1] = [("OTEL_BSP_MAX_QUEUE_SIZE", "100000")];

fn workers() -> FakeRuntime {
    FakeRuntime::new().function_name("orders").concurrency(16).timeout(60 * SECOND)
}

/// Sends all events at once, 1,000 for each worker at full length. Returns their numbers with the five spans of
/// each of their traces, which no other trace has.
async fn traces_of_many(lambda: &FakeRuntime, collector: &Collector) -> Vec<(u64, Vec<Received>)> {
    let count = u64::try_from(scale(16 * 50, 16 * 1000)).unwrap();
    let header = |number: u64| format!("Root=1-5759e988-{number:024x};Parent={PARENT};Sampled=1");
    let events = (1..=count).map(|number| Event::new(number).trace_id(header(number)));
    let pending: Vec<_> = events.map(|event| lambda.send(event)).collect();
    for event in pending {
        event.outcome().await.response().unwrap();
    }
    let of_start = |received: &Received| ["init", "warm-up"].contains(&&*received.span.name);
    let (mut traces, mut ids) = (BTreeMap::<_, Vec<_>>::new(), BTreeSet::new());
    for received in collector.spans().into_iter().filter(|received| !of_start(received)) {
        assert!(ids.insert(received.id()), "{received:?}");
        traces.entry(received.trace()).or_default().push(received);
    }
    assert_eq!(traces.len() as u64, count);
    let numbered = (1..=count).map(|number| {
        let spans = traces.remove(&format!("5759e988{number:024x}")).unwrap();
        assert_eq!(spans.len(), 5, "{spans:?}");
        (number, spans)
    });
    numbered.collect()
}

fn root_of(spans: &[Received]) -> &Received {
    let root = spans.iter().find(|received| received.span.name == "orders").unwrap();
    assert_eq!(root.parent(), PARENT);
    root
}

/// Returns the span of this name, which has to be of the event with this number.
fn own<'a>(spans: &'a [Received], name: &str, number: u64) -> &'a Received {
    let span = spans.iter().find(|received| received.span.name == name).unwrap();
    assert_eq!(span.attribute("number"), Some(Value::IntValue(number.try_into().unwrap())));
    span
}

#[tokio::test]
async fn a_request_is_not_longer_than_4_mib() {
    async fn handle(event: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        for size in event.payload.as_array().unwrap() {
            let note = "n".repeat(usize::try_from(size.as_u64().unwrap()).unwrap());
            tracing::info_span!("part", note).in_scope(|| ());
        }
        Ok(String::new())
    }
    const LIMIT: usize = 4 << 20;
    let collector = Collector::start().await;
    let otel = otel(&collector, &[("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "10000000")]);
    let (lines, _subscriber) = logged(&otel);
    let lambda = FakeRuntime::new().function_name("orders");
    let _function = lambda.run(Powertools::new(handle).lifecycle(otel).run());
    let event = json!([1_900_000, 1_900_000, 1_900_000, 5_000_000, 3_000_000, 7]);
    lambda.invoke(Event::new(event).trace_id(SAMPLED)).await.response().unwrap();
    let requests = collector.requests();
    assert!(requests.iter().all(|(_, body)| body.len() <= LIMIT));
    assert_eq!(requests.len(), 3);
    let of_parts = |spans: Vec<Received>| {
        let mut sizes: Vec<_> = spans
            .iter()
            .filter(|received| received.span.name == "part")
            .map(|received| received.text("note").unwrap().len())
            .collect();
        sizes.sort_unstable();
        sizes
    };
    assert_eq!(of_parts(collector.spans()), [7, 1_900_000, 1_900_000, 1_900_000, 3_000_000]);
    assert_eq!(collector.span("orders").trace(), TRACE);
    let lines = lines.lock().unwrap();
    let warnings: Vec<_> = lines.lines().filter(|line| line.contains("WARN")).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains(r#""spans":1"#) && warnings[0].contains("too long"),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn other_tasks_go_on_while_an_export_waits() {
    let variables = [("OTEL_EXPORTER_OTLP_TIMEOUT", "5000")];
    let function = Function::with(Powertools::new(echo), &variables, |otel| otel).await;
    function.collector.answer(Answer::Slow(SECOND));
    let ticks = async {
        let mut longest = Duration::ZERO;
        loop {
            let start = Instant::now();
            tokio::time::sleep(Duration::from_millis(10)).await;
            longest = longest.max(start.elapsed());
            if !function.collector.spans().is_empty() {
                return longest;
            }
        }
    };
    let started = Instant::now();
    let (longest, _) =
        tokio::join!(ticks, function.invoke(Event::new(json!({})).trace_id(SAMPLED)));
    assert!(started.elapsed() >= SECOND && longest < SECOND / 2, "{longest:?}");
}

#[tokio::test]
async fn a_flush_without_spans_is_no_request() {
    let function = Function::start(echo).await;
    let not = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";
    for _ in 0..3 {
        function.invoke(Event::new(json!({})).trace_id(not)).await;
    }
    assert!(function.collector.requests().is_empty());
}

#[tokio::test]
async fn a_variable_for_spans_is_the_whole_url() {
    let collector = Collector::start().await;
    let url = format!("{}/v1/traces", collector.url());
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &url),
    ];
    let otel = Otel::collector("http://127.0.0.1:2").environment(variables);
    let _subscriber = subscribe(&otel);
    let lambda = FakeRuntime::new().function_name("orders");
    let _function = lambda.run(Powertools::new(echo).lifecycle(otel).run());
    lambda.invoke(Event::new(json!({})).trace_id(SAMPLED)).await.response().unwrap();
    assert_eq!(collector.span("orders").trace(), TRACE);
}

#[tokio::test]
async fn credentials_and_the_request_have_one_limit() {
    let collector = Collector::start().await;
    collector.answer(Answer::Hang);
    // Credentials that come late.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let of_credentials = format!("http://{}/", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        let body = r#"{"AccessKeyId":"a","SecretAccessKey":"s","Token":"t","Expiration":"2999-01-01T00:00:00Z"}"#;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    let url = collector.url();
    let otel = Otel::xray().environment([
        ("AWS_ENDPOINT_URL_XRAY", &*url),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &of_credentials),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "proof"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
    ]);
    let _subscriber = subscribe(&otel);
    let lambda = FakeRuntime::new().function_name("orders").timeout(10 * SECOND);
    let _function = lambda.run(Powertools::new(echo).lifecycle(otel).run());
    let start = Instant::now();
    lambda.invoke(Event::new(json!({})).trace_id(SAMPLED)).await.response().unwrap();
    let elapsed = start.elapsed();
    serving.abort();
    assert_eq!(collector.requests().len(), 1);
    assert!((900..1400).contains(&elapsed.as_millis()), "{elapsed:?}");
}

#[tokio::test]
async fn the_reply_waits_for_the_export_or_does_not() {
    for (change, waits) in
        [(Otel::before_reply as fn(Otel) -> Otel, true), (Otel::after_reply, false)]
    {
        let function = Function::with(Powertools::new(echo), &[], change).await;
        function.collector.answer(Answer::Slow(Duration::from_millis(300)));
        let start = Instant::now();
        function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
        assert_eq!(start.elapsed() >= Duration::from_millis(300), waits);
        // The next event waits for the flush after the reply of the one before.
        function.invoke(Event::new(json!({})).trace_id("Root=1-2-3")).await;
        let spans = function.collector.spans();
        let of_first = |name: &str| {
            let is_it =
                |received: &&Received| received.span.name == name && received.trace() == TRACE;
            spans.iter().filter(is_it).count()
        };
        assert_eq!((of_first("inner"), of_first("orders")), (1, 1));
    }
}

#[tokio::test]
async fn an_interval_sends_the_spans_of_several_events_together() {
    let every = |otel: Otel| otel.every(Duration::from_millis(300));
    let function = Function::with(Powertools::new(echo), &[], every).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    for _ in 0..3 {
        function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    let spans = function.collector.spans();
    assert_eq!(spans.iter().filter(|received| received.span.name == "orders").count(), 3);
    assert_eq!(function.collector.requests().len(), 1);
}

#[tokio::test]
async fn the_variables_decide() {
    let variables = [
        ("OTEL_SERVICE_NAME", "checkout"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=prod,team=a%20b,service.name=x"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20secret,x-tenant=7"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
    ];
    let function =
        Function::with(Powertools::new(echo), &variables, |otel| otel.service("in code")).await;
    function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
    let (headers, body) = function.collector.requests().remove(0);
    assert_eq!(headers["authorization"], "Bearer secret");
    assert_eq!(headers["x-tenant"], "7");
    assert_eq!(headers["content-type"], "application/x-protobuf");
    assert_eq!(headers["content-encoding"], "gzip");
    let mut whole = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*body), &mut whole).unwrap();
    let resource = &decode(&whole)[0].resource;
    assert_eq!(resource.get("service.name").cloned(), text("checkout"));
    assert_eq!(resource.get("team").cloned(), text("a b"));
    assert_eq!(resource.get("deployment.environment.name").cloned(), text("prod"));
}

#[tokio::test]
async fn a_disabled_sdk_sends_nothing() {
    for variable in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
        let function = Function::with(Powertools::new(echo), &[variable], |otel| otel).await;
        function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
        assert!(function.collector.requests().is_empty());
    }
}

#[tokio::test]
async fn damaged_variables_give_one_warning() {
    let collector = Collector::start().await;
    let variables = [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_TRACES_SAMPLER", "mostly"),
        ("OTEL_PROPAGATORS", "pigeon"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a b=c"),
        ("OTEL_RESOURCE_ATTRIBUTES", "=x"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "long"),
    ];
    let otel = otel(&collector, &variables);
    let (lines, _subscriber) = logged(&otel);
    let lambda = FakeRuntime::new().function_name("orders");
    let function = lambda.run(Powertools::new(echo).lifecycle(otel).run());
    lambda.invoke(Event::new(json!({})).trace_id(SAMPLED)).await.response().unwrap();
    function.stop().await;
    assert_eq!(collector.span("orders").trace(), TRACE);
    let lines = lines.lock().unwrap();
    let warnings: Vec<_> =
        lines.lines().filter(|line| line.contains(r#""level":"WARN""#)).collect();
    assert_eq!(warnings.len(), 1, "{lines}");
    for (name, _) in variables {
        assert!(warnings[0].contains(name), "{name}: {lines}");
    }
}

#[tokio::test]
async fn lines_of_the_log_have_the_ids_of_their_span() {
    let collector = Collector::start().await;
    let otel = otel(&collector, &[]);
    let (lines, _subscriber) = logged(&otel);
    let handler = async |_: LambdaEvent<serde_json::Value>| {
        tracing::info!("in the handler");
        let span = tracing::info_span!("inner", token = "t-1");
        span.in_scope(|| tracing::info!(trace_id = "own", "in the span"));
        Ok::<_, Error>(String::new())
    };
    let lambda = FakeRuntime::new().function_name("orders");
    let function = lambda.run(Powertools::new(handler).lifecycle(otel).run());
    lambda.invoke(Event::new(json!({})).trace_id(SAMPLED)).await.response().unwrap();
    function.stop().await;
    let (root, inner) = (collector.span("orders"), collector.span("inner"));
    let lines = lines.lock().unwrap();
    for (message, span) in [("in the handler", &root), ("in the span", &inner)] {
        let line = lines.lines().find(|line| line.contains(message)).unwrap();
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["trace_id"], TRACE, "{line}");
        assert_eq!(line["span_id"], span.id(), "{line}");
        assert_eq!(line["xray_trace_id"], "1-5759e988-bd862e3fe1be46a994272793");
    }
    assert!(lines.contains(r#""trace_id_":"own""#), "{lines}");
    // What the logs redact is redacted in spans.
    assert_eq!(inner.text("token").as_deref(), Some("*****"));
}

#[tokio::test]
async fn the_types_of_python_read_what_is_sent() {
    let function = Function::start(async |_| {
        let span = tracing::info_span!("charge", order = 7_u64, rate = 0.5, paid = true);
        span.in_scope(|| tracing::warn!(reason = "slow", "the bank is slow"));
        Err("declined".into())
    })
    .await;
    function.invoke(Event::new(json!({})).trace_id(SAMPLED)).await;
    let (_, body) = function.collector.requests().remove(0);
    let decode = move || powertools_tests::emulators::decode_otlp(&body);
    let read = tokio::task::spawn_blocking(decode).await.unwrap().unwrap();
    let resource = &read["resourceSpans"][0];
    let attribute = |list: &serde_json::Value, name: &str| {
        let found = list.as_array().unwrap().iter().find(|pair| pair["key"] == name);
        found.unwrap_or_else(|| panic!("{name}: {list}"))["value"].clone()
    };
    let of_resource = &resource["resource"]["attributes"];
    assert_eq!(attribute(of_resource, "service.name"), json!({ "stringValue": "orders" }));
    let scope = &resource["scopeSpans"][0];
    assert_eq!(scope["scope"]["name"], "powertools-otel");
    let span = |name: &str| {
        let spans = scope["spans"].as_array().unwrap();
        spans.iter().find(|span| span["name"] == name).unwrap().clone()
    };
    let (root, charge) = (span("orders"), span("charge"));
    // Python writes bytes in base64.
    let base64 = |hex: &str| {
        let digits = hex.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
        let bytes: Vec<u8> = digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
    };
    assert_eq!(root["traceId"], base64(TRACE));
    assert_eq!(root["parentSpanId"], base64(PARENT));
    assert_eq!(root["kind"], "SPAN_KIND_SERVER");
    assert_eq!(root["status"], json!({ "message": "HandlerError", "code": "STATUS_CODE_ERROR" }));
    assert_eq!(root["events"][0]["name"], "exception");
    assert_eq!(charge["parentSpanId"], root["spanId"]);
    let of_charge = &charge["attributes"];
    assert_eq!(attribute(of_charge, "order"), json!({ "intValue": "7" }));
    assert_eq!(attribute(of_charge, "rate"), json!({ "doubleValue": 0.5 }));
    assert_eq!(attribute(of_charge, "paid"), json!({ "boolValue": true }));
    assert_eq!(charge["events"][0]["name"], "the bank is slow");
}

#[tokio::test]
async fn requests_to_xray_are_signed() {
    let collector = Collector::start().await;
    let url = collector.url();
    let otel = Otel::xray().environment([
        ("AWS_ENDPOINT_URL_XRAY", &*url),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "token"),
        ("AWS_LAMBDA_FUNCTION_NAME", "orders"),
    ]);
    let _subscriber = subscribe(&otel);
    let lambda = FakeRuntime::new().function_name("orders");
    let function = lambda.run(Powertools::new(echo).lifecycle(otel).run());
    lambda.invoke(Event::new(json!({})).trace_id(SAMPLED)).await.response().unwrap();
    function.stop().await;
    assert_eq!(collector.span("orders").trace(), TRACE);
    let (headers, _) = collector.requests().remove(0);
    let authorization = headers["authorization"].to_str().unwrap();
    let (start, rest) = authorization.split_once("/20").unwrap();
    assert_eq!(start, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE");
    assert!(rest.contains("/eu-central-1/xray/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature="), "{rest}");
    assert_eq!(headers["x-amz-security-token"], "token");
}

#[test]
fn settings_do_not_show_the_environment() {
    let debug = format!("{:?}", Otel::xray().environment([("AWS_SESSION_TOKEN", "token-1")]));
    assert!(!debug.contains("token-1"), "{debug}");
}
