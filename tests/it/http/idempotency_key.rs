//! The header `Idempotency-Key`, by the table of draft-ietf-httpapi-idempotency-key-header-06.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::{any, post};
use bytes::Bytes;
use http::{Response, StatusCode};
use lambda_runtime::{Context, Error, FunctionResponse, LambdaEvent};
use powertools::Powertools;
use powertools::http::{self as web, Body, HttpService, IdempotencyKeyLayer, Request};
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::testing::{Event, FakeRuntime};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower::{Layer, Service, ServiceBuilder};

use super::{events, problem};

type Once = IdempotencyKeyLayer<MemoryStore>;

fn layer() -> Once {
    IdempotencyKeyLayer::new(Idempotency::new(MemoryStore::new()).unwrap(), "payments")
}

/// A request of ada with a key and a body.
pub(super) fn charge(key: Option<&str>, body: &str) -> Value {
    let mut event = events::http_api("POST", "/charges", "");
    event["requestContext"]["authorizer"]["jwt"]["claims"] = json!({ "iss": "i", "sub": "ada" });
    event["headers"]["content-type"] = "application/json".into();
    event["body"] = body.into();
    if let Some(key) = key {
        event["headers"]["idempotency-key"] = key.into();
    }
    event
}

fn of(mut event: Value, subject: &str) -> Value {
    event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = subject.into();
    event
}

fn is_replayed(reply: &Value) -> bool {
    reply["headers"]["idempotency-replayed"] == "true"
}

/// Sends `events` one after another to a function that counts its effects.
async fn ask(layer: Once, events: Vec<Value>) -> (Vec<Value>, u32) {
    let effects = Arc::new(AtomicU32::new(0));
    let handle = {
        let effects = effects.clone();
        move |_: Request| {
            let number = effects.fetch_add(1, Ordering::Relaxed);
            async move { Ok::<_, Error>((StatusCode::CREATED, format!("charge {number}"))) }
        }
    };
    let service = ServiceBuilder::new().layer(layer).service(web::handler(handle));
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(service).run());
    let mut replies = Vec::new();
    for event in events {
        replies.push(lambda.invoke(event).await.json());
    }
    (replies, effects.load(Ordering::Relaxed))
}

#[tokio::test]
async fn a_repeated_request_receives_the_first_response() {
    let event = charge(Some("\"k-1\""), "{}");
    let (replies, effects) =
        ask(layer(), vec![event.clone(), event.clone(), charge(Some("k-1"), "{}")]).await;
    assert_eq!(effects, 1);
    assert!(!is_replayed(&replies[0]));
    for reply in &replies {
        assert_eq!((&reply["statusCode"], &reply["body"]), (&json!(201), &json!("charge 0")));
        assert_eq!(reply["headers"]["content-type"], "text/plain; charset=utf-8");
    }
    assert!(is_replayed(&replies[1]) && is_replayed(&replies[2]));
}

#[tokio::test]
async fn a_key_belongs_to_its_caller_its_method_and_its_path() {
    let event = charge(Some("k-1"), "{}");
    let mut put = event.clone();
    put["requestContext"]["http"]["method"] = "PUT".into();
    let mut path = event.clone();
    path["rawPath"] = "/prod/charges/2".into();
    let mut issuer = event.clone();
    issuer["requestContext"]["authorizer"]["jwt"]["claims"]["iss"] = "j".into();
    let others = vec![event.clone(), of(event, "bob"), put, path, issuer];
    let count = others.len() as u32;
    let (replies, effects) = ask(layer(), others).await;
    assert_eq!(effects, count);
    assert!(replies.iter().all(|reply| !is_replayed(reply)));
}

#[tokio::test]
async fn another_request_with_the_same_key_is_422() {
    let first = charge(Some("k-1"), "{}");
    let mut query = first.clone();
    query["rawQueryString"] = "dry_run=1".into();
    let mut content_type = first.clone();
    content_type["headers"]["content-type"] = "text/plain".into();
    let mut none = first.clone();
    none["headers"].as_object_mut().unwrap().remove("content-type");
    let changed = vec![first, charge(Some("k-1"), "{} "), query, content_type, none];
    let (replies, effects) = ask(layer(), changed).await;
    assert_eq!(effects, 1);
    for reply in &replies[1..] {
        assert_eq!(reply["statusCode"], 422);
        assert!(!problem(reply).to_string().contains("k-1"));
    }
}

/// The members of an object have no order, and the values of a list have one.
#[tokio::test]
async fn the_order_of_parameters_counts_where_the_client_has_set_it() {
    let first = r#""a":["1","2"],"b":["3"]"#;
    let again = async |event: String, other: String| {
        let handle = |_: Request| async { Ok::<_, Error>("done") };
        let once = layer().caller(|_| Some("ada".to_owned()));
        let mut service = HttpService::new(once.layer(web::handler(handle)));
        let mut statuses = Vec::new();
        for event in [event, other] {
            let event = serde_json::from_str(&event).unwrap();
            let event = LambdaEvent::new(event, Context::default());
            let reply = serde_json::to_value(match service.call(event).await.unwrap() {
                FunctionResponse::BufferedResponse(reply) => reply,
                FunctionResponse::StreamingResponse(_) => panic!("it is not streamed"),
            });
            statuses.push(reply.unwrap()["statusCode"].as_u64().unwrap());
        }
        assert_eq!(statuses[0], 200);
        statuses[1]
    };
    let mut rest = events::rest("POST", "/charges");
    rest["multiValueHeaders"]["Idempotency-Key"] = json!(["k-1"]);
    let mut balanced = events::load_balancer("POST", "/charges", true);
    balanced["multiValueHeaders"]["idempotency-key"] = json!(["k-1"]);
    for mut event in [rest, balanced] {
        event["multiValueQueryStringParameters"] = "QUERY".into();
        let with = |query: &str| event.to_string().replace("\"QUERY\"", &format!("{{{query}}}"));
        for (other, status) in [
            (first, 200),
            (r#""b":["3"],"a":["1","2"]"#, 200),
            (r#""b":["3"],"a":["2","1"]"#, 422),
            (r#""a":["1","2"],"b":["4"]"#, 422),
            (r#""a":["1","2"]"#, 422),
        ] {
            assert_eq!(again(with(first), with(other)).await, status, "{other}");
        }
    }
    let with = |query: &str| {
        let mut event = charge(Some("k-1"), "{}");
        event["rawQueryString"] = query.into();
        event.to_string()
    };
    assert_eq!(again(with("a=1&b=2"), with("b=2&a=1")).await, 422);
}

#[tokio::test]
async fn missing_and_invalid_keys_are_400() {
    let long = "k".repeat(300);
    for key in [
        None,
        Some("\"unbalanced"),
        Some("a,b"),
        Some("\"a\",\"b\""),
        Some(""),
        Some("\"\""),
        Some("a b"),
        Some("a\tb"),
        Some("ä"),
        Some(&*long),
    ] {
        let (replies, effects) = ask(layer(), vec![charge(key, "{}")]).await;
        assert_eq!((&replies[0]["statusCode"], effects), (&json!(400), 0), "{key:?}");
        problem(&replies[0]);
    }
    // In two headers, under names that differ in case.
    let mut event = events::rest("POST", "/charges");
    event["multiValueHeaders"]["Idempotency-Key"] = json!(["a", "b"]);
    event["requestContext"]["authorizer"] = json!({ "principalId": "ada" });
    let (replies, _) = ask(layer(), vec![event]).await;
    assert_eq!(replies[0]["statusCode"], 400);
}

#[tokio::test]
async fn optional_keys_and_methods_that_need_none_pass_by() {
    let method = |method: &str, key| {
        let mut event = charge(key, "");
        event["requestContext"]["http"]["method"] = method.into();
        event
    };
    for (layer, event) in [
        (layer().optional(), charge(None, "{}")),
        (layer(), method("PUT", None)),
        (layer(), method("DELETE", None)),
        (layer(), method("GET", Some("k-1"))),
        (layer(), method("HEAD", Some("k-1"))),
        (layer(), method("OPTIONS", Some("not a \" key"))),
    ] {
        let (replies, effects) = ask(layer, vec![event.clone(), event]).await;
        assert_eq!(effects, 2);
        assert!(replies.iter().all(|reply| reply["statusCode"] == 201 && !is_replayed(reply)));
    }
    // A key that is sent counts all the same.
    let (_, effects) =
        ask(layer().optional(), vec![charge(Some("k"), ""), charge(Some("k"), "")]).await;
    assert_eq!(effects, 1);
    let (replies, _) = ask(layer().optional(), vec![charge(Some("a,b"), "")]).await;
    assert_eq!(replies[0]["statusCode"], 400);
}

#[tokio::test]
async fn without_a_caller_nothing_runs() {
    let mut event = charge(Some("k-1"), "{}");
    event["requestContext"]["authorizer"] = Value::Null;
    let (replies, effects) = ask(layer(), vec![event.clone()]).await;
    assert_eq!((&replies[0]["statusCode"], effects), (&json!(500), 0));
    let (replies, effects) =
        ask(layer().caller(|_| Some(String::new())), vec![event.clone()]).await;
    assert_eq!((&replies[0]["statusCode"], effects), (&json!(500), 0));

    let by_header =
        layer().caller(|request| Some(request.headers.get("x-account")?.to_str().ok()?.to_owned()));
    let of_account = |account: &str| {
        let mut event = event.clone();
        event["headers"]["x-account"] = account.into();
        event
    };
    let (_, effects) =
        ask(by_header, vec![of_account("a"), of_account("b"), of_account("a")]).await;
    assert_eq!(effects, 2);
}

/// A function that answers with what `make` returns, and how often it ran.
async fn repeated(
    layer: Once,
    make: fn(u32) -> Result<Response<Body>, Error>,
) -> (Value, Value, u32) {
    let runs = Arc::new(AtomicU32::new(0));
    let handle = {
        let runs = runs.clone();
        move |_: Request| {
            let made = make(runs.fetch_add(1, Ordering::Relaxed));
            async move { made }
        }
    };
    let service = ServiceBuilder::new().layer(layer).service(web::handler(handle));
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(service).run());
    let first = lambda.invoke(charge(Some("k-1"), "{}")).await.json();
    let second = lambda.invoke(charge(Some("k-1"), "{}")).await.json();
    (first, second, runs.load(Ordering::Relaxed))
}

fn with(
    status: u16,
    headers: &[(&str, &[u8])],
    body: impl Into<Body>,
) -> Result<Response<Body>, Error> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    Ok(response.body(body.into())?)
}

/// Returns the response to the nth run.
type Answer = fn(u32) -> Result<Response<Body>, Error>;

#[tokio::test]
async fn text_binary_compressed_and_empty_bodies_are_replayed() {
    let cases: [Answer; 5] = [
        |_| with(200, &[("content-type", b"application/json")], "{\"grün\":\"\\u0000\"}"),
        |_| with(200, &[("content-type", b"image/png")], vec![0xff, 0, 1]),
        |_| {
            with(
                201,
                &[("content-type", b"text/plain"), ("content-encoding", b"gzip")],
                vec![0x1f, 0x8b, 0],
            )
        },
        |_| with(204, &[], Body::Empty),
        |_| with(200, &[("content-type", b"text/plain")], vec![b'c', 0xe9]),
    ];
    for make in cases {
        let (first, mut second, runs) = repeated(layer(), make).await;
        assert_eq!(runs, 1);
        assert_eq!(
            second["headers"].as_object_mut().unwrap().remove("idempotency-replayed"),
            Some("true".into())
        );
        assert_eq!(first, second);
    }
}

#[tokio::test]
async fn chosen_headers_are_replayed_in_order_and_cookies_never() {
    let make: fn(u32) -> _ = |_| {
        with(
            201,
            &[
                ("link", b"<a>"),
                ("location", b"/charges/1"),
                ("link", b"<b>"),
                ("etag", b"\"Jos\xe9\""),
                ("set-cookie", b"session=1"),
                ("x-charge", b"1"),
                ("x-request", b"r"),
            ],
            "",
        )
    };
    let set_cookie = layer().replay_header(http::header::SET_COOKIE);
    let layer = set_cookie.replay_header(web::HeaderName::from_static("x-charge"));
    let (first, second, _) = repeated(layer, make).await;
    for name in ["link", "location", "etag", "x-charge"] {
        assert_eq!(first["headers"][name], second["headers"][name], "{name}");
    }
    assert_eq!(second["headers"]["link"], "<a>, <b>");
    assert_eq!(first["cookies"], json!(["session=1"]));
    assert_eq!(second["cookies"], json!([]));
    assert!(second["headers"].get("x-request").is_none());
}

#[tokio::test]
async fn responses_that_ask_for_a_retry_are_not_stored() {
    let statuses: [(Answer, u32); 8] = [
        (|_| with(408, &[], ""), 2),
        (|_| with(425, &[], ""), 2),
        (|_| with(429, &[], ""), 2),
        (|_| with(500, &[], ""), 2),
        (|_| with(503, &[], ""), 2),
        (|_| with(400, &[], ""), 1),
        (|_| with(404, &[], ""), 1),
        (|_| with(302, &[], ""), 1),
    ];
    for (make, expected) in statuses {
        let (first, second, runs) = repeated(layer(), make).await;
        assert_eq!((&first["statusCode"], runs), (&second["statusCode"], expected), "{first}");
    }
    let keep_all = layer().keep_if(|_| true);
    assert_eq!(repeated(keep_all, |_| with(503, &[], "")).await.2, 1);
}

#[tokio::test]
async fn errors_and_panics_are_not_stored() {
    let (first, second, _) =
        repeated(layer(), |run| if run == 0 { Err("no".into()) } else { with(200, &[], "") }).await;
    assert_eq!((&first["statusCode"], &second["statusCode"]), (&json!(500), &json!(200)));
    let (first, second, _) =
        repeated(layer(), |run| if run == 0 { panic!("no") } else { with(200, &[], "") }).await;
    assert_eq!((&first["statusCode"], &second["statusCode"]), (&json!(500), &json!(200)));
}

#[tokio::test]
async fn a_response_beyond_the_limit_is_answered_once() {
    let make: fn(u32) -> _ = |_| with(201, &[("content-type", b"text/plain")], "x".repeat(1001));
    let (first, second, runs) = repeated(layer().max_body_bytes(1000), make).await;
    assert_eq!((runs, &first["statusCode"]), (1, &json!(201)));
    assert_eq!(first["body"], "x".repeat(1001));
    assert_eq!((&second["statusCode"], is_replayed(&second)), (&json!(409), true));
    assert_eq!(problem(&second)["response_status"], 201);
    let (first, second, _) = repeated(layer().max_body_bytes(1001), make).await;
    assert_eq!(first["body"], second["body"]);
}

#[tokio::test]
async fn a_request_in_progress_is_409_until_its_lease_ends() {
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handle = {
        let (begun, go) = (begun.clone(), go.clone());
        move |_: Request| {
            let (begun, go) = (begun.clone(), go.clone());
            async move {
                begun.notify_one();
                go.notified().await;
                Ok::<_, Error>("done")
            }
        }
    };
    let service = ServiceBuilder::new().layer(layer()).service(web::handler(handle));
    let lambda = FakeRuntime::new().concurrency(2);
    let _function = lambda.run(Powertools::http(service).run());
    let event = || Event::new(charge(Some("k-1"), "{}")).timeout(Duration::from_secs(20));
    let first = lambda.send(event());
    begun.notified().await;
    let second: Value = lambda.invoke(event()).await.json();
    assert_eq!(second["statusCode"], 409);
    let seconds: u64 = second["headers"]["retry-after"].as_str().unwrap().parse().unwrap();
    assert!((15..=21).contains(&seconds), "{seconds}");
    problem(&second);
    // The payload is compared also while the first is in progress.
    let other: Value = lambda.invoke(charge(Some("k-1"), "[]")).await.json();
    assert_eq!(other["statusCode"], 422);
    go.notify_one();
    assert_eq!(first.outcome().await.json::<Value>()["body"], "done");
    assert!(is_replayed(&lambda.invoke(event()).await.json()));
}

#[tokio::test]
async fn a_hundred_concurrent_duplicates_have_one_effect() {
    let effects = Arc::new(AtomicU32::new(0));
    let handle = {
        let effects = effects.clone();
        move |_: Request| {
            let effects = effects.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Ok::<_, Error>(format!("charge {}", effects.fetch_add(1, Ordering::Relaxed)))
            }
        }
    };
    let service = ServiceBuilder::new().layer(layer()).service(web::handler(handle));
    let lambda = FakeRuntime::new().concurrency(16);
    let _function = lambda.run(Powertools::http(service).run());
    let sent: Vec<_> = (0..100).map(|_| lambda.send(charge(Some("k-1"), "{}"))).collect();
    let mut answers = 0;
    for pending in sent {
        let reply: Value = pending.outcome().await.json();
        match reply["statusCode"].as_u64() {
            Some(200) => {
                assert_eq!(reply["body"], "charge 0");
                answers += 1;
            }
            status => assert_eq!(status, Some(409)),
        }
    }
    assert_eq!(effects.load(Ordering::Relaxed), 1);
    assert!(answers > 0);
}

#[tokio::test]
async fn work_whose_time_runs_out_is_503_or_what_the_function_says_and_can_be_repeated() {
    let runs = Arc::new(AtomicU32::new(0));
    let handle = {
        let runs = runs.clone();
        move |_: Request| {
            let run = runs.fetch_add(1, Ordering::Relaxed);
            async move {
                if run < 2 {
                    std::future::pending::<()>().await;
                }
                Ok::<_, Error>("done")
            }
        }
    };
    let store = MemoryStore::new();
    let once = || IdempotencyKeyLayer::new(Idempotency::new(store.clone()).unwrap(), "payments");
    let service =
        |layer: Once| ServiceBuilder::new().layer(layer).service(web::handler(handle.clone()));
    let short = || Event::new(charge(Some("k-1"), "{}")).timeout(Duration::from_millis(1200));
    let lambda = FakeRuntime::new();
    let function = lambda.run(Powertools::http(service(once())).run());
    let reply: Value = lambda.invoke(short()).await.json();
    assert_eq!(reply["statusCode"], 503);
    problem(&reply);
    drop(function);

    let lambda = FakeRuntime::new();
    let function = Powertools::http(service(once())).when_out_of_time(|| StatusCode::ACCEPTED);
    let _function = lambda.run(function.run());
    assert_eq!(lambda.invoke(short()).await.json::<Value>()["statusCode"], 202);
    // Its claim was released, and neither answer was stored.
    let reply: Value = lambda.invoke(charge(Some("k-1"), "{}")).await.json();
    assert_eq!((&reply["statusCode"], &reply["body"]), (&json!(200), &json!("done")));
    assert_eq!(runs.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_router_of_axum_has_keys_for_each_nested_path() {
    let effects = Arc::new(AtomicU32::new(0));
    let pay = {
        let effects = effects.clone();
        post(async move |body: Bytes| {
            format!("{} {}", effects.fetch_add(1, Ordering::Relaxed), body.len())
        })
    };
    let nested = Router::new().route("/pay", pay.clone()).route_layer(layer());
    let router = Router::new()
        .nest("/orders/1", nested.clone())
        .nest("/orders/2", nested)
        .route("/free", any(async || "free"));
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(router).run());
    let pay = |path: &str| {
        let mut event = charge(Some("k-1"), "{}");
        event["rawPath"] = format!("/prod{path}").into();
        event
    };
    let ask = async |path| lambda.invoke(pay(path)).await.json::<Value>();
    assert_eq!(ask("/orders/1/pay").await["body"], "0 2");
    assert_eq!(ask("/orders/2/pay").await["body"], "1 2", "the whole path counts");
    let again = ask("/orders/1/pay").await;
    assert!(is_replayed(&again) && again["body"] == "0 2");
    assert_eq!(ask("/free").await["body"], "free");
    assert_eq!(effects.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_streamed_response_is_stored_and_replayed() {
    let handle = |_: Request| async {
        use futures_util::stream;
        let pieces =
            stream::iter((0..3).map(|number| Ok::<_, Error>(Bytes::from(format!("{number},")))));
        Ok::<_, Error>(Response::new(axum::body::Body::from_stream(pieces)))
    };
    let service = ServiceBuilder::new().layer(layer()).service(web::handler(handle));
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(service).streaming().run());
    for replayed in [Value::Null, json!("true")] {
        let outcome = lambda.invoke(charge(Some("k-1"), "{}")).await;
        let response = outcome.response().unwrap();
        assert_eq!(response.content(), "0,1,2,");
        assert_eq!(response.prelude().unwrap()["headers"]["idempotency-replayed"], replayed);
    }
}

#[tokio::test]
async fn the_layer_is_what_frameworks_require() {
    fn check<T: Clone + Send + Sync + 'static>(_: &T) {}
    let layer = layer();
    check(&layer);
    let handle = |_: Request| async { Ok::<_, Error>("done") };
    let service = layer.layer(web::handler(handle));
    check(&service);
    check(&HttpService::new(service));
}
