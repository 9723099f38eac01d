//! Layers of `tower-http` and of axum around a router, as the guide shows them.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use http::header::{HeaderValue, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use lambda_runtime::Error;
use powertools::Powertools;
use powertools::http::{self as web, IdempotencyKeyLayer, Origin, Request};
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::testing::FakeRuntime;
use serde_json::{Value, json};
use tower::ServiceBuilder;
use tower_http::cors::{Any, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use super::events;
use super::idempotency_key::charge;

#[tokio::test]
async fn replays_problems_and_preflights_have_the_headers_of_the_layers_around() {
    let once = Idempotency::new(MemoryStore::new()).unwrap();
    let once = IdempotencyKeyLayer::new(once, "payments");
    let cors = CorsLayer::new()
        .allow_origin("https://shop.example".parse::<HeaderValue>().unwrap())
        .allow_methods(Any)
        .allow_headers(Any);
    let router = Router::new()
        .route("/charges", post(async || "charged").layer(once))
        .layer(SetResponseHeaderLayer::if_not_present(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=63072000; includeSubDomains"),
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(cors);
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(router).run());
    let mut preflight = charge(None, "");
    preflight["requestContext"]["http"]["method"] = "OPTIONS".into();
    preflight["headers"]["access-control-request-method"] = "POST".into();
    for (event, status, is_replayed) in [
        (charge(Some("k-1"), "{}"), 200, false),
        (charge(Some("k-1"), "{}"), 200, true),
        (charge(Some("k-1"), "[]"), 422, false),
        (charge(None, "{}"), 400, false),
        (preflight, 200, false),
    ] {
        let mut event = event;
        event["headers"]["origin"] = "https://shop.example".into();
        let reply: Value = lambda.invoke(event).await.json();
        let headers = &reply["headers"];
        assert_eq!(reply["statusCode"], status, "{reply}");
        assert_eq!(headers["access-control-allow-origin"], "https://shop.example", "{reply}");
        assert_eq!(headers["idempotency-replayed"].is_string(), is_replayed);
        // The layer of CORS answers a preflight by itself.
        let is_preflight = headers["access-control-allow-methods"].is_string();
        assert_eq!(headers["x-content-type-options"] == "nosniff", !is_preflight, "{reply}");
        assert_eq!(headers["strict-transport-security"].is_string(), !is_preflight);
    }
}

/// As above, without a router.
#[tokio::test]
async fn layers_fit_around_a_handler_function_too() {
    let once = Idempotency::new(MemoryStore::new()).unwrap();
    let once = IdempotencyKeyLayer::new(once, "payments");
    let nosniff = || {
        let nosniff = HeaderValue::from_static("nosniff");
        SetResponseHeaderLayer::if_not_present(X_CONTENT_TYPE_OPTIONS, nosniff)
    };
    let pay = async |_: Request| Ok::<_, Error>("charged");
    let service = ServiceBuilder::new()
        .layer(CorsLayer::permissive())
        .layer(nosniff())
        .layer(once)
        .layer(CorsLayer::permissive())
        .layer(nosniff())
        .service(web::handler(pay));
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(service).run());
    for is_replayed in [false, true] {
        let reply: Value = lambda.invoke(charge(Some("k-1"), "{}")).await.json();
        assert_eq!((&reply["statusCode"], &reply["body"]), (&json!(200), &json!("charged")));
        let headers = &reply["headers"];
        assert_eq!(headers["access-control-allow-origin"], "*", "{reply}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{reply}");
        assert_eq!(headers["idempotency-replayed"].is_string(), is_replayed);
    }
}

/// It would wait for its own claim.
#[tokio::test]
async fn a_layer_around_the_router_and_on_its_route_is_one() {
    let once = Idempotency::new(MemoryStore::new()).unwrap();
    let once = IdempotencyKeyLayer::new(once, "payments");
    let route = post(async || "charged").layer(once.clone());
    let router = Router::new().route("/charges", route).layer(once);
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(router).run());
    for is_replayed in [false, true] {
        let reply: Value = lambda.invoke(charge(Some("k-1"), "{}")).await.json();
        assert_eq!(reply["statusCode"], 200, "{reply}");
        assert_eq!(reply["headers"]["idempotency-replayed"].is_string(), is_replayed);
    }
}

#[tokio::test]
async fn the_address_of_the_client_is_in_the_connect_info_of_axum() {
    let router = Router::new().route(
        "/",
        get(async |ConnectInfo(address): ConnectInfo<SocketAddr>| address.ip().to_string()),
    );
    let router =
        router.layer(axum::middleware::map_request(async |mut request: axum::extract::Request| {
            if let Some(address) = request.extensions().get::<Origin>().and_then(Origin::source_ip)
            {
                request.extensions_mut().insert(ConnectInfo(SocketAddr::new(address, 0)));
            }
            request
        }));
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(router).run());
    let reply: Value = lambda.invoke(events::function_url("GET", "/")).await.json();
    assert_eq!((&reply["statusCode"], &reply["body"]), (&json!(200), &json!("192.0.2.1")));
}
