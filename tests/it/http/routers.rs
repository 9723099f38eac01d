//! A router of axum under the whole stack.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use powertools::http::{Origin, Problem, StatusCode};
use powertools::testing::{FakeRuntime, Response};
use powertools::{Invocation, Powertools};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{events, problem};

#[derive(Clone, Default)]
struct Shop(Arc<AtomicU32>);

#[derive(Deserialize)]
struct Page {
    page: u32,
}

#[derive(Deserialize)]
struct Order {
    amount: u32,
}

fn router() -> Router {
    let orders = Router::new()
        .route("/{id}", get(async |Path(id): Path<u32>| format!("order {id}")))
        .route(
            "/{id}/path",
            get(async |Extension(origin): Extension<Origin>| origin.path().to_owned()),
        )
        .route("/", get(async |Query(page): Query<Page>| format!("page {}", page.page)))
        .route(
            "/",
            post(async |State(shop): State<Shop>, Json(order): Json<Order>| {
                (
                    axum::http::StatusCode::CREATED,
                    Json(json!(shop.0.fetch_add(order.amount, Ordering::Relaxed))),
                )
            }),
        );
    Router::new()
        .nest("/orders", orders)
        .route("/invocation", get(async || Invocation::current().unwrap().request_id().to_owned()))
        .route("/panic", get(async || -> String { panic!("secret") }))
        .route(
            "/problem",
            get(async || {
                let problem = Problem::new(StatusCode::CONFLICT).detail("taken");
                Err::<(), http::Response<_>>(problem.into())
            }),
        )
        .route(
            "/ip",
            get(async |Extension(origin): Extension<Origin>| {
                origin.source_ip().unwrap().to_string()
            }),
        )
        .with_state(Shop::default())
}

async fn ask(events: Vec<Value>) -> Vec<Value> {
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(router()).run());
    let mut replies = Vec::new();
    for event in events {
        replies.push(lambda.invoke(event).await.json());
    }
    replies
}

fn get_(path: &str, query: &str) -> Value {
    events::http_api("GET", path, query)
}

#[tokio::test]
async fn a_router_has_routes_state_extractors_and_rejections() {
    let post = |content_type: &str, body: &str| {
        let mut event = events::http_api("POST", "/orders", "");
        event["headers"]["content-type"] = content_type.into();
        event["body"] = body.into();
        event
    };
    let cases = [
        (get_("/orders/7", ""), 200, "order 7"),
        (get_("/orders/seven", ""), 400, "Invalid URL"),
        (get_("/orders", "page=3"), 200, "page 3"),
        (get_("/orders", ""), 400, "missing field `page`"),
        (get_("/nowhere", ""), 404, ""),
        (events::http_api("DELETE", "/orders/7", ""), 405, ""),
        (post("application/json", r#"{"amount":2}"#), 201, "0"),
        (post("application/json", r#"{"amount":5}"#), 201, "2"),
        (post("application/json", r#"{"amount":"x"}"#), 422, "amount"),
        (post("application/json", "{"), 400, ""),
        (post("text/plain", r#"{"amount":2}"#), 415, ""),
        (get_("/orders/7/path", ""), 200, "/orders/7/path"),
        (get_("/ip", ""), 200, "192.0.2.1"),
    ];
    let replies = ask(cases.iter().map(|(event, ..)| event.clone()).collect()).await;
    for ((event, status, body), reply) in cases.into_iter().zip(replies) {
        assert_eq!(reply["statusCode"], status, "{event}: {reply}");
        assert!(reply["body"].as_str().unwrap().contains(body), "{reply}");
    }
}

#[tokio::test]
async fn a_router_runs_in_its_invocation_and_answers_panics() {
    let replies =
        ask(vec![get_("/invocation", ""), get_("/panic", ""), get_("/problem", "")]).await;
    assert!(replies[0]["body"].as_str().unwrap().len() > 10, "{}", replies[0]);
    assert_eq!(replies[1]["statusCode"], 500);
    assert!(problem(&replies[1])["request_id"].is_string());
    assert_eq!(replies[2]["statusCode"], 409);
    assert_eq!(problem(&replies[2])["detail"], "taken");
}

#[tokio::test]
async fn a_router_answers_every_front_end() {
    let events = events::all("GET", "/orders/7");
    let replies = ask(events.iter().map(|(_, event)| event.clone()).collect()).await;
    for ((front_end, _), reply) in events.iter().zip(replies) {
        let status = if *front_end == "WebSocketApi" { 404 } else { 200 };
        assert_eq!(reply["statusCode"], status, "{front_end}");
    }
}

#[tokio::test]
async fn a_router_handles_requests_concurrently() {
    let lambda = FakeRuntime::new().concurrency(8);
    let _function = lambda.run(Powertools::http(router()).run());
    let sent: Vec<_> = (0..64).map(|id| lambda.send(get_(&format!("/orders/{id}"), ""))).collect();
    for (id, pending) in sent.into_iter().enumerate() {
        let reply: Value = pending.outcome().await.json();
        assert_eq!(reply["body"], format!("order {id}"));
    }
}

#[tokio::test]
async fn a_router_streams() {
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(router()).streaming().run());
    let outcome = lambda.invoke(events::function_url("GET", "/orders/7")).await;
    let response: &Response = outcome.response().unwrap();
    assert!(response.is_streamed());
    assert_eq!(response.prelude().unwrap()["statusCode"], 200);
    assert_eq!(response.content(), "order 7");
}
