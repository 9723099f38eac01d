//! The header `Idempotency-Key` on DynamoDB, on every emulator and with both clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::Response;
use lambda_runtime::Error;
use powertools::Powertools;
use powertools::http::{self as web, Body, IdempotencyKeyLayer, Request};
use powertools::idempotency::{DynamoDbStore, Idempotency};
use powertools::testing::{Event, FakeRuntime, FunctionTask};
use powertools_tests::emulators::Emulator;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::sync::Notify;
use tower::ServiceBuilder;

use super::idempotency_key::charge;
use super::problem;

/// What the handler answers, by the path.
fn response(path: &str) -> Result<Response<Body>, Error> {
    let of =
        |content_type: &str| Response::builder().status(201).header("content-type", content_type);
    Ok(match path {
        "/compressed" => {
            let response = of("application/json").header("content-encoding", "gzip");
            response.body(Body::from(vec![0x1f, 0x8b, 0, 0xff, 0xfe]))?
        }
        // Each of these characters is two bytes of JSON.
        "/quotes" => of("text/plain").body(Body::from("\"\n".repeat(128 * 1024)))?,
        "/just-fits" => of("image/png").body(Body::from(vec![0xff; 256 * 1024]))?,
        "/item-too-large" => of("text/plain").body(Body::from("x".repeat(450 * 1024)))?,
        // A reply with it is as long as Lambda takes.
        "/reply-of-6-mb" => of("text/plain").body(Body::from("x".repeat(6 * 1024 * 1024 - 5)))?,
        _ => of("text/plain").header("location", "/charges/1").body(Body::from("grün"))?,
    })
}

/// A function whose records are in a table of its own.
struct Shop {
    lambda: FakeRuntime,
    _function: FunctionTask<Result<(), Error>>,
    runs: Arc<AtomicU32>,
    begun: Arc<Notify>,
    go: Arc<Notify>,
}

impl Shop {
    fn start(
        store: DynamoDbStore,
        change: fn(IdempotencyKeyLayer<DynamoDbStore>) -> IdempotencyKeyLayer<DynamoDbStore>,
    ) -> Self {
        let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let runs = Arc::new(AtomicU32::new(0));
        let handle = {
            let (runs, begun, go) = (runs.clone(), begun.clone(), go.clone());
            move |request: Request| {
                runs.fetch_add(1, Ordering::Relaxed);
                let (begun, go) = (begun.clone(), go.clone());
                async move {
                    if request.uri().path() == "/slow" {
                        begun.notify_one();
                        go.notified().await;
                    }
                    response(request.uri().path())
                }
            }
        };
        let layer = IdempotencyKeyLayer::new(Idempotency::new(store).unwrap(), "payments");
        let service = ServiceBuilder::new().layer(change(layer)).service(web::handler(handle));
        let lambda = FakeRuntime::new().concurrency(2);
        let function = lambda.run(Powertools::http(service).run());
        Self { lambda, _function: function, runs, begun, go }
    }

    async fn ask(&self, path: &str, body: &str) -> Value {
        self.lambda.invoke(at(path, body)).await.json()
    }

    /// Sends a request twice.
    async fn twice(&self, path: &str) -> (Value, Value, u32) {
        let before = self.runs.load(Ordering::Relaxed);
        let (first, second) = (self.ask(path, "{}").await, self.ask(path, "{}").await);
        (first, second, self.runs.load(Ordering::Relaxed) - before)
    }
}

fn at(path: &str, body: &str) -> Event {
    let mut event = charge(Some("k-1"), body);
    event["rawPath"] = format!("/prod{path}").into();
    Event::new(event).timeout(Duration::from_secs(30))
}

fn take_mark(reply: &mut Value) -> Value {
    reply["headers"].as_object_mut().unwrap().remove("idempotency-replayed").unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn responses_are_replayed_from_dynamodb() {
    for emulator in Emulator::all() {
        let table = emulator.create_table(&["id"]).await;
        let shop = Shop::start(emulator.store(&table), |layer| layer);
        for path in ["/charges", "/compressed", "/just-fits"] {
            let (first, mut second, runs) = shop.twice(path).await;
            let name = emulator.name();
            assert_eq!((runs, &first["statusCode"]), (1, &json!(201)), "{path} on {name}");
            assert_eq!(take_mark(&mut second), "true", "{path} on {name}");
            assert_eq!(first, second, "{path} on {name}");
        }
        let (_, compressed, _) = shop.twice("/compressed").await;
        assert_eq!(compressed["headers"]["content-encoding"], "gzip");
        let body = BASE64_STANDARD.decode(compressed["body"].as_str().unwrap()).unwrap();
        assert_eq!(
            (body, &compressed["isBase64Encoded"]),
            (vec![0x1f, 0x8b, 0, 0xff, 0xfe], &json!(true))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_in_progress_is_409_and_another_one_422_on_dynamodb() {
    for emulator in Emulator::all() {
        let table = emulator.create_table(&["id"]).await;
        let shop = Shop::start(emulator.store(&table), |layer| layer);
        let first = shop.lambda.send(at("/slow", "{}"));
        shop.begun.notified().await;
        let second = shop.ask("/slow", "{}").await;
        assert_eq!(second["statusCode"], 409, "{}: {second}", emulator.name());
        problem(&second);
        let seconds: u64 = second["headers"]["retry-after"].as_str().unwrap().parse().unwrap();
        assert!((20..=31).contains(&seconds), "{seconds} on {}", emulator.name());
        let other = shop.ask("/slow", "[]").await;
        assert_eq!(other["statusCode"], 422, "{}", emulator.name());
        shop.go.notify_one();
        assert_eq!(first.outcome().await.json::<Value>()["statusCode"], 201);
        assert_eq!(shop.ask("/slow", "[]").await["statusCode"], 422, "{}", emulator.name());
        let mut replay = shop.ask("/slow", "{}").await;
        assert_eq!((take_mark(&mut replay), &replay["body"]), (json!("true"), &json!("grün")));
        assert_eq!(shop.runs.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_beyond_an_item_is_answered_once_and_replayed_as_its_status() {
    for emulator in Emulator::all() {
        let table = emulator.create_table(&["id"]).await;
        let shop = Shop::start(emulator.store(&table), |layer| layer);
        for path in ["/quotes", "/item-too-large", "/reply-of-6-mb"] {
            let name = format!("{path} on {}", emulator.name());
            let (first, mut second, runs) = shop.twice(path).await;
            assert_eq!((runs, &first["statusCode"]), (1, &json!(201)), "{name}");
            assert!(first["body"].as_str().unwrap().len() >= 256 * 1024, "{name}");
            assert_eq!(
                (&second["statusCode"], take_mark(&mut second.clone())),
                (&json!(409), json!("true")),
                "{name}"
            );
            assert_eq!(problem(&second)["response_status"], 201, "{name}");
            take_mark(&mut second);
            assert!(second["headers"].get("retry-after").is_none(), "{name}");
        }
        // Where the layer takes more than the store does, the status is gone, and nothing runs again.
        let shop = Shop::start(emulator.store(&table), |layer| layer.max_body_bytes(10_000_000));
        let mut event = charge(Some("k-2"), "{}");
        event["rawPath"] = "/prod/item-too-large".into();
        let first: Value = shop.lambda.invoke(event.clone()).await.json();
        let second: Value = shop.lambda.invoke(event).await.json();
        assert_eq!((&first["statusCode"], &second["statusCode"]), (&json!(201), &json!(409)));
        assert!(problem(&second).get("response_status").is_none());
        assert_eq!(shop.runs.load(Ordering::Relaxed), 1);
    }
}

/// Each process has the real loop of the runtime with several workers, as on Lambda Managed Instances, and together
/// they are the execution environments of one function.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_concurrent_duplicates_in_several_processes_have_one_effect_and_one_answer() {
    let Some(emulator) = Emulator::busy().into_iter().next() else { return };
    let table = emulator.create_table(&["id"]).await;
    let environments: Vec<_> = (0..4)
        .map(|_| {
            let lambda = FakeRuntime::new()
                .concurrency(8)
                .env("HTTP", "1")
                .env("TABLE", &table)
                .env("ENDPOINT", emulator.endpoint())
                .env("CLIENT", "Lean");
            let program = Command::new(env!("CARGO_BIN_EXE_charge"));
            let function = lambda.spawn(program).unwrap();
            (lambda, function)
        })
        .collect();
    let event = || Event::new(charge(Some("k-1"), "{}")).timeout(Duration::from_secs(60));
    let sent: Vec<_> =
        (0..100).map(|number: usize| environments[number % 4].0.send(event())).collect();
    let (mut first, mut answers, mut refused) = (0, Vec::new(), 0);
    for pending in sent {
        let reply: Value = pending.outcome().await.json();
        match reply["statusCode"].as_u64() {
            Some(201) => {
                first += u32::from(reply["headers"].get("idempotency-replayed").is_none());
                answers.push(reply["body"].clone());
            }
            Some(409) => refused += 1,
            // The emulator has too few processors to answer all of them in time: nothing ran.
            status => assert_eq!(status, Some(503), "{reply}"),
        }
    }
    // Afterwards each of them has the answer.
    for (lambda, _) in &environments {
        let reply: Value = lambda.invoke(event()).await.json();
        assert_eq!(reply["headers"]["idempotency-replayed"], "true", "{reply}");
        answers.push(reply["body"].clone());
    }
    answers.dedup();
    assert_eq!((first, answers.len()), (1, 1), "{answers:?}");
    assert!(refused > 0, "they did not race");
    let mut effects = 0;
    for (_, function) in environments {
        function.kill().await;
        effects += function.stdout().iter().filter(|line| *line == "charging").count();
    }
    assert_eq!(effects, 1);
}
