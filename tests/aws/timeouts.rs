//! What becomes of a call when the service accepts the connection and never answers.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use tokio::time::Instant;

use super::endpoint::Endpoint;
use super::loader;

#[tokio::test(start_paused = true)]
async fn a_handshake_is_given_up_after_a_second() {
    let endpoint = Endpoint::silent().await;
    let url = endpoint.url().replace("http://", "https://");
    let config = loader(&url).retry_config(RetryConfig::disabled()).load().await;
    let (elapsed, error) = failing_call(&Client::new(&config)).await;
    assert_eq!(elapsed.as_secs(), 1, "{error}");
    assert!(error.contains("timeout occurred"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_given_up_after_three_seconds() {
    let endpoint = Endpoint::silent().await;
    let config = loader(endpoint.url()).retry_config(RetryConfig::disabled()).load().await;
    let (elapsed, error) = failing_call(&Client::new(&config)).await;
    assert_eq!(elapsed.as_secs(), 3, "{error}");
    assert_eq!(endpoint.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_after_ten_seconds_whatever_its_retries() {
    let endpoint = Endpoint::silent().await;
    let retries = RetryConfig::standard().with_max_attempts(10);
    let config = loader(endpoint.url()).retry_config(retries).load().await;
    let (elapsed, error) = failing_call(&Client::new(&config)).await;
    assert_eq!(elapsed.as_secs(), 10, "{error}");
    assert!(endpoint.connections() > 1, "a dead connection is not used again");
}

#[tokio::test(start_paused = true)]
async fn the_users_timeouts_are_kept() {
    let endpoint = Endpoint::silent().await;
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(60))
        .operation_timeout(Duration::from_secs(90));
    let config = loader(endpoint.url()).timeout_config(timeouts.build()).load().await;
    let (elapsed, error) = failing_call(&Client::new(&config)).await;
    assert_eq!(elapsed.as_secs(), 90, "{error}");
}

async fn failing_call(client: &Client) -> (Duration, String) {
    let start = Instant::now();
    let error = client.list_tables().send().await.unwrap_err();
    let elapsed = start.elapsed();
    let kind = matches!(error, SdkError::TimeoutError(_) | SdkError::DispatchFailure(_));
    let error = DisplayErrorContext(error).to_string();
    assert!(kind, "{error}");
    (elapsed, error)
}
