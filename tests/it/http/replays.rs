//! Requests with a key: through every front end, from two clients at once, and with failures around them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::body::Body as AxumBody;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::Response;
use lambda_runtime::Error;
use powertools::Powertools;
use powertools::http::{self as web, IdempotencyKeyLayer, Request, StatusCode};
use powertools::idempotency::{Idempotency, MemoryStore, OnSaveFailure, StoreErrorKind};
use powertools::testing::{self, Event, FakeRuntime};
use powertools_tests::faulty::{Fault, FaultyStore, Op};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower::{Layer, Service, ServiceBuilder};

use super::idempotency_key::charge;
use super::{events, problem};
use crate::logging::{logging, start};

fn layer() -> IdempotencyKeyLayer<MemoryStore> {
    IdempotencyKeyLayer::new(Idempotency::new(MemoryStore::new()).unwrap(), "payments")
}

/// The value of a header of a reply, in the form of its front end.
fn header<'r>(reply: &'r Value, name: &str) -> &'r Value {
    if reply["headers"].is_object() {
        &reply["headers"][name]
    } else {
        &reply["multiValueHeaders"][name][0]
    }
}

#[tokio::test]
async fn keys_are_read_and_responses_replayed_through_every_front_end() {
    for (front_end, mut event) in events::all("POST", "/charges") {
        let once = layer().caller(|_| Some("ada".to_owned()));
        let runs = Arc::new(AtomicU32::new(0));
        let handle = {
            let runs = runs.clone();
            move |_: Request| {
                let run = runs.fetch_add(1, Ordering::Relaxed);
                async move { Ok::<_, Error>((StatusCode::CREATED, format!("charge {run}"))) }
            }
        };
        let service = ServiceBuilder::new().layer(once).service(web::handler(handle));
        let lambda = FakeRuntime::new();
        let _function = lambda.run(Powertools::http(service).run());
        if front_end == "WebSocketApi" {
            // Its messages have no headers.
            let reply: Value = lambda.invoke(event).await.json();
            assert_eq!(
                (reply["statusCode"].as_u64(), runs.load(Ordering::Relaxed)),
                (Some(400), 0)
            );
            continue;
        }
        let mut set = |name: &str, value: &str| {
            if event["multiValueHeaders"].is_object() {
                event["multiValueHeaders"][name] = json!([value]);
            }
            if event["headers"].is_object() {
                let is_list = event["headers"]["host"].is_array();
                event["headers"][name] = if is_list { json!([value]) } else { json!(value) };
            }
            event.clone()
        };
        let first = set("Idempotency-Key", "\"k-1\"");
        for (number, event) in [first.clone(), first].into_iter().enumerate() {
            let reply: Value = lambda.invoke(event).await.json();
            assert_eq!((&reply["statusCode"], &reply["body"]), (&json!(201), &json!("charge 0")));
            let mark = if number == 0 { Value::Null } else { json!("true") };
            assert_eq!(header(&reply, "idempotency-replayed"), &mark, "{front_end}");
        }
        // The same header under a name that differs in case is a second key.
        let reply: Value = lambda.invoke(set("idempotency-key", "\"k-2\"")).await.json();
        assert_eq!(reply["statusCode"], 400, "{front_end}: {reply}");
        problem(&reply);
    }
}

/// A front end with lists has one header with two values.
#[tokio::test]
async fn two_keys_in_a_list_of_values_are_400() {
    for mut event in [
        events::rest("POST", "/"),
        events::load_balancer("POST", "/", true),
        events::lattice_2("POST", "/"),
    ] {
        let lists =
            if event["multiValueHeaders"].is_object() { "multiValueHeaders" } else { "headers" };
        event[lists]["idempotency-key"] = json!(["k-1", "k-2"]);
        let once = layer().caller(|_| Some("ada".to_owned()));
        let handle = web::handler(|_: Request| async { Ok::<_, Error>("ran") });
        let lambda = FakeRuntime::new();
        let _function =
            lambda.run(Powertools::http(ServiceBuilder::new().layer(once).service(handle)).run());
        let reply: Value = lambda.invoke(event).await.json();
        assert_eq!(reply["statusCode"], 400, "{reply}");
        assert_eq!(problem(&reply)["detail"], "the request has several idempotency keys");
    }
}

#[tokio::test]
async fn a_key_of_a_request_that_times_out_is_taken_until_then_and_free_after_it() {
    let (begun, runs) = (Arc::new(Notify::new()), Arc::new(AtomicU32::new(0)));
    let handle = {
        let (begun, runs) = (begun.clone(), runs.clone());
        move |_: Request| {
            let run = runs.fetch_add(1, Ordering::Relaxed);
            let begun = begun.clone();
            async move {
                if run == 0 {
                    begun.notify_one();
                    std::future::pending::<()>().await;
                }
                Ok::<_, Error>(format!("run {run}"))
            }
        }
    };
    let service = ServiceBuilder::new().layer(layer()).service(web::handler(handle));
    let lambda = FakeRuntime::new().concurrency(2);
    let _function = lambda.run(Powertools::http(service).run());
    let event = || charge(Some("k-1"), "{}");
    let first = lambda.send(Event::new(event()).timeout(Duration::from_secs(2)));
    begun.notified().await;
    let during: Value = lambda.invoke(event()).await.json();
    assert_eq!(during["statusCode"], 409);
    let first: Value = first.outcome().await.json();
    assert_eq!(first["statusCode"], 503);
    let after: Value = lambda.invoke(event()).await.json();
    assert_eq!((&after["statusCode"], &after["body"]), (&json!(200), &json!("run 1")));
}

#[tokio::test]
async fn a_store_that_fails_before_the_work_is_503_and_nothing_runs() {
    for fault in [Fault::Fail(StoreErrorKind::Throttled), Fault::Fail(StoreErrorKind::Other)] {
        let store = FaultyStore::new().fault(Op::Claim, fault);
        let once = IdempotencyKeyLayer::new(Idempotency::new(store).unwrap(), "payments");
        let runs = Arc::new(AtomicU32::new(0));
        let handle = {
            let runs = runs.clone();
            move |_: Request| {
                runs.fetch_add(1, Ordering::Relaxed);
                async { Ok::<_, Error>("done") }
            }
        };
        let service = ServiceBuilder::new().layer(once).service(web::handler(handle));
        let lambda = FakeRuntime::new();
        let captured = testing::metrics();
        let function = Powertools::http(service).metrics(captured.settings());
        let _function = lambda.run(function.run());
        let reply: Value = lambda.invoke(charge(Some("k-1"), "{}")).await.json();
        assert_eq!(reply["statusCode"], 503, "{fault:?}: {reply}");
        assert_eq!(captured.values("RequestsFailed"), [1.0]);
        assert_eq!(reply["headers"]["retry-after"], "1");
        let problem = problem(&reply).to_string();
        assert!(!problem.contains("k-1") && !problem.contains("payments"), "{problem}");
        assert_eq!(runs.load(Ordering::Relaxed), 0);
        let reply: Value = lambda.invoke(charge(Some("k-1"), "{}")).await.json();
        assert_eq!((reply["statusCode"].as_u64(), runs.load(Ordering::Relaxed)), (Some(200), 1));
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_500_and_is_not_stored() {
    type Rest = fn() -> stream::BoxStream<'static, Result<Bytes, Error>>;
    let rests: [Rest; 2] = [
        || stream::iter([Err::<Bytes, Error>("secret".into())]).boxed(),
        || stream::poll_fn(|_| panic!("secret")).boxed(),
    ];
    for streams in [false, true] {
        for rest in rests {
            let runs = Arc::new(AtomicU32::new(0));
            let handle = {
                let runs = runs.clone();
                move |_: Request| {
                    let run = runs.fetch_add(1, Ordering::Relaxed);
                    async move {
                        let first = stream::iter([Ok::<_, Error>(Bytes::from("begun"))]);
                        let rest = if run == 0 { rest() } else { stream::empty().boxed() };
                        Ok::<_, Error>(Response::new(AxumBody::from_stream(first.chain(rest))))
                    }
                }
            };
            let service = ServiceBuilder::new().layer(layer()).service(web::handler(handle));
            let function = Powertools::http(service);
            let function = if streams { function.streaming() } else { function };
            let lambda = FakeRuntime::new();
            let _function = lambda.run(function.run());
            let mut replies = Vec::new();
            for _ in 0..3 {
                let outcome = lambda.invoke(charge(Some("k-1"), "{}")).await;
                let response = outcome.response().unwrap();
                replies.push(if streams {
                    let status = response.prelude().unwrap()["statusCode"].clone();
                    (status, String::from_utf8(response.content().to_vec()).unwrap())
                } else {
                    let reply: Value = outcome.json();
                    (reply["statusCode"].clone(), reply["body"].as_str().unwrap().to_owned())
                });
            }
            let [(failed, body), (second, begun), (third, replayed)] = &replies[..] else {
                panic!()
            };
            assert_eq!((failed, second, third), (&json!(500), &json!(200), &json!(200)));
            assert!(!body.contains("begun") && !body.contains("secret"), "{body}");
            assert_eq!((&**begun, &**replayed), ("begun", "begun"));
            assert_eq!(runs.load(Ordering::Relaxed), 2);
        }
    }
}

#[tokio::test]
async fn refusals_are_logged_as_information_and_failures_as_errors() {
    let logged = async |store: FaultyStore, events: Vec<Value>| {
        let once = IdempotencyKeyLayer::new(Idempotency::new(store).unwrap(), "payments");
        let handle = web::handler(|_: Request| async { Ok::<_, Error>("done") });
        let (lines, _guard) = start(logging());
        let lambda = FakeRuntime::new();
        let service = ServiceBuilder::new().layer(once).service(handle);
        let _function = lambda.run(Powertools::http(service).run());
        for event in events {
            lambda.invoke(event).await;
        }
        let lines = lines.json();
        let levels = lines.iter().map(|line| line["level"].as_str().unwrap().to_owned());
        levels.collect::<Vec<_>>()
    };
    let changed = vec![charge(Some("k-1"), "{}"), charge(Some("k-1"), "[]")];
    assert_eq!(logged(FaultyStore::new(), changed).await, ["INFO"]);
    let failing = FaultyStore::new().fault(Op::Claim, Fault::Fail(StoreErrorKind::Throttled));
    assert_eq!(logged(failing, vec![charge(Some("k-1"), "{}")]).await.last().unwrap(), "ERROR");
}

#[tokio::test]
async fn a_record_that_is_no_response_is_500_and_nothing_runs() {
    let idempotency = Idempotency::new(MemoryStore::new()).unwrap();
    let record = async {
        // As the layer derives them.
        let hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let call = idempotency
            .operation("payments")
            .key(&("jwt:i#ada", "POST", "/charges", "k-1"))?
            .payload(&(None::<&str>, Some(b"application/json".as_slice()), hash))?;
        let nonsense =
            json!({ "statusCode": 9999, "headers": [], "body": "", "isBase64Encoded": false });
        call.run(async { Ok::<Value, powertools::idempotency::Error>(nonsense) }).await
    };
    testing::invocation().build().scope(record).await.unwrap();
    let once = IdempotencyKeyLayer::new(idempotency.clone(), "payments");
    let handle = web::handler(|_: Request| async { Ok::<_, Error>("ran") });
    let lambda = FakeRuntime::new();
    let service = ServiceBuilder::new().layer(once).service(handle);
    let _function = lambda.run(Powertools::http(service).run());
    let reply: Value = lambda.invoke(charge(Some("k-1"), "{}")).await.json();
    assert_eq!(reply["statusCode"], 500);
    problem(&reply);
}

#[tokio::test]
async fn a_text_with_many_escapes_counts_as_its_json() {
    for (quotes, is_replayed) in [(600, true), (700, false)] {
        let handle = move |_: Request| async move { Ok::<_, Error>("\"".repeat(quotes)) };
        let once = layer().max_body_bytes(1_000);
        let lambda = FakeRuntime::new();
        let service = ServiceBuilder::new().layer(once).service(web::handler(handle));
        let _function = lambda.run(Powertools::http(service).run());
        let first: Value = lambda.invoke(charge(Some("k-1"), "{}")).await.json();
        assert_eq!(first["statusCode"], 200);
        let second: Value = lambda.invoke(charge(Some("k-1"), "{}")).await.json();
        let status = if is_replayed { 200 } else { 409 };
        assert_eq!(second["statusCode"], status, "{quotes} quotes");
    }
}

#[tokio::test]
async fn the_handler_sees_the_body_as_it_arrived() {
    let handle = |request: Request| async move {
        Ok::<_, Error>(format!("{:?}", matches!(request.body(), web::Body::Text(_))))
    };
    let lambda = FakeRuntime::new();
    let service = ServiceBuilder::new().layer(layer()).service(web::handler(handle));
    let _function = lambda.run(Powertools::http(service).run());
    let mut bytes = charge(Some("k-2"), "/wA=");
    bytes["isBase64Encoded"] = true.into();
    for (event, is_text) in [(charge(Some("k-1"), "{}"), "true"), (bytes, "false")] {
        let reply: Value = lambda.invoke(event).await.json();
        assert_eq!(reply["body"], is_text);
    }
}

#[tokio::test]
async fn a_request_whose_body_breaks_off_is_400_and_nothing_runs() {
    let once = layer().caller(|_| Some("ada".to_owned()));
    let mut service = once.layer(tower::service_fn(|_: http::Request<AxumBody>| async {
        Err::<Response<AxumBody>, Error>("it ran".into())
    }));
    let pieces = stream::iter([Ok(Bytes::from("begun")), Err(Error::from("reset"))]);
    let request = http::Request::post("/charges").header("idempotency-key", "k-1");
    let request = request.body(AxumBody::from_stream(pieces)).unwrap();
    let answer = testing::invocation().build().scope(service.call(request)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
}

/// The work is done. An answer that asks for a retry would have it done again when the claim ends.
#[tokio::test]
async fn a_response_that_cannot_be_saved_is_answered_and_its_key_stays_taken() {
    let faults = [
        vec![Fault::Fail(StoreErrorKind::AccessDenied)],
        vec![Fault::Fail(StoreErrorKind::Throttled); 100],
        vec![Fault::Panic],
    ];
    for faults in faults {
        let store = FaultyStore::new();
        let store = faults.iter().fold(store, |store, fault| store.fault(Op::Complete, *fault));
        for policy in [None, Some(OnSaveFailure::Error)] {
            let store = match policy {
                None => store.clone(),
                Some(_) => FaultyStore::new().fault(Op::Complete, faults[0]),
            };
            if policy.is_some() && faults.len() > 1 {
                continue;
            }
            let options = Idempotency::builder(store);
            let options = match policy {
                Some(policy) => options.on_save_failure(policy),
                None => options,
            };
            let once = IdempotencyKeyLayer::new(options.build().unwrap(), "payments");
            let runs = Arc::new(AtomicU32::new(0));
            let handle = {
                let runs = runs.clone();
                move |_: Request| {
                    runs.fetch_add(1, Ordering::Relaxed);
                    async { Ok::<_, Error>((StatusCode::CREATED, "charged")) }
                }
            };
            let (lines, _guard) = start(logging());
            let service = ServiceBuilder::new().layer(once).service(web::handler(handle));
            let lambda = FakeRuntime::new();
            let _function = lambda.run(Powertools::http(service).logging(logging()).run());
            let event = || Event::new(charge(Some("k-1"), "{}")).timeout(Duration::from_secs(3));
            let first: Value = lambda.invoke(event()).await.json();
            let second: Value = lambda.invoke(event()).await.json();
            if policy.is_none() {
                assert_eq!(
                    (&first["statusCode"], &first["body"]),
                    (&json!(201), &json!("charged")),
                    "{faults:?}"
                );
            } else {
                assert_eq!(first["statusCode"], 500, "{first}");
                assert!(first["headers"].get("retry-after").is_none(), "{first}");
                let detail = problem(&first)["detail"].as_str().unwrap().to_owned();
                assert!(detail.starts_with("the request was processed"), "{detail}");
            }
            // Until the lease ends. Nothing tells whether the work was done.
            assert_eq!(second["statusCode"], 409, "{second}");
            let seconds = second["headers"]["retry-after"].as_str().unwrap();
            assert!((1..=4).contains(&seconds.parse::<u64>().unwrap()), "{seconds}");
            assert_eq!(runs.load(Ordering::Relaxed), 1);
            let lines = lines.json();
            let is_told = |line: &Value| {
                line["level"] != "INFO" && line.to_string().contains("could not be saved")
            };
            assert!(lines.iter().any(is_told), "{lines:#?}");
        }
    }
}

/// The scope of a key is its resource, and not the front end through which the request came: a client that
/// retries through another API, stage or domain of the same service must not do the work again.
#[tokio::test]
async fn a_key_is_the_same_through_every_api_and_stage_of_a_service() {
    let service = |name: &str, prefix: &str, store: &MemoryStore| {
        let options = Idempotency::builder(store.clone()).key_prefix(prefix).build().unwrap();
        let once = IdempotencyKeyLayer::new(options, name);
        let handle = web::handler(|_: Request| async { Ok::<_, Error>("charged") });
        ServiceBuilder::new().layer(once).service(handle)
    };
    let store = MemoryStore::new();
    let first = charge(Some("k-1"), "{}");
    let mut of_another_api = first.clone();
    of_another_api["requestContext"]["apiId"] = "b2".into();
    of_another_api["requestContext"]["stage"] = "$default".into();
    of_another_api["requestContext"]["domainName"] = "pay.example".into();
    of_another_api["headers"]["host"] = "pay.example".into();
    of_another_api["rawPath"] = "/charges".into();
    for (name, prefix, event, is_replayed) in [
        ("payments", "", &first, false),
        ("payments", "", &of_another_api, true),
        // These are apart.
        ("refunds", "", &first, false),
        ("payments", "staging", &first, false),
        ("payments", "staging", &of_another_api, true),
    ] {
        let lambda = FakeRuntime::new();
        let _function = lambda.run(Powertools::http(service(name, prefix, &store)).run());
        let reply: Value = lambda.invoke(event.clone()).await.json();
        let mark = if is_replayed { json!("true") } else { Value::Null };
        assert_eq!(reply["statusCode"], 200);
        assert_eq!(reply["headers"]["idempotency-replayed"], mark, "{name} {prefix} {event}");
    }
}
