//! HTTP functions on the real runtime loop, with the events of every front end.

mod answers;
mod attribute;
mod bounds;
mod dynamodb;
mod events;
mod hostile;
mod idempotency_key;
mod layers;
mod long_bodies;
mod measured;
mod properties;
mod recorded;
mod redis;
mod replays;
mod requests;
mod responses;
mod routers;
mod signatures;
mod streams;
mod table;

use lambda_runtime::Error;
use powertools::Powertools;
use powertools::http::{IntoResponse, Request};
use powertools::testing::{Event, FakeRuntime, Outcome};
use serde_json::{Value, json};

/// Sends `event` to a function with this handler, and returns the reply.
async fn reply<F, Fut, R>(handler: F, event: impl Into<Event>) -> Value
where
    F: Fn(Request) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<R, Error>> + Send + 'static,
    R: IntoResponse + Send + 'static,
{
    outcome(handler, event).await.json()
}

async fn outcome<F, Fut, R>(handler: F, event: impl Into<Event>) -> Outcome
where
    F: Fn(Request) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<R, Error>> + Send + 'static,
    R: IntoResponse + Send + 'static,
{
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(handler).run());
    lambda.invoke(event).await
}

/// What a handler sees of a request.
async fn seen(event: impl Into<Event>) -> Value {
    let reply = reply(describe, event).await;
    assert_eq!(reply["statusCode"], 200, "{reply}");
    serde_json::from_str(reply["body"].as_str().unwrap()).unwrap()
}

async fn describe(request: Request) -> Result<Value, Error> {
    let headers: Vec<_> = request
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let origin = request.extensions().get::<powertools::http::Origin>().unwrap();
    Ok(json!({
        "method": request.method().as_str(),
        "uri": request.uri().to_string(),
        "headers": headers,
        "body": request.body().as_ref(),
        "is_text": matches!(request.body(), powertools::http::Body::Text(_)),
        "front_end": format!("{:?}", origin.front_end()),
        "path": origin.path(),
        "stage": origin.stage(),
        "route": origin.route(),
        "source_ip": origin.source_ip().map(|ip| ip.to_string()),
        "caller": origin.caller(),
    }))
}

/// The body of a problem in a reply.
fn problem(reply: &Value) -> Value {
    let content_type = reply["headers"]["content-type"].as_str();
    let content_type = content_type.or(reply["multiValueHeaders"]["content-type"][0].as_str());
    assert_eq!(content_type, Some("application/problem+json"), "{reply}");
    serde_json::from_str(reply["body"].as_str().unwrap()).unwrap()
}
