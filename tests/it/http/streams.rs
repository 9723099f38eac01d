//! Streamed responses.

use std::time::Duration;

use axum::body::Body;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures_util::stream;
use http::Response;
use lambda_runtime::Error;
use powertools::Powertools;
use powertools::http::{Problem, Request, StatusCode};
use powertools::testing::{Event, FakeRuntime, Outcome};

use super::events;
use crate::logging::{logging, start};

async fn streamed<F, Fut>(handler: F) -> Outcome
where
    F: Fn(Request) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<Response<Body>, Error>> + Send + 'static,
{
    let lambda = FakeRuntime::new();
    let function = Powertools::http(handler).streaming().logging(logging());
    let _function = lambda.run(function.run());
    let event = Event::new(events::function_url("GET", "/")).request_id("r-1");
    lambda.invoke(event.timeout(Duration::from_millis(1500))).await
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
        let (lines, _guard) = start(logging());
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
        let (_, told) = content.split_once("Lambda-Runtime-Function-Error-Body: ").unwrap();
        let told = String::from_utf8(BASE64_STANDARD.decode(told.trim()).unwrap()).unwrap();
        assert_eq!(told, "the response was truncated: the log lines of request r-1 say why");
        lines.json()
    };
    use futures_util::StreamExt;
    let failed = truncated(|| stream::iter([Err::<Bytes, Error>("secret".into())]).boxed()).await;
    let panicked = truncated(|| stream::poll_fn(|_| panic!("secret")).boxed()).await;
    let stopped = truncated(|| stream::pending().boxed()).await;
    for (lines, reason) in [(failed, "secret"), (panicked, "secret"), (stopped, "the deadline")] {
        assert!(lines.iter().any(|line| line.to_string().contains(reason)), "{lines:#?}");
        assert!(lines.iter().all(|line| line["function_request_id"] == "r-1"), "{lines:#?}");
    }
}

/// The runtime would write an empty list for it.
#[tokio::test]
async fn a_header_value_beyond_ascii_is_percent_encoded_in_a_streamed_response() {
    let outcome = streamed(|_| async {
        let mut response = Response::new(Body::empty());
        for (name, value) in [
            ("x-latin", &b"Jos\xe9"[..]),
            ("x-utf-8", "José 100%".as_bytes()),
            ("x-plain", b"a\tb %C3"),
        ] {
            response.headers_mut().append(name, http::HeaderValue::from_bytes(value)?);
        }
        response.headers_mut().append("x-latin", "2".parse()?);
        response.headers_mut().append("set-cookie", http::HeaderValue::from_bytes(b"a=\xe9")?);
        Ok(response)
    })
    .await;
    let prelude = outcome.response().unwrap().prelude().unwrap();
    let headers = &prelude["headers"];
    assert_eq!(headers["x-latin"], "Jos%C3%A9, 2");
    assert_eq!(headers["x-utf-8"], "Jos%C3%A9 100%");
    assert_eq!(headers["x-plain"], "a\tb %C3");
    // Cookies are text, and not headers.
    assert_eq!(prelude["cookies"], serde_json::json!(["a=é"]));
}
