//! The form in which each front end reads a response.

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::stream;
use http::Response;
use lambda_runtime::Error;
use powertools::http::{Body, IntoResponse, Json, Request, StatusCode};
use serde_json::{Value, json};

use super::{events, problem, reply};

/// Two values of one header, two cookies, in this order.
async fn answer(_: Request) -> Result<Response<Body>, Error> {
    let response = Response::builder()
        .status(201)
        .header("x-b", "1")
        .header("set-cookie", "a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT")
        .header("x-b", "2")
        .header("set-cookie", "b=2")
        .header("content-type", "application/json");
    Ok(response.body(Body::from("{}"))?)
}

#[tokio::test]
async fn repeated_headers_and_cookies_are_kept_in_order() {
    let cookie = "a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT";
    for event in [events::rest("GET", "/"), events::load_balancer("GET", "/", true)] {
        let reply = reply(answer, event).await;
        assert_eq!(reply["multiValueHeaders"]["x-b"], json!(["1", "2"]));
        assert_eq!(reply["multiValueHeaders"]["set-cookie"], json!([cookie, "b=2"]));
        assert!(reply.get("headers").is_none() && reply.get("cookies").is_none());
    }
    for event in [events::http_api("GET", "/", ""), events::function_url("GET", "/")] {
        let reply = reply(answer, event).await;
        assert_eq!(reply["headers"]["x-b"], "1, 2");
        assert_eq!(reply["cookies"], json!([cookie, "b=2"]));
        assert!(reply["headers"].get("set-cookie").is_none());
        assert!(reply.get("multiValueHeaders").is_none());
    }
    for event in [
        events::load_balancer("GET", "/", false),
        events::lattice_1("GET", "/"),
        events::lattice_2("GET", "/"),
        events::web_socket("CONNECT", "$connect"),
    ] {
        let reply = reply(answer, event).await;
        assert_eq!(reply["headers"]["x-b"], "1, 2");
        assert_eq!(reply["headers"]["set-cookie"], cookie);
        assert_eq!(reply["headers"]["Set-cookie"], "b=2");
    }
}

/// `cargo lambda watch` reads replies with the type of `aws_lambda_events`, which has a list of cookies.
#[tokio::test]
async fn a_reply_without_cookies_has_an_empty_list_where_it_is_read() {
    use aws_lambda_events::apigw::ApiGatewayV2httpResponse;

    let handle = |_: Request| async { Ok::<_, Error>("done") };
    for event in [events::http_api("GET", "/", ""), events::function_url("GET", "/")] {
        let reply = reply(handle, event).await;
        assert_eq!(reply["cookies"], json!([]));
        let read: ApiGatewayV2httpResponse = serde_json::from_value(reply).unwrap();
        assert_eq!((read.status_code, read.cookies.len()), (200, 0));
    }
}

#[tokio::test]
async fn every_reply_has_its_status_and_its_body() {
    for (front_end, event) in events::all("POST", "/") {
        let reply = reply(answer, event).await;
        assert_eq!((&reply["statusCode"], &reply["body"]), (&json!(201), &json!("{}")));
        assert_eq!(reply["isBase64Encoded"], false);
        let described = matches!(front_end, "LoadBalancer" | "VpcLattice");
        let description = if described { json!("201 Created") } else { Value::Null };
        assert_eq!(reply["statusDescription"], description, "{front_end}");
    }
}

#[tokio::test]
async fn bytes_are_base64_by_content_type_encoding_and_content() {
    let body = |content_type: Option<&'static str>,
                encoding: Option<&'static str>,
                body: &'static [u8]| {
        let handle = move |_: Request| async move {
            let mut response = Response::new(Body::from(body.to_vec()));
            let headers = [("content-type", content_type), ("content-encoding", encoding)];
            for (name, value) in headers {
                if let Some(value) = value {
                    response.headers_mut().insert(name, value.parse()?);
                }
            }
            Ok::<_, Error>(response)
        };
        async move {
            let reply = reply(handle, events::http_api("GET", "/", "")).await;
            (reply["body"].as_str().unwrap().to_owned(), reply["isBase64Encoded"] == true)
        }
    };
    let text = |text: &str| (text.to_owned(), false);
    let base64 = |text: &str| (text.to_owned(), true);
    assert_eq!(body(Some("text/plain"), None, "grün".as_bytes()).await, text("grün"));
    assert_eq!(body(None, None, b"plain").await, text("plain"));
    assert_eq!(body(None, None, b"").await, text(""));
    assert_eq!(body(Some("image/png"), None, b"plain").await, base64("cGxhaW4="));
    assert_eq!(body(Some("text/plain"), Some("gzip"), b"plain").await, base64("cGxhaW4="));
    // It is declared as text, and is none.
    assert_eq!(body(Some("text/plain"), None, b"\xff").await, base64("/w=="));
    assert_eq!(body(None, None, b"\xff").await, base64("/w=="));
}

#[tokio::test]
async fn handlers_return_what_becomes_a_response() {
    async fn body<R: IntoResponse + Send + 'static>(make: fn() -> R) -> (Value, Value, Value) {
        let handle = move |_: Request| async move { Ok::<_, Error>(make()) };
        let reply = reply(handle, events::http_api("GET", "/", "")).await;
        (
            reply["statusCode"].clone(),
            reply["headers"]["content-type"].clone(),
            reply["body"].clone(),
        )
    }
    let plain = json!("text/plain; charset=utf-8");
    let (ok, none) = (json!(200), Value::Null);
    assert_eq!(body(|| "a").await, (ok.clone(), plain.clone(), json!("a")));
    assert_eq!(body(|| "a".to_owned()).await, (ok.clone(), plain, json!("a")));
    assert_eq!(body(|| json!([1])).await, (ok.clone(), json!("application/json"), json!("[1]")));
    assert_eq!(body(|| Json([1])).await, (ok, json!("application/json"), json!("[1]")));
    assert_eq!(body(|| ()).await, (json!(204), none.clone(), json!("")));
    assert_eq!(body(|| StatusCode::NOT_FOUND).await, (json!(404), none, json!("")));
    let created = body(|| (StatusCode::CREATED, Json([1]))).await;
    assert_eq!(created, (json!(201), json!("application/json"), json!("[1]")));
}

#[tokio::test]
async fn a_value_that_cannot_be_written_as_json_is_a_failure() {
    let handle = |_: Request| async { Ok::<_, Error>(Json(HashMap::from([((1, 2), 3)]))) };
    let reply = reply(handle, events::http_api("GET", "/", "")).await;
    assert_eq!(reply["statusCode"], 500);
    assert_eq!(problem(&reply).get("detail"), None);
}

#[tokio::test]
async fn a_body_that_breaks_off_before_it_is_sent_is_a_failure() {
    let handle = |_: Request| async {
        let pieces = [Ok(Bytes::from("begun")), Err(Error::from("secret"))];
        Ok::<_, Error>(Response::new(axum::body::Body::from_stream(stream::iter(pieces))))
    };
    let reply = reply(handle, events::http_api("GET", "/", "")).await;
    assert_eq!(reply["statusCode"], 500);
    assert!(!problem(&reply).to_string().contains("secret"));
}

#[tokio::test]
async fn a_header_value_that_is_not_utf_8_is_latin_1() {
    let handle = |_: Request| async {
        let mut response = Response::new(Body::Empty);
        response.headers_mut().insert("x-name", http::HeaderValue::from_bytes(b"Jos\xe9")?);
        Ok::<_, Error>(response)
    };
    let reply = reply(handle, events::http_api("GET", "/", "")).await;
    assert_eq!(reply["headers"]["x-name"], "José");
}
