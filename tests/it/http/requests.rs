//! What a handler sees of the events of each front end.

use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use lambda_runtime::Error;
use powertools::Powertools;
use powertools::http::Request;
use powertools::testing::{Event, FakeRuntime};
use serde_json::{Value, json};

use super::{events, outcome, problem, reply, seen};

/// The headers of a request with this name.
fn values(seen: &Value, name: &str) -> Vec<String> {
    let prefix = format!("{name}: ");
    let headers = seen["headers"].as_array().unwrap().iter().map(|header| header.as_str().unwrap());
    headers.filter_map(|header| header.strip_prefix(&prefix)).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_front_end_is_recognised() {
    for (front_end, event) in events::all("POST", "/orders/7") {
        let seen = seen(event).await;
        assert_eq!(seen["front_end"], front_end);
        let path = if front_end == "WebSocketApi" { "/sendmessage" } else { "/orders/7" };
        assert_eq!((&seen["method"], &seen["path"]), (&json!("POST"), &json!(path)), "{front_end}");
    }
}

#[tokio::test]
async fn repeated_headers_keep_every_value_in_order() {
    for event in [
        events::rest("GET", "/"),
        events::load_balancer("GET", "/", true),
        events::lattice_2("GET", "/"),
        events::web_socket("CONNECT", "$connect"),
    ] {
        assert_eq!(values(&seen(event.clone()).await, "x-a"), ["1", "2"], "{event}");
    }
    // What joins them does so in order.
    for (event, joined) in
        [(events::http_api("GET", "/", ""), "1,2"), (events::lattice_1("GET", "/"), "1, 2")]
    {
        assert_eq!(values(&seen(event).await, "x-a"), [joined]);
    }
}

/// The router of Powertools for TypeScript 2.35.0 drops a value that is a part of another one's text.
#[tokio::test]
async fn a_value_that_is_a_part_of_another_one_is_kept() {
    for mut event in [events::rest("GET", "/"), events::load_balancer("GET", "/", true)] {
        for list in [&["1", "12"][..], &["12", "1"], &["en", "de", "en-GB"]] {
            event["multiValueHeaders"]["x-tag"] = json!(list);
            assert_eq!(values(&seen(event.clone()).await, "x-tag"), list);
        }
    }
}

#[tokio::test]
async fn a_header_that_only_one_of_the_maps_has_is_kept() {
    let mut event = events::rest("GET", "/");
    event["headers"]["x-only"] = "here".into();
    event["multiValueHeaders"]["x-other"] = json!(["there"]);
    // The maps differ in the case of a name.
    event["headers"].as_object_mut().unwrap().remove("X-A");
    event["headers"]["x-a"] = "2".into();
    let seen = seen(event).await;
    assert_eq!(values(&seen, "x-only"), ["here"]);
    assert_eq!(values(&seen, "x-other"), ["there"]);
    assert_eq!(values(&seen, "x-a"), ["1", "2"]);
}

#[tokio::test]
async fn the_host_is_known_with_lists_of_values_alone() {
    let mut event = events::rest("GET", "/orders/7");
    event.as_object_mut().unwrap().remove("headers");
    event["multiValueQueryStringParameters"] = Value::Null;
    event["queryStringParameters"] = Value::Null;
    let seen = seen(event).await;
    assert_eq!(seen["uri"], "https://a1.execute-api.eu-west-1.amazonaws.com/orders/7");
}

#[tokio::test]
async fn a_query_is_found_beside_empty_lists() {
    let mut event = events::rest("GET", "/orders");
    event["multiValueQueryStringParameters"] = json!({});
    event["queryStringParameters"] = json!({ "q": "1" });
    let uri = seen(event).await["uri"].clone();
    assert!(uri.as_str().unwrap().ends_with("/orders?q=1"), "{uri}");
}

#[tokio::test]
async fn the_query_is_as_the_client_sent_it() {
    let uri = |event| async { seen(event).await["uri"].as_str().unwrap().to_owned() };
    let query = "q=1&q=2&empty&a=b%26c+d&x=%C3%A4,1";
    let url = uri(events::http_api("GET", "/orders", query)).await;
    assert_eq!(url, format!("https://a1.execute-api.eu-west-1.amazonaws.com/orders?{query}"));

    // A load balancer and VPC Lattice do not decode, and `%26` stays a part of its value.
    let url = uri(events::load_balancer("GET", "/orders", true)).await;
    assert_eq!(url, "http://orders.example/orders?q=a%26b&q=c+d");
    let url = uri(events::lattice_2("GET", "/orders")).await;
    assert_eq!(url, "https://orders.example/orders?q=a%26b&q=c");
    let url = uri(events::lattice_1("GET", "/orders")).await;
    assert_eq!(url, "https://orders.example/orders?q=a%26b");
    let url = uri(events::lattice_1("GET", "/orders?q=1&q=2")).await;
    assert_eq!(url, "https://orders.example/orders?q=1&q=2");

    // A REST API does.
    let url = uri(events::rest("GET", "/orders")).await;
    let host = "https://a1.execute-api.eu-west-1.amazonaws.com";
    assert_eq!(url, format!("{host}/orders?plus=1%2B1&q=a%26b&q=b%20c"));
}

#[tokio::test]
async fn the_stage_is_not_a_part_of_the_path() {
    for (sent, path) in [("", "/"), ("/", "/"), ("/orders", "/orders"), ("/prod/x", "/prod/x")] {
        let http_api = seen(events::http_api("GET", sent, "")).await;
        assert_eq!((&http_api["path"], &http_api["stage"]), (&json!(path), &json!("prod")));
    }
    let mut event = events::http_api("GET", "", "");
    event["rawPath"] = "/production".into();
    assert_eq!(seen(event).await["path"], "/production");
    assert_eq!(seen(events::rest("GET", "/orders")).await["path"], "/orders");
    assert_eq!(seen(events::rest("GET", "/prod/a")).await["path"], "/prod/a");
    let mut event = events::rest("GET", "/prod/orders");
    event["version"] = "1.0".into();
    assert_eq!(seen(event).await["path"], "/orders", "an HTTP API with payload version 1.0");
    assert_eq!(seen(events::function_url("GET", "/prod/a")).await["stage"], Value::Null);
}

/// The events of a custom domain have the stage beside the path and the mapping in it, whatever its name.
#[tokio::test]
async fn the_mapping_of_a_custom_domain_stays_in_the_path() {
    let mut event = events::http_api("GET", "/orders", "");
    assert_eq!(event["rawPath"], "/prod/orders");
    event["requestContext"]["domainName"] = "api.shop.example".into();
    let seen_there = seen(event).await;
    assert_eq!(
        (&seen_there["path"], &seen_there["stage"]),
        (&json!("/prod/orders"), &json!("prod"))
    );
}

#[tokio::test]
async fn a_path_that_was_decoded_is_encoded_again() {
    for (sent, path) in [
        ("/a b", "/a%20b"),
        ("/ä", "/%C3%A4"),
        ("/a?b#c", "/a%3Fb%23c"),
        ("/{id}|[0]", "/%7Bid%7D%7C%5B0%5D"),
        ("/100%", "/100%"),
        ("/a%2Fb", "/a%2Fb"),
        ("//a", "//a"),
        ("", "/"),
    ] {
        assert_eq!(seen(events::function_url("GET", sent)).await["path"], path, "{sent}");
    }
}

/// What looks like an escape in it would be decoded once more.
#[tokio::test]
async fn a_percent_sign_in_a_decoded_path_is_one() {
    let sent = "/x/%41/100%/%2F";
    let path = seen(events::http_api("GET", sent, "")).await["path"].clone();
    assert_eq!(path, "/x/%2541/100%25/%252F");
    for (front_end, event) in events::all("GET", sent) {
        if !["HttpApi", "WebSocketApi"].contains(&front_end) {
            assert_eq!(seen(event).await["path"], sent, "{front_end}");
        }
    }
}

#[tokio::test]
async fn cookies_are_in_their_header() {
    assert_eq!(values(&seen(events::http_api("GET", "/", "")).await, "cookie"), ["a=1; b=2"]);
    // Two headers stay two: `serverless-express` 4.17 for Node.js joins them by a comma, so that they are one.
    let mut event = events::rest("GET", "/");
    event["headers"]["Cookie"] = "b=2".into();
    event["multiValueHeaders"]["Cookie"] = json!(["a=1", "b=2"]);
    assert_eq!(values(&seen(event).await, "cookie"), ["a=1", "b=2"]);
}

#[tokio::test]
async fn bodies_are_text_or_bytes_or_absent() {
    let mut event = events::http_api("POST", "/", "");
    assert_eq!(seen(event.clone()).await["body"], json!([]));
    event["body"] = "ä".into();
    let text = seen(event.clone()).await;
    assert_eq!((&text["body"], &text["is_text"]), (&json!([0xc3, 0xa4]), &json!(true)));
    event["body"] = "/wA=".into();
    event["isBase64Encoded"] = true.into();
    let bytes = seen(event).await;
    assert_eq!((&bytes["body"], &bytes["is_text"]), (&json!([0xff, 0]), &json!(false)));
    let mut event = events::lattice_1("POST", "/");
    event["body"] = "/wA=".into();
    event["is_base64_encoded"] = true.into();
    assert_eq!(seen(event).await["body"], json!([0xff, 0]));
}

#[tokio::test]
async fn events_of_a_web_socket_are_requests() {
    let connect = seen(events::web_socket("CONNECT", "$connect")).await;
    assert_eq!((&connect["method"], &connect["path"]), (&json!("GET"), &json!("/$connect")));
    let message = seen(events::web_socket("MESSAGE", "$default")).await;
    assert_eq!((&message["method"], &message["path"]), (&json!("POST"), &json!("/$default")));
    let gone = seen(events::web_socket("DISCONNECT", "$disconnect")).await;
    assert_eq!(gone["method"], "POST");
}

#[tokio::test]
async fn the_caller_is_whom_the_front_end_has_verified() {
    type Case = (Value, Option<&'static str>);
    let rest = |pointer: &str, value: Value| {
        let mut event = events::rest("GET", "/");
        event["requestContext"][pointer] = value;
        event
    };
    let http_api = |authorizer: Value| {
        let mut event = events::http_api("GET", "/", "");
        event["requestContext"]["authorizer"] = authorizer;
        event
    };
    let of_partner = |principal: &str| {
        let mut event = rest("identity", json!({ "apiKeyId": "k1" }));
        event["requestContext"]["authorizer"] =
            json!({ "principalId": principal, "claims": "{}", "jwt": "x", "iam": true });
        event
    };
    let cases: Vec<Case> = vec![
        (events::rest("GET", "/"), None),
        (rest("authorizer", json!({ "principalId": "ada", "n": 1 })), Some("principal:ada")),
        (rest("authorizer", json!({ "principalId": "" })), None),
        // The function of an authorizer chooses the names of what it adds.
        (of_partner("ada"), Some("principal:ada")),
        (of_partner("bob"), Some("principal:bob")),
        (
            rest("authorizer", json!({ "claims": { "iss": "https://i", "sub": "s" } })),
            Some("jwt:https://i#s"),
        ),
        (
            rest("identity", json!({ "userArn": "arn:aws:iam::1:user/a" })),
            Some("iam:arn:aws:iam::1:user/a"),
        ),
        (rest("identity", json!({ "apiKey": "secret", "apiKeyId": "k1" })), Some("api-key:k1")),
        (
            rest("identity", json!({ "apiKey": "secret" })),
            Some("api-key-sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"),
        ),
        (
            rest(
                "identity",
                json!({ "userArn": "arn", "cognitoIdentityId": "eu:1", "apiKeyId": "k1" }),
            ),
            Some("cognito:eu:1"),
        ),
        (http_api(json!({ "jwt": { "claims": { "iss": "i", "sub": "s" } } })), Some("jwt:i#s")),
        (
            http_api(json!({ "iam": { "userArn": "arn:aws:iam::1:role/r" } })),
            Some("iam:arn:aws:iam::1:role/r"),
        ),
        // Many identities of a Cognito identity pool have one role.
        (
            http_api(json!({ "iam": {
                "userArn": "arn:aws:iam::1:role/r", "cognitoIdentity": { "identityId": "eu:1" },
            } })),
            Some("cognito:eu:1"),
        ),
        // What a Lambda authorizer returns has no principal there.
        (http_api(json!({ "lambda": { "sub": "s" } })), None),
        (http_api(json!("odd")), None),
        (events::lattice_2("GET", "/"), Some("iam:arn:aws:iam::123456789012:role/orders")),
        (events::load_balancer("GET", "/", true), None),
    ];
    for (event, caller) in cases {
        assert_eq!(seen(event.clone()).await["caller"], json!(caller), "{event}");
    }
}

#[tokio::test]
async fn an_authorizer_knows_the_caller_better_than_an_api_key() {
    let mut event = events::rest("GET", "/");
    event["requestContext"]["authorizer"] = json!({ "principalId": "ada" });
    event["requestContext"]["identity"]["apiKeyId"] = "k1".into();
    assert_eq!(seen(event).await["caller"], "principal:ada");
}

#[tokio::test]
async fn the_route_is_that_of_the_api() {
    for (event, route) in [
        (events::rest("GET", "/orders/7"), json!("/orders/{id}")),
        (events::http_api("POST", "/orders/7", ""), json!("POST /orders/{id}")),
        (events::web_socket("MESSAGE", "sendmessage"), json!("sendmessage")),
        (events::load_balancer("GET", "/", true), Value::Null),
    ] {
        assert_eq!(seen(event).await["route"], route);
    }
}

/// The header of the event is that of the client, and the invocation has the one that Lambda sampled.
#[tokio::test]
async fn the_header_of_the_trace_is_that_of_the_invocation() {
    let mut event = events::function_url("GET", "/");
    event["headers"]["x-amzn-trace-id"] = "Root=1-client".into();
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(super::describe).run());
    let header = async |event| {
        let reply: Value = lambda.invoke(event).await.json();
        let seen: Value = serde_json::from_str(reply["body"].as_str().unwrap()).unwrap();
        values(&seen, "x-amzn-trace-id")
    };
    let traced = Event::new(event.clone()).trace_id("Root=1-lambda;Sampled=1");
    assert_eq!(header(traced).await, ["Root=1-lambda;Sampled=1"]);
    assert_eq!(header(Event::new(event).without_trace_id()).await, ["Root=1-client"]);
}

#[tokio::test]
async fn the_source_address_is_that_of_the_connection() {
    for (front_end, event) in events::all("GET", "/") {
        let address = if front_end == "VpcLattice" { "10.0.2.100" } else { "192.0.2.1" };
        assert_eq!(seen(event.clone()).await["source_ip"], address, "{event}");
    }
}

#[tokio::test]
async fn a_handler_reads_what_lambda_http_knows() {
    async fn handle(request: Request) -> Result<Value, Error> {
        let Some(RequestContext::ApiGatewayV1(context)) = request.request_context_ref() else {
            return Err("no context".into());
        };
        Ok(json!({
            "id": request.path_parameters().first("id"),
            "q": request.query_string_parameters().all("q"),
            "flag": request.stage_variables().first("flag"),
            "stage": context.stage,
            "raw": request.raw_http_path(),
            "lambda": request.lambda_context().request_id.is_empty(),
        }))
    }
    let reply = reply(handle, events::rest("GET", "/orders/7")).await;
    let body: Value = serde_json::from_str(reply["body"].as_str().unwrap()).unwrap();
    let expected = json!({
        "id": "7", "q": ["a&b", "b c"], "flag": "false", "stage": "prod", "raw": "/orders/7", "lambda": false,
    });
    assert_eq!(body, expected);
    // A literal is as good as its text.
    let mut event = events::rest("GET", "/orders/7");
    event["stageVariables"]["flag"] = false.into();
    let reply = self::reply(handle, event).await;
    let body: Value = serde_json::from_str(reply["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["flag"], "false");
}

#[tokio::test]
async fn a_request_that_http_cannot_express_is_answered_with_400() {
    let mut cases = Vec::new();
    for (member, value) in [
        ("headers", json!({ "a b": "1" })),
        ("headers", json!({ "a": "line\nbreak" })),
        ("headers", json!({ "": "1" })),
        ("body", json!("not base64!")),
    ] {
        let mut event = events::http_api("POST", "/", "");
        event[member] = value;
        event["isBase64Encoded"] = true.into();
        cases.push(event);
    }
    let mut method = events::http_api("POST", "/", "");
    method["requestContext"]["http"]["method"] = "NO METHOD".into();
    cases.push(method);
    for event in cases {
        let reply = reply(super::describe, event.clone()).await;
        assert_eq!(reply["statusCode"], 400, "{event}");
        problem(&reply);
    }
}

#[tokio::test]
async fn an_event_that_is_not_a_request_is_reported() {
    for event in [json!({ "Records": [] }), json!([1]), json!("text"), json!({ "path": "/" })] {
        let outcome = outcome(super::describe, event.clone()).await;
        assert_eq!(outcome.error_type(), Some("Powertools.EventInvalid"), "{event}");
    }
}

#[tokio::test]
async fn what_the_front_end_knows_can_be_logged() {
    let handle = |request: Request| async move {
        let origin = request.extensions().get::<powertools::http::Origin>().unwrap();
        Ok::<_, Error>(format!("{origin:?}"))
    };
    let mut event = events::rest("GET", "/");
    event["requestContext"]["identity"] = json!({ "apiKey": "s3cr3t" });
    let reply = reply(handle, event).await;
    let shown = reply["body"].as_str().unwrap();
    assert!(shown.contains("api-key-sha256:") && !shown.contains("s3cr3t"), "{shown}");
}
