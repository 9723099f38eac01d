//! A replay by the header `Idempotency-Key`.
//!
//! The services are called directly, in an invocation: what the loop takes is in the other table. Both sides find the
//! same record in the store in memory. The floor is the engine alone, with the stored response as the result of its
//! work and the same key, so the difference is what the layer adds to it.

use std::hint::black_box;
use std::time::Duration;

use http::{HeaderValue, Response};
use lambda_runtime::{Context, Error};
use powertools::Invocation;
use powertools::http::{Body, IdempotencyKeyLayer, Request};
use powertools::idempotency::{self, Idempotency, MemoryStore};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tower::{Layer, Service, service_fn};

use crate::instructions;
use crate::median;

/// Bytes of the bodies of the request and of the response.
const SIZES: [(&str, usize); 2] = [("replay, 1 kB", 1024), ("replay, 64 kB", 64 * 1024)];

pub(crate) struct Row {
    name: &'static str,
    ours: f64,
    engine: f64,
}

fn size(name: &str) -> usize {
    SIZES.iter().find(|(line, _)| *line == name).expect("a line has this name").1
}

pub(crate) fn run(name: &str, side: &str, count: &str) {
    let count = count.parse().expect("a number");
    if side == "ours" {
        ours(size(name), count)
    } else {
        engine(size(name), count)
    };
}

pub(crate) fn counted() -> Vec<Row> {
    let row = |(name, _): (&'static str, usize)| {
        let count = |side| instructions::per_run(name, side, [500, 1_500]);
        Row { name, ours: count("ours"), engine: count("engine") }
    };
    SIZES.into_iter().map(row).collect()
}

/// The CPU time of one replay, in µs.
pub(crate) fn timed(rounds: usize, count: u64) -> Vec<Row> {
    let per_call = |time: Duration| time.as_nanos() as f64 / 1e3 / count as f64;
    let row = |(name, size): (&'static str, usize)| {
        let pairs: Vec<_> = (0..rounds)
            .map(|_| (per_call(ours(size, count)), per_call(engine(size, count))))
            .collect();
        Row {
            name,
            ours: median(pairs.iter().map(|(ours, _)| *ours)),
            engine: median(pairs.iter().map(|(_, engine)| *engine)),
        }
    };
    SIZES.into_iter().map(row).collect()
}

#[expect(clippy::print_stdout, reason = "what a bench is for")]
pub(crate) fn print(unit: &str, rows: &[Row]) {
    println!("\n| {unit} | with the layer | engine alone | the layer |\n|---|---:|---:|---:|");
    for Row { name, ours, engine } in rows {
        println!("| {name} | {ours:.1} | {engine:.1} | {:.1} |", ours - engine);
    }
}

fn request(size: usize) -> Request {
    let mut request = Request::new(Body::Text("x".repeat(size)));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = "https://shop.example/charges".parse().expect("a URI");
    let headers = request.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert(
        "idempotency-key",
        HeaderValue::from_static("\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    );
    request
}

async fn charge(size: usize) -> Result<Response<Body>, Error> {
    let response = Response::builder().status(201).header("content-type", "application/json");
    Ok(response.header("location", "/charges/1").body(Body::from("x".repeat(size)))?)
}

/// Replays so often, and returns how long that took.
fn ours(size: usize, count: u64) -> Duration {
    let idempotency = Idempotency::new(MemoryStore::new()).expect("the options are right");
    let layer = IdempotencyKeyLayer::new(idempotency, "payments");
    let layer = layer.caller(|_| Some("jwt:https://id.example#ada".to_owned()));
    let mut service = layer.layer(service_fn(move |_: Request| charge(size)));
    block_on(async {
        service.call(request(size)).await.expect("the first succeeds");
        let mut requests: Vec<_> = (0..count).map(|_| request(size)).collect();
        let start = cpu_time();
        while let Some(request) = requests.pop() {
            let response = service.call(request).await.expect("a replay succeeds");
            assert!(response.headers().contains_key("idempotency-replayed"));
            black_box(response);
        }
        cpu_time() - start
    })
}

fn engine(size: usize, count: u64) -> Duration {
    let idempotency = Idempotency::new(MemoryStore::new()).expect("the options are right");
    let headers = json!([
        { "name": "content-type", "value": "application/json", "isBase64Encoded": false },
        { "name": "location", "value": "/charges/1", "isBase64Encoded": false },
    ]);
    let response = json!({
        "statusCode": 201, "headers": headers, "body": "x".repeat(size), "isBase64Encoded": false,
    });
    let key =
        ("jwt:https://id.example#ada", "POST", "/charges", "8e03978e-40d5-43e8-bc93-6894a57f9324");
    let payload = (
        None::<&str>,
        "application/json",
        "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
    );
    block_on(async {
        let call = async || {
            let operation = idempotency.operation("payments");
            let call = operation.key(&key)?.payload(&payload)?;
            call.run(async { Ok::<Value, idempotency::Error>(response.clone()) }).await
        };
        call().await.expect("the first succeeds");
        let start = cpu_time();
        for _ in 0..count {
            black_box(call().await.expect("a replay succeeds"));
        }
        cpu_time() - start
    })
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let invocation = Invocation::new(&Context::default());
    runtime.expect("a runtime can be had").block_on(invocation.scope(work))
}

fn cpu_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().expect("it is not negative")
}
