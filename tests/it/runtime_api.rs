//! A Runtime API that fails, which `lambda_runtime` alone answers with a panic or without an end.

use std::process::{Command, Output};
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::testing::FakeRuntime;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

#[tokio::test]
async fn an_error_in_place_of_an_event_ends_the_function_with_an_error() {
    let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let function = start(&api, None);
    tokio::spawn(async move {
        loop {
            let mut stream = request(&api).await;
            let answer = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 2\r\n\r\n{}";
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let Output { status, stderr, .. } = ended(function).await;
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("the Runtime API answers with an error"), "{stderr}");
}

#[tokio::test]
async fn a_lost_api_ends_the_function_with_an_error() {
    for (concurrency, message) in
        [(None, "ConnectionRefused"), (Some("4"), "can no longer be reached")]
    {
        let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let function = start(&api, concurrency);
        let waiting = request(&api).await;
        drop((waiting, api));
        let Output { status, stdout, stderr } = ended(function).await;
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(message) || concurrency.is_none(), "{stderr}");
        let warnings = String::from_utf8(stdout).unwrap().matches("Error polling /next").count();
        eprintln!("{warnings} warnings at a concurrency of {concurrency:?}");
    }
}

/// Without the check, Lambda answers 413, and the function counts its event as a success.
#[tokio::test]
async fn a_reply_over_the_limit_of_lambda_is_an_error_of_the_function() {
    const LIMIT: usize = 6 * 1024 * 1024 + 100;

    let large = async |event: LambdaEvent<usize>| Ok::<_, Error>("x".repeat(event.payload));
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::new(large).run());
    // With its two quotes.
    let fits = lambda.invoke(json!(LIMIT - 2)).await.json::<String>();
    assert_eq!(fits.len(), LIMIT - 2);
    let outcome = lambda.invoke(json!(LIMIT - 1)).await;
    assert_eq!(outcome.error_type(), Some("Powertools.ResponseTooLarge"));
    let message = "the response has at least 6291557 bytes, and Lambda takes 6291556";
    assert_eq!(outcome.diagnostic().unwrap().error_message, message);
    assert_eq!(lambda.invoke(json!(3)).await.json::<String>(), "xxx");
}

/// Starts a function whose Runtime API is `api`.
fn start(api: &TcpListener, concurrency: Option<&str>) -> tokio::process::Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_charge"));
    command
        .env("AWS_LAMBDA_RUNTIME_API", api.local_addr().unwrap().to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "charge")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env_remove("ENDPOINT")
        .env_remove("AWS_LAMBDA_MAX_CONCURRENCY")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    if let Some(concurrency) = concurrency {
        command.env("AWS_LAMBDA_MAX_CONCURRENCY", concurrency);
    }
    tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap()
}

async fn ended(function: tokio::process::Child) -> Output {
    let output = timeout(Duration::from_secs(30), function.wait_with_output());
    output.await.expect("the function ends by itself").unwrap()
}

/// Accepts a connection, and the head of a request on it.
async fn request(api: &TcpListener) -> TcpStream {
    loop {
        let (mut stream, _) = api.accept().await.unwrap();
        // One that has no request is no more than a look.
        if stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {
            return stream;
        }
    }
}
