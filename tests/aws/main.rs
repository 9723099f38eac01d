//! The configuration and the HTTP client that all SDK clients of a function share.

use aws_config::{ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use powertools::aws;
use powertools::testing::FakeRuntime;
use serde_json::json;
use tokio::process::Command;

use self::endpoint::Endpoint;

mod endpoint;
mod proxy;
mod roots;
mod timeouts;
mod tls;
mod variables;
mod warm_up;

#[tokio::test]
async fn clients_share_connections() {
    let endpoint = Endpoint::answering().await;
    let config = loader(endpoint.url()).load().await;
    for _ in 0..3 {
        Client::new(&config).list_tables().send().await.unwrap();
    }
    let other = loader(endpoint.url()).load().await;
    Client::new(&other).list_tables().send().await.unwrap();
    assert_eq!((endpoint.requests().len(), endpoint.connections()), (4, 1));
}

#[tokio::test]
async fn a_client_with_other_limits_shares_connections_too() {
    let endpoint = Endpoint::answering().await;
    let config = loader(endpoint.url()).load().await;
    Client::new(&config).list_tables().send().await.unwrap();
    let hasty = aws_sdk_dynamodb::config::Builder::from(&config)
        .retry_config(RetryConfig::disabled())
        .build();
    Client::from_conf(hasty).list_tables().send().await.unwrap();
    assert_eq!((endpoint.requests().len(), endpoint.connections()), (2, 1));
}

#[tokio::test]
async fn making_clients_connects_to_nothing() {
    let endpoint = Endpoint::answering().await;
    let config = loader(endpoint.url()).load().await;
    let clients: Vec<_> = (0..100).map(|_| Client::new(&config)).collect();
    assert_eq!(endpoint.connections(), 0);
    clients[99].list_tables().send().await.unwrap();
    assert_eq!(endpoint.connections(), 1);
}

#[tokio::test]
async fn requests_say_that_they_come_from_this_toolkit() {
    let endpoint = Endpoint::answering().await;
    let config = loader(endpoint.url()).load().await;
    Client::new(&config).list_tables().send().await.unwrap();
    let app = concat!("app/powertools-rust-", env!("CARGO_PKG_VERSION"));
    let user_agent = endpoint.header("x-amz-user-agent");
    assert!(user_agent.split(' ').any(|part| part == app), "{user_agent}");
}

#[tokio::test]
async fn the_users_app_name_is_kept() {
    let endpoint = Endpoint::answering().await;
    let lambda = FakeRuntime::new().env("AWS_SDK_UA_APP_ID", "orders");
    let url = endpoint.url().to_owned();
    // In the environment of a function.
    let asked = lambda.run(async move {
        let config = loader_in_environment(&url).load().await;
        Client::new(&config).list_tables().send().await.unwrap();
    });
    asked.wait().await;
    let user_agent = endpoint.header("x-amz-user-agent");
    assert!(user_agent.split(' ').any(|part| part == "app/orders"), "{user_agent}");
    assert!(!user_agent.contains("powertools"), "{user_agent}");
}

#[tokio::test]
async fn region_endpoint_and_credentials_are_read_once() {
    let endpoint = Endpoint::answering().await;
    let lambda = FakeRuntime::new()
        .env("AWS_REGION", "eu-north-1")
        .env("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_SESSION_TOKEN", "from-lambda")
        .env("AWS_ENDPOINT_URL", endpoint.url());
    let asked = lambda.run(async {
        let config: &'static SdkConfig = aws::config().await;
        Client::new(config).list_tables().send().await.unwrap();
        let again = aws::config().await;
        assert!(std::ptr::eq(config, again), "it is loaded once");
    });
    asked.wait().await;
    assert!(
        endpoint.header("authorization").contains("AKIDENVIRONMENT/")
            && endpoint.header("authorization").contains("/eu-north-1/dynamodb/"),
        "{}",
        endpoint.header("authorization")
    );
    assert_eq!(endpoint.header("x-amz-security-token"), "from-lambda");
}

/// What was open when a snapshot was taken is closed when it is restored.
#[tokio::test]
async fn after_a_restore_there_are_new_connections() {
    let endpoint = Endpoint::answering().await;
    let lambda = FakeRuntime::new()
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
        .env("AWS_REGION", "eu-north-1")
        .env("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_ENDPOINT_URL", endpoint.url())
        .env("WARM_UPS", "required-tables");
    let function = lambda.spawn(Command::new(env!("CARGO_BIN_EXE_lifecycle"))).unwrap();
    assert!(lambda.invoke(json!("answer")).await.response().is_some());
    assert_eq!((endpoint.requests().len(), endpoint.connections()), (2, 2));
    function.kill().await;
}

/// Our settings, for an endpoint on loopback.
fn loader(endpoint: &str) -> ConfigLoader {
    // Under the lock, so that it does not see what another test sets.
    temp_env::with_var_unset("AWS_SDK_UA_APP_ID", || loader_in_environment(endpoint))
}

fn loader_in_environment(endpoint: &str) -> ConfigLoader {
    aws::loader()
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "tests"))
        .endpoint_url(endpoint)
}
