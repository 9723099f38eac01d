//! What `Powertools::http` and `#[idempotent(http, ..)]` take.
#![deny(warnings)]

use std::convert::Infallible;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use lambda_runtime::{Error, service_fn};
use powertools::http::{self as web, Body, IdempotencyKeyLayer, IntoResponse, Json, Request, Response, StatusCode};
use powertools::idempotency::{MemoryStore, Store};
use powertools::{Powertools, idempotent};

type Once = IdempotencyKeyLayer<MemoryStore>;

#[derive(Clone)]
struct Shop(Once);

async fn hello(_: Request) -> Result<&'static str, Error> {
    Ok("hello")
}

async fn of_lambda_http(_: Request) -> Result<Response<Body>, Error> {
    Ok(Response::new(Body::Empty))
}

async fn of_any_error(_: Request) -> Result<(StatusCode, Json<u64>), anyhow::Error> {
    Ok((StatusCode::CREATED, Json(7)))
}

async fn of_state(State(_): State<Shop>) {}

#[idempotent(http, with = once)]
async fn owned(once: Once, request: Request) -> Result<impl IntoResponse, Error> {
    let _ = request;
    Ok("done")
}

#[idempotent(http, with = once)]
async fn borrowed(once: &Once, _: Request) -> Result<String, Error> {
    Ok(String::new())
}

#[idempotent(http, with = once)]
async fn generic<S: Store>(
    once: &IdempotencyKeyLayer<S>,
    mut request: Request,
) -> Result<Response<Body>, Infallible> {
    request.headers_mut().clear();
    Ok(Response::new(request.into_body()))
}

impl Shop {
    #[idempotent(http, with = self.0)]
    async fn method(&self, _: Request) -> Result<Json<u64>, web::Problem> {
        Ok(Json(7))
    }
}

async fn functions(once: Once) {
    let shop = Shop(once.clone());
    let router = Router::new().route("/", get(of_state)).with_state(shop.clone());
    let _ = Powertools::http(hello).run().await;
    let _ = Powertools::http(of_lambda_http).streaming().run().await;
    let _ = Powertools::http(of_any_error).report_errors().run().await;
    let _ = Powertools::http(service_fn(hello)).run().await;
    let _ = Powertools::http(router).when_out_of_time(|| StatusCode::ACCEPTED).run().await;
    let captured = once.clone();
    let _ = Powertools::http(move |request| owned(captured.clone(), request)).run().await;
    let captured = shop.clone();
    let method = move |request| {
        let shop = captured.clone();
        async move { shop.method(request).await }
    };
    let _ = Powertools::http(method).run().await;
    let _ = (borrowed, generic::<MemoryStore>);
}

fn main() {
    let _ = functions;
}
