//! The header `Idempotency-Key` on Redis and Valkey.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lambda_runtime::Error;
use powertools::Powertools;
use powertools::http::{self as web, IdempotencyKeyLayer, Request, StatusCode};
use powertools::idempotency::{Idempotency, RedisStore};
use powertools::testing::{Event, FakeRuntime};
use powertools_tests::emulators::RedisKind;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower::ServiceBuilder;

use super::bounds::check_replays_of_6_mb;
use super::idempotency_key::charge;
use super::problem;

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_processed_once_on_redis() {
    for kind in RedisKind::all() {
        let server = kind.start(&[]);
        let store = RedisStore::new(&server.url()).unwrap();
        let once = IdempotencyKeyLayer::new(Idempotency::new(store).unwrap(), "payments");
        let (runs, begun, go) =
            (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()), Arc::new(Notify::new()));
        let handle = {
            let (runs, begun, go) = (runs.clone(), begun.clone(), go.clone());
            move |_: Request| {
                let run = runs.fetch_add(1, Ordering::Relaxed);
                let (begun, go) = (begun.clone(), go.clone());
                async move {
                    begun.notify_one();
                    go.notified().await;
                    Ok::<_, Error>((StatusCode::CREATED, format!("charge {run}, grün")))
                }
            }
        };
        let service = ServiceBuilder::new().layer(once).service(web::handler(handle));
        let lambda = FakeRuntime::new().concurrency(2);
        let _function = lambda.run(Powertools::http(service).run());
        let event =
            |body: &str| Event::new(charge(Some("k-1"), body)).timeout(Duration::from_secs(30));

        let first = lambda.send(event("{}"));
        begun.notified().await;
        let second: Value = lambda.invoke(event("{}")).await.json();
        assert_eq!(second["statusCode"], 409, "{}: {second}", server.name());
        problem(&second);
        let seconds: u64 = second["headers"]["retry-after"].as_str().unwrap().parse().unwrap();
        assert!((20..=31).contains(&seconds), "{seconds} on {}", server.name());
        assert_eq!(lambda.invoke(event("[]")).await.json::<Value>()["statusCode"], 422);
        go.notify_one();
        let first: Value = first.outcome().await.json();
        let replay: Value = lambda.invoke(event("{}")).await.json();
        assert_eq!((&first["statusCode"], &first["body"]), (&json!(201), &json!("charge 0, grün")));
        assert_eq!(
            (&replay["statusCode"], &replay["body"]),
            (&first["statusCode"], &first["body"])
        );
        assert_eq!(replay["headers"]["idempotency-replayed"], "true");
        assert_eq!(runs.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_of_6_mb_is_replayed_from_redis() {
    let Some(kind) = RedisKind::first() else { return };
    let server = kind.start(&[]);
    let numbers = AtomicU32::new(0);
    check_replays_of_6_mb(|| {
        let store = RedisStore::new(&server.url()).unwrap();
        let name = format!("payments-{}", numbers.fetch_add(1, Ordering::Relaxed));
        let once = IdempotencyKeyLayer::new(Idempotency::new(store).unwrap(), name);
        once.max_body_bytes(7_000_000)
    })
    .await;
}
