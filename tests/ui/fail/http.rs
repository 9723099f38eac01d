use std::rc::Rc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::http::{IntoResponse, Request};

#[derive(Clone)]
struct Shop;

#[derive(Debug)]
struct Unknown;

async fn of_an_event(event: LambdaEvent<String>) -> Result<String, Error> {
    Ok(event.payload)
}

async fn without_a_request() -> Result<String, Error> {
    Ok(String::new())
}

async fn without_a_response(_: Request) -> Result<u64, Error> {
    Ok(7)
}

async fn without_a_result(_: Request) -> &'static str {
    "done"
}

fn not_async(_: Request) -> Result<&'static str, Error> {
    Ok("done")
}

async fn with_an_unknown_error(_: Request) -> Result<&'static str, Unknown> {
    Err(Unknown)
}

async fn not_send(_: Request) -> Result<&'static str, Error> {
    let done = Rc::new("done");
    std::future::ready(()).await;
    Ok(*done)
}

async fn good(_: Request) -> Result<impl IntoResponse, Error> {
    Ok("done")
}

async fn of_state(State(_): State<Shop>) {}

async fn functions() {
    let _ = Powertools::http(of_an_event).run().await;
    let _ = Powertools::http(without_a_request).run().await;
    let _ = Powertools::http(without_a_response).run().await;
    let _ = Powertools::http(without_a_result).run().await;
    let _ = Powertools::http(not_async).run().await;
    let _ = Powertools::http(with_an_unknown_error).run().await;
    let _ = Powertools::http(not_send).run().await;
    let _ = Powertools::http(Shop).run().await;
    let _ = Powertools::http(Router::new().route("/", get(of_state))).run().await;
    let _ = Powertools::http(good).when_out_of_time(|| 202);
    let _ = Powertools::new(of_an_event).streaming();
    let _ = Powertools::new(good).run().await;
}

fn main() {}
