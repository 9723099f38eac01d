//! The variables that name a proxy, and the hosts that need none.

use std::sync::{Arc, Mutex};

use powertools::aws::{self, Roots};
use powertools::logging::Logging;
use powertools::testing::FakeRuntime;
use powertools_tests::alone;
use serde_json::json;
use tokio::process::Command;
use tracing_subscriber::layer::SubscriberExt;

use super::endpoint::Endpoint;

#[tokio::test]
async fn https_requests_take_the_tunnel_of_https_proxy() {
    let proxy = Endpoint::answering().await;
    call("https://dynamodb.test", &[("HTTPS_PROXY", proxy.url())]).await;
    assert_eq!(first_lines(&proxy), ["CONNECT dynamodb.test:443 HTTP/1.1"]);
}

#[tokio::test]
async fn http_requests_are_sent_to_http_proxy() {
    let proxy = Endpoint::answering().await;
    call("http://dynamodb.test", &[("HTTP_PROXY", proxy.url())]).await;
    assert_eq!(first_lines(&proxy), ["POST http://dynamodb.test/ HTTP/1.1"]);
}

#[tokio::test]
async fn a_proxy_in_lower_case_counts_and_all_proxy_is_for_both_schemes() {
    let proxy = Endpoint::answering().await;
    call("https://dynamodb.test", &[("https_proxy", proxy.url())]).await;
    call("https://dynamodb.test", &[("ALL_PROXY", proxy.url())]).await;
    assert_eq!(first_lines(&proxy), ["CONNECT dynamodb.test:443 HTTP/1.1"; 2]);
}

#[tokio::test]
async fn hosts_in_no_proxy_are_called_directly() {
    let (endpoint, proxy) = (Endpoint::answering().await, Endpoint::answering().await);
    let through_proxy = ("HTTP_PROXY", proxy.url());
    call(endpoint.url(), &[through_proxy]).await;
    assert_eq!((first_lines(&endpoint).len(), first_lines(&proxy).len()), (0, 1));

    call(endpoint.url(), &[through_proxy, ("NO_PROXY", "localhost,127.0.0.1")]).await;
    assert_eq!((first_lines(&endpoint).len(), first_lines(&proxy).len()), (1, 1));
}

#[test]
fn a_proxy_that_cannot_be_read_is_an_error_in_the_log() {
    alone(|| {
        let lines = Arc::<Mutex<String>>::default();
        let kept = lines.clone();
        let write = move |line: &[u8]| kept.lock().unwrap().push_str(str::from_utf8(line).unwrap());
        let logging = Logging::new().environment([("A", "")]).writer(write);
        let subscriber = tracing_subscriber::registry().with(logging.layer().unwrap());
        let _subscriber = powertools_tests::subscriber::set_default(subscriber);
        let value = Some("socks://user:hunter2@proxy");
        temp_env::with_var("https_proxy", value, || aws::http_client(Roots::Amazon).unwrap());
        let lines = lines.lock().unwrap();
        assert!(lines.contains("ERROR") && lines.contains("https_proxy"), "{lines}");
        assert!(!lines.contains("hunter2"), "{lines}");
    });
}

/// Runs a function whose warm-up calls DynamoDB at `endpoint` once.
async fn call(endpoint: &str, variables: &[(&str, &str)]) {
    let mut lambda = FakeRuntime::new()
        .env("AWS_REGION", "eu-north-1")
        .env("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_MAX_ATTEMPTS", "1")
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("WARM_UPS", "tables");
    for (name, value) in variables {
        lambda = lambda.env(*name, *value);
    }
    let function = lambda.spawn(Command::new(env!("CARGO_BIN_EXE_lifecycle"))).unwrap();
    assert!(lambda.invoke(json!("answer")).await.response().is_some());
    function.kill().await;
}

fn first_lines(endpoint: &Endpoint) -> Vec<String> {
    endpoint.requests().into_iter().map(|request| request[0].clone()).collect()
}
