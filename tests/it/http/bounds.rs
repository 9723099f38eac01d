//! Responses at the limit of Lambda, and beyond it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::Response;
use lambda_runtime::Error;
use powertools::Powertools;
use powertools::http::{self as web, Body, IdempotencyKeyLayer, Request};
use powertools::idempotency::{Idempotency, MemoryStore, Store};
use powertools::testing::FakeRuntime;
use serde_json::Value;
use tower::ServiceBuilder;

use super::idempotency_key::charge;
use super::problem;

/// What Lambda takes as a reply that is not streamed, in bytes of its JSON.
const LIMIT: usize = 6 * 1024 * 1024 + 100;

/// The JSON around the body of these replies.
const TEXT: &str = r#"{"statusCode":201,"headers":{"content-type":"text/plain"},"cookies":[],"body":"","isBase64Encoded":false}"#;
const BYTES: &str = r#"{"statusCode":201,"headers":{"content-type":"image/png"},"cookies":[],"body":"","isBase64Encoded":true}"#;
const MARK: &str = r#","idempotency-replayed":"true""#;

/// The longest body whose base64 fits.
fn longest_bytes() -> usize {
    (LIMIT - BYTES.len()) / 4 * 3
}

fn make(content_type: &str, length: usize) -> Result<Response<Body>, Error> {
    let response = Response::builder().status(201).header("content-type", content_type);
    Ok(match content_type {
        "text/plain" => response.body(Body::from("x".repeat(length)))?,
        _ => response.body(Body::from(vec![0xff; length]))?,
    })
}

/// Sends a request twice to a function with a response of this length. Returns the replies, the length of the first
/// reply and how often the handler ran.
pub(super) async fn twice<S: Store>(
    once: IdempotencyKeyLayer<S>,
    content_type: &'static str,
    length: usize,
) -> ([Value; 2], usize, u32) {
    let runs = Arc::new(AtomicU32::new(0));
    let handle = {
        let runs = runs.clone();
        move |_: Request| {
            runs.fetch_add(1, Ordering::Relaxed);
            async move { make(content_type, length) }
        }
    };
    let service = ServiceBuilder::new().layer(once).service(web::handler(handle));
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(service).run());
    let first = lambda.invoke(charge(Some("k-1"), "{}")).await;
    let length = first.response().unwrap().content().len();
    let second = lambda.invoke(charge(Some("k-1"), "{}")).await.json();
    ([first.json(), second], length, runs.load(Ordering::Relaxed))
}

fn layer() -> IdempotencyKeyLayer<MemoryStore> {
    IdempotencyKeyLayer::new(Idempotency::new(MemoryStore::new()).unwrap(), "payments")
}

#[tokio::test]
async fn a_response_of_6_mb_is_answered_once_and_replayed_as_its_status() {
    for (content_type, length) in
        [("text/plain", LIMIT - TEXT.len()), ("image/png", longest_bytes())]
    {
        // With the limit of the layer, and with that of the store.
        for once in [layer(), layer().max_body_bytes(10_000_000)] {
            let ([first, second], size, runs) = twice(once, content_type, length).await;
            assert!((LIMIT - 3..=LIMIT).contains(&size), "{size}");
            assert_eq!((first["statusCode"].as_u64(), runs), (Some(201), 1));
            assert_eq!(second["statusCode"], 409);
            assert_eq!(
                second["headers"]["idempotency-replayed"].is_null(),
                problem(&second)["response_status"].is_null()
            );
        }
    }
}

#[tokio::test]
async fn a_response_beyond_6_mb_is_a_failure_whose_work_is_not_repeated() {
    for (content_type, length) in
        [("text/plain", LIMIT - TEXT.len() + 1), ("image/png", longest_bytes() + 1)]
    {
        let ([first, second], _, runs) = twice(layer(), content_type, length).await;
        assert_eq!((first["statusCode"].as_u64(), runs), (Some(500), 1), "{content_type}");
        problem(&first);
        assert_eq!(second["statusCode"], 409);
        assert_eq!(problem(&second)["response_status"], 201);
    }
}

/// On a store that takes it.
pub(super) async fn check_replays_of_6_mb<S: Store>(layer: impl Fn() -> IdempotencyKeyLayer<S>) {
    let text = LIMIT - TEXT.len() - MARK.len();
    let bytes = (LIMIT - BYTES.len() - MARK.len()) / 4 * 3;
    for (content_type, length) in [("text/plain", text), ("image/png", bytes)] {
        let ([first, mut second], _, runs) = twice(layer(), content_type, length).await;
        assert_eq!((first["statusCode"].as_u64(), runs), (Some(201), 1));
        let mark = second["headers"].as_object_mut().unwrap().remove("idempotency-replayed");
        assert_eq!(mark, Some("true".into()));
        assert!(first == second, "{content_type}");
    }
    // The first fits, and with the mark of a replay it does not. The work is not repeated.
    let ([first, second], _, runs) = twice(layer(), "text/plain", text + 1).await;
    assert_eq!((first["statusCode"].as_u64(), runs), (Some(201), 1));
    assert_eq!(second["statusCode"], 500);
}
