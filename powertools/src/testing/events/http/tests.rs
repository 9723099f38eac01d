use super::*;

#[test]
fn version_1_keeps_every_value_beside_the_last() {
    let event =
        api_gateway_v1("GET", "/").header("X-A", "1").header("X-A", "2").query("q", "ä").build();
    assert_eq!(event["headers"]["X-A"], "2");
    assert_eq!(event["multiValueHeaders"]["X-A"], json!(["1", "2"]));
    assert_eq!(event["multiValueQueryStringParameters"], json!({ "q": ["ä"] }));
    assert_eq!(event["body"], Value::Null);
    assert_eq!(event["pathParameters"], Value::Null);
}

#[test]
fn version_2_joins_values_and_omits_absent_members() {
    let event = api_gateway_v2("GET", "/orders/7")
        .route("/orders/{id}")
        .path_parameter("id", "7")
        .header("X-A", "1")
        .header("x-a", "2")
        .query("q", "a b")
        .query("q", "ä")
        .build();
    assert_eq!(event["headers"]["x-a"], "1,2");
    assert_eq!(event["queryStringParameters"]["q"], "a b,ä");
    assert_eq!(event["rawQueryString"], "q=a%20b&q=%C3%A4");
    assert_eq!(event["routeKey"], "GET /orders/{id}");
    assert_eq!(event["pathParameters"]["id"], "7");
    assert!(event.get("body").is_none());
    assert!(event.get("cookies").is_none());
}

#[test]
fn bytes_arrive_in_base64() {
    let event = function_url("PUT", "/").bytes([0xff, 0x00]).build();
    assert_eq!(event["body"], "/wA=");
    assert_eq!(event["isBase64Encoded"], true);
    assert_eq!(event["requestContext"]["accountId"], "anonymous");
}

#[test]
fn a_load_balancer_sends_the_last_value_or_all_and_decodes_nothing() {
    let request = load_balancer("GET", "/orders")
        .header("X-A", "1")
        .header("x-a", "2")
        .query("q", "a&b")
        .query("q", "ä");
    let event = request.clone().build();
    assert_eq!(event["headers"]["x-a"], "2");
    assert_eq!(event["queryStringParameters"], json!({ "q": "%C3%A4" }));
    assert_eq!((&event["body"], event.get("multiValueHeaders")), (&json!(""), None));
    let event = request.multi_value_headers().build();
    assert_eq!(event["multiValueHeaders"]["x-a"], json!(["1", "2"]));
    assert_eq!(event["multiValueQueryStringParameters"], json!({ "q": ["a%26b", "%C3%A4"] }));
    assert_eq!(event.get("headers"), None);
}

#[test]
fn vpc_lattice_sends_lists_and_decodes_nothing() {
    let event = vpc_lattice("GET", "/orders").header("X-A", "1").query("q", "a b").build();
    assert_eq!(event["headers"]["x-a"], json!(["1"]));
    assert_eq!(event["queryStringParameters"], json!({ "q": ["a%20b"] }));
}

/// What a front end does not have would be missing in its event, and a test of it would test nothing.
#[test]
fn what_a_front_end_does_not_have_is_a_panic() {
    use std::panic::catch_unwind;

    let starts = [
        || api_gateway_v1("GET", "/"),
        || api_gateway_v2("GET", "/"),
        || function_url("GET", "/"),
        || load_balancer("GET", "/"),
        || vpc_lattice("GET", "/"),
        || vpc_lattice_v1("GET", "/"),
        || web_socket("$connect"),
    ];
    let having = |set: fn(HttpRequest) -> HttpRequest| {
        starts.map(|start| u8::from(catch_unwind(|| set(start())).is_ok()))
    };
    assert_eq!(having(HttpRequest::multi_value_headers), [0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(having(|request| request.connection_id("c")), [0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(having(|request| request.route("/{id}")), [1, 1, 0, 0, 0, 0, 1]);
    assert_eq!(having(|request| request.path_parameter("id", "7")), [1, 1, 0, 0, 0, 0, 0]);
    assert_eq!(having(|request| request.authorizer(7)), [1, 1, 1, 0, 0, 0, 1]);
}

#[test]
fn only_the_request_of_a_web_socket_has_headers_and_only_a_message_has_a_body() {
    let event = |route| {
        web_socket(route)
            .header("X-A", "1")
            .query("q", "ä")
            .bytes([0xff])
            .connection_id("c-1")
            .build()
    };
    for (route, event_type) in [
        ("$connect", "CONNECT"),
        ("$disconnect", "DISCONNECT"),
        ("$default", "MESSAGE"),
        ("send", "MESSAGE"),
    ] {
        let event = event(route);
        let context = &event["requestContext"];
        assert_eq!(
            (&context["eventType"], &context["routeKey"]),
            (&json!(event_type), &json!(route))
        );
        assert_eq!(context["connectionId"], "c-1");
        let (is_connect, is_message) = (event_type == "CONNECT", event_type == "MESSAGE");
        assert_eq!(event["headers"].get("X-A").is_some(), is_connect, "{route}");
        assert_eq!(event.get("headers").is_none(), is_message, "{route}");
        assert_eq!(event.get("queryStringParameters").is_some(), is_connect, "{route}");
        assert_eq!(event.get("body").is_some(), is_message, "{route}");
        assert_eq!(event["isBase64Encoded"], is_message, "{route}");
    }
    let event = event("$connect");
    assert_eq!(event["multiValueQueryStringParameters"], json!({ "q": ["ä"] }));
}
