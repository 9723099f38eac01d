//! Events as each front end sends them.

use serde_json::{Value, json};

/// A request to a REST API, which has every header and parameter twice: the last value and a list.
pub(super) fn rest(method: &str, path: &str) -> Value {
    json!({
        "resource": "/orders/{id}",
        "path": path,
        "httpMethod": method,
        "headers": { "Host": "a1.execute-api.eu-west-1.amazonaws.com", "X-A": "2", "X-Forwarded-Proto": "https" },
        "multiValueHeaders": {
            "Host": ["a1.execute-api.eu-west-1.amazonaws.com"], "X-A": ["1", "2"], "X-Forwarded-Proto": ["https"],
        },
        "queryStringParameters": { "q": "b c", "plus": "1+1" },
        "multiValueQueryStringParameters": { "q": ["a&b", "b c"], "plus": ["1+1"] },
        "pathParameters": { "id": "7" },
        "stageVariables": { "flag": "false", "table": "orders" },
        "requestContext": {
            "accountId": "123456789012", "apiId": "a1", "domainName": "a1.execute-api.eu-west-1.amazonaws.com",
            "domainPrefix": "a1", "extendedRequestId": "x=", "httpMethod": method,
            "identity": {
                "accessKey": null, "accountId": null, "apiKey": null, "apiKeyId": null, "caller": null,
                "cognitoIdentityId": null, "sourceIp": "192.0.2.1", "userAgent": "test/1.0", "userArn": null,
            },
            "path": format!("/prod{path}"), "protocol": "HTTP/1.1", "requestId": "r-1",
            "requestTime": "01/Jan/2026:00:00:00 +0000", "requestTimeEpoch": 1_767_225_600_000_u64,
            "resourceId": "r1", "resourcePath": "/orders/{id}", "stage": "prod",
        },
        "body": null,
        "isBase64Encoded": false,
    })
}

/// A request to an HTTP API with a stage of its own, which is part of the path.
pub(super) fn http_api(method: &str, path: &str, query: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "POST /orders/{id}",
        "rawPath": format!("/prod{path}"),
        "rawQueryString": query,
        "cookies": ["a=1", "b=2"],
        "headers": { "host": "a1.execute-api.eu-west-1.amazonaws.com", "x-a": "1,2", "x-forwarded-proto": "https" },
        "pathParameters": { "id": "7" },
        "requestContext": {
            "accountId": "123456789012", "apiId": "a1", "domainName": "a1.execute-api.eu-west-1.amazonaws.com",
            "domainPrefix": "a1",
            "http": {
                "method": method, "path": format!("/prod{path}"), "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1", "userAgent": "test/1.0",
            },
            "requestId": "r-1", "routeKey": "POST /orders/{id}", "stage": "prod",
            "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 1_767_225_600_000_u64,
        },
        "isBase64Encoded": false,
    })
}

/// A request to a function URL.
pub(super) fn function_url(method: &str, path: &str) -> Value {
    let mut event = http_api(method, path, "");
    event["rawPath"] = path.into();
    event["routeKey"] = "$default".into();
    event["requestContext"]["routeKey"] = "$default".into();
    event["requestContext"]["stage"] = "$default".into();
    event["requestContext"]["domainName"] = "u1.lambda-url.eu-west-1.on.aws".into();
    event["headers"]["host"] = "u1.lambda-url.eu-west-1.on.aws".into();
    event
}

/// A request through a load balancer, with or without lists of values.
pub(super) fn load_balancer(method: &str, path: &str, has_lists: bool) -> Value {
    let mut event = json!({
        "requestContext": { "elb": {
            "targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/orders/1",
        } },
        "httpMethod": method,
        "path": path,
        "body": "",
        "isBase64Encoded": false,
    });
    if has_lists {
        event["multiValueHeaders"] = json!({
            "host": ["orders.example"], "x-a": ["1", "2"],
            "x-forwarded-for": ["198.51.100.9, 192.0.2.1"], "x-forwarded-proto": ["http"],
        });
        event["multiValueQueryStringParameters"] = json!({ "q": ["a%26b", "c+d"] });
    } else {
        event["headers"] = json!({
            "host": "orders.example", "x-a": "2",
            "x-forwarded-for": "198.51.100.9, 192.0.2.1:4321", "x-forwarded-proto": "https",
        });
        event["queryStringParameters"] = json!({ "q": "c+d" });
    }
    event
}

/// A request through VPC Lattice, in version 1 of its events.
pub(super) fn lattice_1(method: &str, path: &str) -> Value {
    json!({
        "raw_path": path,
        "method": method,
        "headers": { "host": "orders.example", "x-a": "1, 2", "x-forwarded-for": "10.0.2.100" },
        "query_string_parameters": { "q": "a%26b" },
        "body": "{}",
        "is_base64_encoded": false,
    })
}

/// A request through VPC Lattice, in version 2 of its events.
pub(super) fn lattice_2(method: &str, path: &str) -> Value {
    json!({
        "version": "2.0",
        "path": path,
        "method": method,
        "headers": { "host": ["orders.example"], "x-a": ["1", "2"], "x-forwarded-for": ["10.0.2.100"] },
        "queryStringParameters": { "q": ["a%26b", "c"] },
        "body": null,
        "isBase64Encoded": false,
        "requestContext": {
            "serviceNetworkArn": "arn:aws:vpc-lattice:eu-west-1:123456789012:servicenetwork/sn-1",
            "serviceArn": "arn:aws:vpc-lattice:eu-west-1:123456789012:service/svc-1",
            "targetGroupArn": "arn:aws:vpc-lattice:eu-west-1:123456789012:targetgroup/tg-1",
            "identity": {
                "sourceVpcArn": "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1", "type": "AWS_IAM",
                "principal": "arn:aws:iam::123456789012:role/orders", "principalOrgID": "o-1",
            },
            "region": "eu-west-1",
            "timeEpoch": "1724875399456789",
        },
    })
}

/// A message or another event of a WebSocket API.
pub(super) fn web_socket(event_type: &str, route: &str) -> Value {
    let mut event = json!({
        "requestContext": {
            "routeKey": route, "eventType": event_type, "extendedRequestId": "x=",
            "requestTime": "01/Jan/2026:00:00:00 +0000", "messageDirection": "IN", "stage": "prod",
            "connectedAt": 1_767_225_600_000_u64, "requestTimeEpoch": 1_767_225_600_000_u64,
            "identity": { "sourceIp": "192.0.2.1" }, "requestId": "r-1",
            "domainName": "w1.execute-api.eu-west-1.amazonaws.com", "connectionId": "c-1", "apiId": "w1",
        },
        "isBase64Encoded": false,
    });
    if event_type == "CONNECT" {
        event["headers"] = json!({ "Host": "w1.execute-api.eu-west-1.amazonaws.com", "X-A": "2" });
        event["multiValueHeaders"] =
            json!({ "Host": ["w1.execute-api.eu-west-1.amazonaws.com"], "X-A": ["1", "2"] });
    } else {
        event["body"] = r#"{"action":"sendmessage"}"#.into();
    }
    event
}

/// One event of each front end.
pub(super) fn all(method: &str, path: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("RestApi", rest(method, path)),
        ("HttpApi", http_api(method, path, "")),
        ("FunctionUrl", function_url(method, path)),
        ("LoadBalancer", load_balancer(method, path, true)),
        ("LoadBalancer", load_balancer(method, path, false)),
        ("VpcLattice", lattice_1(method, path)),
        ("VpcLattice", lattice_2(method, path)),
        ("WebSocketApi", web_socket("MESSAGE", "sendmessage")),
    ]
}
