use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::served;

/// The argument that makes this program the Runtime API.
pub(crate) const SERVE: &str = "--serve";

/// How long the next event takes to arrive. One that is there at once sometimes has arrived before the function goes
/// to sleep, and then the side that works longer saves the price of being woken.
const PAUSE: Duration = Duration::from_micros(300);

/// Sends the same event again and again, and checks each reply, until the input ends.
pub(crate) fn serve(event: &str) {
    let event = if event == "rest" { rest_api() } else { http_api() };
    let event: &'static [u8] = event.to_string().into_bytes().leak();
    served::serve(move |connection| answer(connection, event));
}

fn answer(connection: &TcpStream, event: &[u8]) -> Option<()> {
    connection.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(connection);
    for number in 0_u64.. {
        let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
        reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
        let mut is_chunked = false;
        while reader.read_line(&mut line).ok()? > 2 {
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            is_chunked |= lower.starts_with("transfer-encoding:");
            line.clear();
        }
        assert!(!is_chunked, "a reply has its length");
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let mut writer = connection;
        if first.starts_with("GET") {
            thread::sleep(PAUSE);
            let time =
                powertools::Clock::system().now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
            let deadline = time.as_millis() + 30_000;
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                 lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-{number:012}\r\n\
                 lambda-runtime-deadline-ms: {deadline}\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:123456789012:function:orders\r\n\
                 lambda-runtime-trace-id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n\
                 content-length: {}\r\n\r\n",
                event.len()
            );
            writer.write_all(&[head.as_bytes(), event].concat()).ok()?;
        } else {
            let reply: Value = serde_json::from_slice(&body).expect("a reply is JSON");
            let receipt = r#"{"order":7,"customer":"ada","skus":["mug","cup","pot"],"cents":5350}"#;
            assert_eq!((&reply["statusCode"], &reply["body"]), (&json!(201), &json!(receipt)));
            writer.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").ok()?;
        }
    }
    None
}

const BODY: &str = r#"{"customer":"ada","items":[{"sku":"mug","amount":1,"cents":850},{"sku":"cup","amount":2,"cents":1000},{"sku":"pot","amount":1,"cents":2500}]}"#;

const HEADERS: [(&str, &str); 14] = [
    ("Accept", "application/json"),
    ("Accept-Encoding", "gzip, deflate, br"),
    ("Accept-Language", "en-GB,en;q=0.9,de;q=0.8"),
    (
        "Authorization",
        "Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEiLCJpc3MiOiJpIn0.c2ln",
    ),
    ("Cache-Control", "no-cache"),
    ("Content-Type", "application/json"),
    ("Host", "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"),
    ("Origin", "https://shop.example"),
    ("Referer", "https://shop.example/checkout"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("X-Amzn-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700"),
    ("X-Forwarded-For", "192.0.2.1"),
    ("X-Forwarded-Port", "443"),
    ("X-Forwarded-Proto", "https"),
];

/// A request to an HTTP API.
fn http_api() -> Value {
    let headers = HEADERS.map(|(name, value)| (name.to_ascii_lowercase(), json!(value)));
    let mut headers: serde_json::Map<_, _> = headers.into_iter().collect();
    headers.insert("content-length".into(), BODY.len().to_string().into());
    json!({
        "version": "2.0", "routeKey": "POST /orders/{id}", "rawPath": "/prod/orders/7", "rawQueryString": "source=web",
        "cookies": ["session=8f5c2b7e", "theme=dark"], "headers": headers,
        "queryStringParameters": { "source": "web" }, "pathParameters": { "id": "7" },
        "requestContext": {
            "accountId": "123456789012", "apiId": "a1b2c3d4e5",
            "authorizer": { "jwt": { "claims": { "iss": "https://id.example", "sub": "ada" }, "scopes": ["orders"] } },
            "domainName": "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com", "domainPrefix": "a1b2c3d4e5",
            "http": {
                "method": "POST", "path": "/prod/orders/7", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            },
            "requestId": "JKJaXmPLvHcESHA=", "routeKey": "POST /orders/{id}", "stage": "prod",
            "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 1_767_225_600_000_u64,
        },
        "stageVariables": { "table": "orders" }, "body": BODY, "isBase64Encoded": false,
    })
}

/// The same request to a REST API.
fn rest_api() -> Value {
    let single: serde_json::Map<_, _> =
        HEADERS.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let lists: serde_json::Map<_, _> =
        HEADERS.iter().map(|(name, value)| ((*name).to_owned(), json!([value]))).collect();
    json!({
        "resource": "/orders/{id}", "path": "/orders/7", "httpMethod": "POST",
        "headers": single, "multiValueHeaders": lists,
        "queryStringParameters": { "source": "web" }, "multiValueQueryStringParameters": { "source": ["web"] },
        "pathParameters": { "id": "7" }, "stageVariables": { "table": "orders" },
        "requestContext": {
            "accountId": "123456789012", "apiId": "a1b2c3d4e5", "authorizer": { "principalId": "ada" },
            "domainName": "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com", "domainPrefix": "a1b2c3d4e5",
            "extendedRequestId": "JKJaXmPLvHcESHA=", "httpMethod": "POST",
            "identity": {
                "accessKey": null, "accountId": null, "caller": null, "cognitoAuthenticationProvider": null,
                "cognitoAuthenticationType": null, "cognitoIdentityId": null, "cognitoIdentityPoolId": null,
                "principalOrgId": null, "sourceIp": "192.0.2.1", "user": null,
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "userArn": null,
            },
            "path": "/prod/orders/7", "protocol": "HTTP/1.1", "requestId": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "requestTime": "01/Jan/2026:00:00:00 +0000", "requestTimeEpoch": 1_767_225_600_000_u64,
            "resourceId": "r1", "resourcePath": "/orders/{id}", "stage": "prod",
        },
        "body": BODY, "isBase64Encoded": false,
    })
}
