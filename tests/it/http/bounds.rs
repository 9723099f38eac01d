//! Responses at the limit of Lambda, and beyond it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::Response;
use lambda_runtime::Error;
use powertools::Powertools;
use powertools::http::{self as web, Body, IdempotencyKeyLayer, Problem, Request, StatusCode};
use powertools::idempotency::{Idempotency, MemoryStore, Store};
use powertools::testing::{Event, FakeRuntime};
use serde_json::{Value, json};
use tower::ServiceBuilder;

use super::idempotency_key::charge;
use super::{events, problem};

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
    twice_of(once, charge(Some("k-1"), "{}"), content_type, length).await
}

async fn twice_of<S: Store>(
    once: IdempotencyKeyLayer<S>,
    event: Value,
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
    let first = lambda.invoke(event.clone()).await;
    let length = first.response().unwrap().content().len();
    let second = lambda.invoke(event).await.json();
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

/// What a load balancer takes of a reply, in bytes of its JSON.
const LOAD_BALANCER: usize = 1024 * 1024;

/// Otherwise the load balancer answers 502, and the logs and metrics of the function show a success.
#[tokio::test]
async fn a_reply_beyond_1_mb_through_a_load_balancer_is_a_failure_whose_work_is_not_repeated() {
    for has_lists in [true, false] {
        let mut event = events::load_balancer("POST", "/charges", has_lists);
        match has_lists {
            true => event["multiValueHeaders"]["idempotency-key"] = json!(["k-1"]),
            false => event["headers"]["idempotency-key"] = "k-1".into(),
        }
        for content_type in ["text/plain", "image/png"] {
            let twice = async |length| {
                let once = layer().caller(|_| Some("ada".to_owned()));
                twice_of(once, event.clone(), content_type, length).await
            };
            let (_, empty, _) = twice(0).await;
            let longest = match content_type {
                "text/plain" => LOAD_BALANCER - empty,
                _ => (LOAD_BALANCER - empty) / 4 * 3,
            };
            let ([first, second], size, runs) = twice(longest).await;
            assert!((LOAD_BALANCER - 3..=LOAD_BALANCER).contains(&size), "{size}");
            assert_eq!((first["statusCode"].as_u64(), runs), (Some(201), 1));
            assert_eq!(problem(&second)["response_status"], 201, "it is too large to be stored");

            for length in [longest + 1, 2 * longest] {
                let ([first, second], _, runs) = twice(length).await;
                assert_eq!((first["statusCode"].as_u64(), runs), (Some(500), 1), "{length}");
                problem(&first);
                assert_eq!(second["statusCode"], 409);
                assert_eq!(problem(&second)["response_status"], 201);
            }
        }
    }
}

#[tokio::test]
async fn a_reply_that_is_too_large_for_its_front_end_is_reported_with_the_limit() {
    let lambda = FakeRuntime::new();
    let large = |_: Request| async { Ok::<_, Error>("x".repeat(1_200_000)) };
    let _function = lambda.run(Powertools::http(large).report_errors().run());
    let outcome = lambda.invoke(events::load_balancer("GET", "/", true)).await;
    let diagnostic = outcome.diagnostic().unwrap();
    assert_eq!(diagnostic.error_type, "Powertools.ResponseTooLarge");
    let message = &diagnostic.error_message;
    assert!(message.ends_with(" bytes, and a load balancer takes 1048576"), "{message}");
    let reply: Value = lambda.invoke(events::rest("GET", "/")).await.json();
    assert_eq!(reply["statusCode"], 200, "an API takes it");
}

#[tokio::test]
async fn an_answer_to_a_failure_fits_through_a_load_balancer() {
    let large = || "x".repeat(1_200_000);
    let lambda = FakeRuntime::new();
    let handle = move |_: Request| async move {
        Err::<(), _>(Problem::new(StatusCode::CONFLICT).detail(large()))
    };
    let _function = lambda.run(Powertools::http(handle).run());
    let reply: Value = lambda.invoke(events::load_balancer("GET", "/", true)).await.json();
    assert_eq!((&reply["statusCode"], problem(&reply).get("detail")), (&json!(409), None));

    let lambda = FakeRuntime::new();
    let hang = |_: Request| std::future::pending::<Result<(), Error>>();
    let _function = lambda.run(Powertools::http(hang).when_out_of_time(large).run());
    let event = Event::new(events::load_balancer("GET", "/", true));
    let reply: Value = lambda.invoke(event.timeout(Duration::from_millis(900))).await.json();
    assert_eq!(reply["statusCode"], 503);
    problem(&reply);

    // The layer answers here.
    let once = layer().caller(|_| Some("ada".to_owned()));
    let service = ServiceBuilder::new().layer(once).service(web::handler(hang));
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(service).when_out_of_time(large).run());
    let mut event = events::load_balancer("POST", "/charges", true);
    event["multiValueHeaders"]["idempotency-key"] = json!(["k-1"]);
    let event = Event::new(event).timeout(Duration::from_millis(1200));
    let reply: Value = lambda.invoke(event).await.json();
    assert_eq!(reply["statusCode"], 503);
    problem(&reply);
}

/// Escapes do not count there: quotes take two bytes of the JSON each.
#[tokio::test]
async fn a_message_of_a_web_socket_has_at_most_128_kb() {
    for (length, status) in [(128 * 1024, 200), (128 * 1024 + 1, 500)] {
        let lambda = FakeRuntime::new();
        let quotes = move |_: Request| async move { Ok::<_, Error>("\"".repeat(length)) };
        let _function = lambda.run(Powertools::http(quotes).run());
        let reply: Value = lambda.invoke(events::web_socket("MESSAGE", "$default")).await.json();
        assert_eq!(reply["statusCode"], status, "{length}");
    }
}
