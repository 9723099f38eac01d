//! Webhooks through the whole stack.

use std::time::Duration;

use lambda_runtime::Error;
use powertools::Powertools;
use powertools::http::{HeaderName, Request, Webhook};
use powertools::testing::{FakeRuntime, events as builders};
use serde_json::{Value, json};

use super::{events, problem};

#[tokio::test]
async fn only_signed_requests_reach_the_handler() {
    let github = Webhook::github("It's a Secret to Everybody").unwrap();
    let handle = move |request: Request| {
        let verified = github.verify(&request);
        async move {
            verified?;
            Ok::<_, Error>("received")
        }
    };
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(handle).run());
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    for (signature, body, status) in [
        (Some(signature), "Hello, World!", 200),
        (Some(signature), "Hello, World", 403),
        (None, "Hello, World!", 403),
        (Some("sha1=757107ea"), "Hello, World!", 400),
        (Some("sha256=zz"), "Hello, World!", 400),
    ] {
        let mut event = events::function_url("POST", "/");
        event["body"] = body.into();
        if let Some(signature) = signature {
            event["headers"]["x-hub-signature-256"] = signature.into();
        }
        let reply: Value = lambda.invoke(event).await.json();
        assert_eq!(reply["statusCode"], json!(status), "{signature:?}");
        if status != 200 {
            problem(&reply);
        }
    }
}

#[tokio::test]
async fn a_test_signs_requests_as_their_senders_do() {
    let name = HeaderName::from_static;
    let general = || Webhook::hmac_sha256(name("x-signature"), "secret").unwrap();
    for webhook in [
        // A secret in a file.
        Webhook::stripe("whsec_1\r\n").unwrap(),
        Webhook::github("secret\n").unwrap(),
        general().base64().prefix("v0="),
        general().timestamp(name("x-time")),
    ] {
        let verify = webhook.clone();
        let handle = move |request: Request| {
            let verified = verify.verify(&request);
            async move { Ok::<_, Error>(verified?) }
        };
        let lambda = FakeRuntime::new();
        let _function = lambda.run(Powertools::http(handle).run());
        let hook = || builders::api_gateway_v1("POST", "/hook");
        for (event, status) in [
            (hook().json(json!({ "id": "é" })).signed_by(&webhook), 204),
            (hook().bytes(b"\xff").signed_by(&webhook), 204),
            (hook().signed_by(&webhook), 204),
            (hook().text("a").signed_by(&webhook).text("b"), 403),
        ] {
            let reply: Value = lambda.invoke(event.build()).await.json();
            assert_eq!(reply["statusCode"], status, "{reply}");
        }
    }
    // The line break is no part of it for the sender either.
    let (file, plain) = (Webhook::github("secret\n").unwrap(), Webhook::github("secret").unwrap());
    let signed = |webhook| builders::function_url("POST", "/").text("a").signed_by(webhook).build();
    let header = |event: Value| event["headers"]["x-hub-signature-256"].clone();
    assert_eq!(header(signed(&file)), header(signed(&plain)));
}

/// Sends a request with these headers, and returns the status of the reply.
async fn status(webhook: Webhook, headers: &[(&str, &str)], body: &str) -> Value {
    let handle = move |request: Request| {
        let verified = webhook.verify(&request);
        async move {
            verified?;
            Ok::<_, Error>("received")
        }
    };
    let mut event = events::rest("POST", "/");
    event["body"] = body.into();
    for (name, value) in headers {
        event["multiValueHeaders"][*name] = json!([value]);
    }
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(handle).run());
    let reply: Value = lambda.invoke(event).await.json();
    if reply["statusCode"] != 200 {
        let problem = problem(&reply);
        assert_eq!(problem["status"], reply["statusCode"]);
    }
    reply["statusCode"].clone()
}

const BODY: &str = r#"{"id":"evt_1"}"#;

#[tokio::test]
async fn stripe_signs_the_time_and_the_body() {
    let ages = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    let stripe = || Webhook::stripe("whsec_1").unwrap();
    let value = "t=1700000000,v1=86d9cb9088d7cce050b0134e2d515d0fc05e8c00073612d3451480c6291f4dcd";
    for (webhook, header, body, expected) in [
        (stripe().tolerance(ages), value, BODY, 200),
        (stripe().tolerance(ages), value, r#"{"id":"evt_2"}"#, 403),
        (stripe().tolerance(ages), &value.replace("1700000000", "1700000001"), BODY, 403),
        (stripe().tolerance(ages), "v1=00", BODY, 400),
        // It is years old.
        (stripe(), value, BODY, 403),
        (Webhook::stripe("whsec_2").unwrap().tolerance(ages), value, BODY, 403),
    ] {
        let headers = [("Stripe-Signature", header)];
        assert_eq!(status(webhook, &headers, body).await, json!(expected), "{header} {body}");
    }
    assert_eq!(status(stripe(), &[], BODY).await, 403);
}

#[tokio::test]
async fn another_provider_is_described_by_its_headers() {
    let ages = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    let webhook = || {
        let webhook = Webhook::hmac_sha256(HeaderName::from_static("x-signature"), "s3").unwrap();
        webhook.base64().prefix("v1,").timestamp(HeaderName::from_static("x-time"))
    };
    let signature = ("X-Signature", "v1,UT8sX8LS4bGplCgiHOFoM32CiMO1W8MAgFvpUVUtMvQ=");
    let (time, later) = (("X-Time", "1700000000"), ("X-Time", "1700000001"));
    let lenient = || webhook().tolerance(ages);
    assert_eq!(status(lenient(), &[signature, time], BODY).await, 200);
    assert_eq!(status(lenient(), &[signature, later], BODY).await, 403);
    assert_eq!(status(lenient(), &[signature], BODY).await, 403);
    assert_eq!(status(lenient(), &[("X-Signature", "v1,?"), time], BODY).await, 400);
    assert_eq!(status(webhook(), &[signature, time], BODY).await, 403);
}
