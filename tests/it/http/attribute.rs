//! `#[idempotent(http, ..)]`: the same as the layer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use lambda_runtime::Error;
use powertools::http::{IdempotencyKeyLayer, IntoResponse, Json, JsonError, Request, StatusCode};
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::testing::{Event, FakeRuntime};
use powertools::{Powertools, deadline, idempotent, logged};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower::ServiceBuilder;

use super::idempotency_key::charge as event;

type Once = IdempotencyKeyLayer<MemoryStore>;

fn layer() -> Once {
    Once::new(Idempotency::new(MemoryStore::new()).unwrap(), "payments")
}

#[derive(Clone, Default)]
struct Till(Arc<AtomicU32>);

impl Till {
    async fn charge(&self, request: Request) -> Result<(StatusCode, String), Error> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        match request.body().as_ref() {
            b"fail" => Err("declined".into()),
            b"busy" => Ok((StatusCode::SERVICE_UNAVAILABLE, String::new())),
            b"hang" => std::future::pending().await,
            b"panic" => panic!("declined"),
            b"large" => Ok((StatusCode::CREATED, "x".repeat(300 * 1024))),
            _ => Ok((StatusCode::CREATED, format!("charge {number}"))),
        }
    }
}

#[idempotent(http, with = once)]
async fn charge(once: Once, till: Till, request: Request) -> Result<impl IntoResponse, Error> {
    till.charge(request).await
}

/// What is sent, and how long there is for it.
fn requests() -> Vec<Event> {
    let long = "k".repeat(300);
    let mut sent = vec![event(None, "{}"), event(Some("a,b"), "{}"), event(Some(&long), "{}")];
    for body in ["{}", "fail", "busy", "panic", "large", "hang"] {
        let key = format!("\"{body}\"");
        sent.extend([event(Some(&key), body), event(Some(&key), body), event(Some(&key), "other")]);
    }
    let mut get = event(Some("{}"), "{}");
    get["requestContext"]["http"]["method"] = "GET".into();
    let mut anonymous = event(Some("k"), "{}");
    anonymous["requestContext"]["authorizer"] = Value::Null;
    sent.extend([get, anonymous]);
    let timeout = std::time::Duration::from_millis(1200);
    sent.into_iter().map(|event| Event::new(event).request_id("r-1").timeout(timeout)).collect()
}

#[tokio::test]
async fn it_answers_everything_as_the_layer_does() {
    let (by_attribute, by_layer) = (Till::default(), Till::default());
    let (once, till) = (layer(), by_attribute.clone());
    let function = Powertools::http(move |request| charge(once.clone(), till.clone(), request));
    let attribute = FakeRuntime::new();
    let _attribute = attribute.run(function.run());

    let till = by_layer.clone();
    let handle = move |request| {
        let till = till.clone();
        async move { till.charge(request).await }
    };
    let service = ServiceBuilder::new().layer(layer()).service(powertools::http::handler(handle));
    let layered = FakeRuntime::new();
    let _layered = layered.run(Powertools::http(service).run());

    for (number, (one, other)) in requests().into_iter().zip(requests()).enumerate() {
        let one: Value = attribute.invoke(one).await.json();
        let other: Value = layered.invoke(other).await.json();
        assert_eq!(one, other, "request {number}");
    }
    let runs = by_attribute.0.load(Ordering::Relaxed);
    assert_eq!(runs, by_layer.0.load(Ordering::Relaxed));
    assert!(runs < requests().len() as u32);
}

#[derive(Deserialize)]
struct Order {
    amount: u64,
}

#[derive(Serialize)]
struct Receipt {
    charged: u64,
}

#[logged]
#[idempotent(http, with = once)]
#[deadline(reserve = "100ms")]
async fn pay(once: &Once, runs: Arc<AtomicU32>, mut request: Request) -> Paid {
    runs.fetch_add(1, Ordering::Relaxed);
    request.headers_mut().remove("x-unknown");
    let Json(order) = Json::<Order>::read(&request)?;
    Ok(Json(Receipt { charged: order.amount }))
}

type Paid = Result<Json<Receipt>, PayError>;

#[derive(Debug, thiserror::Error, powertools::LambdaError)]
enum PayError {
    #[error(transparent)]
    Json(#[from] JsonError),
    #[error(transparent)]
    Deadline(#[from] powertools::deadline::Error),
}

#[tokio::test]
async fn it_stacks_and_takes_results_with_a_name() {
    let runs = Arc::new(AtomicU32::new(0));
    let (once, counted) = (layer(), runs.clone());
    let handle = move |request| {
        let (once, runs) = (once.clone(), counted.clone());
        async move { pay(&once, runs, request).await }
    };
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(handle).run());
    let order = || event(Some("k-1"), r#"{"amount":7}"#);
    for replayed in [Value::Null, json!("true")] {
        let reply: Value = lambda.invoke(order()).await.json();
        assert_eq!(reply["body"], r#"{"charged":7}"#);
        assert_eq!(reply["headers"]["content-type"], "application/json");
        assert_eq!(reply["headers"]["idempotency-replayed"], replayed);
    }
    // The error of the handler stays its own, and is not stored.
    for _ in 0..2 {
        let reply: Value = lambda.invoke(event(Some("k-2"), "{}")).await.json();
        assert_eq!(reply["statusCode"], 422);
    }
    assert_eq!(runs.load(Ordering::Relaxed), 3);
}
