//! Streamed responses.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::Response;
use lambda_runtime::Error;
use powertools::Powertools;
use powertools::http::{Problem, Request, StatusCode};
use powertools::testing::{Event, FakeRuntime, Outcome};

use super::events;

async fn streamed<F, Fut>(handler: F) -> Outcome
where
    F: Fn(Request) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<Response<Body>, Error>> + Send + 'static,
{
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(handler).streaming().run());
    let event = Event::new(events::function_url("GET", "/")).timeout(Duration::from_millis(1500));
    lambda.invoke(event).await
}

#[tokio::test]
async fn a_response_is_streamed_with_its_headers_and_cookies() {
    let outcome = streamed(|_| async {
        let pieces = (0..3).map(|number| Ok::<_, Error>(Bytes::from(format!("{number},"))));
        let response = Response::builder()
            .status(201)
            .header("x-b", "1")
            .header("x-b", "2")
            .header("set-cookie", "a=1")
            .header("set-cookie", "b=2");
        Ok(response.body(Body::from_stream(stream::iter(pieces)))?)
    })
    .await;
    let response = outcome.response().unwrap();
    assert!(response.is_streamed());
    let prelude = response.prelude().unwrap();
    assert_eq!(prelude["statusCode"], 201);
    assert_eq!(prelude["headers"]["x-b"], "1, 2");
    assert_eq!(prelude["cookies"], serde_json::json!(["a=1", "b=2"]));
    assert_eq!(response.content(), "0,1,2,");
}

#[tokio::test]
async fn failures_before_the_body_are_streamed_problems() {
    type Fails = fn() -> Result<Response<Body>, Error>;
    let cases: [(Fails, u16); 3] = [
        (|| Err("secret".into()), 500),
        (|| panic!("secret"), 500),
        (|| Err(Problem::new(StatusCode::CONFLICT).into()), 409),
    ];
    for (make, status) in cases {
        let outcome = streamed(move |_| async move { make() }).await;
        let response = outcome.response().unwrap();
        assert!(response.is_streamed());
        let prelude = response.prelude().unwrap();
        assert_eq!(prelude["statusCode"], status);
        assert_eq!(prelude["headers"]["content-type"], "application/problem+json");
        let problem: serde_json::Value = serde_json::from_slice(&response.content()).unwrap();
        assert_eq!(problem["status"], status);
    }
    let outcome = streamed(|_| std::future::pending()).await;
    assert_eq!(outcome.response().unwrap().prelude().unwrap()["statusCode"], 503);
}

#[tokio::test]
async fn a_body_that_fails_panics_or_hangs_is_truncated_with_a_mark() {
    let truncated = async |rest: fn() -> stream::BoxStream<'static, Result<Bytes, Error>>| {
        let outcome = streamed(move |_| async move {
            use futures_util::StreamExt;
            let first = stream::iter([Ok::<_, Error>(Bytes::from("begun "))]);
            Ok(Response::new(Body::from_stream(first.chain(rest()))))
        })
        .await;
        let content = outcome.response().unwrap().content();
        assert!(content.starts_with(b"begun "), "{content:?}");
        let content = String::from_utf8_lossy(&content).into_owned();
        assert!(content.contains("Lambda-Runtime-Function-Error-Type"), "{content}");
    };
    use futures_util::StreamExt;
    truncated(|| stream::iter([Err::<Bytes, Error>("secret".into())]).boxed()).await;
    truncated(|| stream::poll_fn(|_| panic!("secret")).boxed()).await;
    truncated(|| stream::pending().boxed()).await;
}
