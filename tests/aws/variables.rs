//! The configuration from the variables of the environment alone.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use powertools::aws;
use powertools::testing::FakeRuntime;
use powertools_tests::alone;
use serde_json::json;
use tokio::process::Command;

use super::endpoint::Endpoint;

/// Without files, the chain of the SDK finds nothing else.
const ALWAYS: [(&str, &str); 4] = [
    ("HOME", "/nowhere"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("AWS_ACCESS_KEY_ID", "key"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
];

#[test]
fn settings_are_those_of_the_sdks_chain() {
    alone(compare_with_the_sdks_chain);
}

fn compare_with_the_sdks_chain() {
    let all = [
        ("AWS_REGION", "eu-north-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", "http://localhost:8000"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "TRUE"),
        ("AWS_MAX_ATTEMPTS", "7"),
        ("AWS_RETRY_MODE", "adaptive"),
        ("AWS_NEW_RETRIES_2026", "true"),
        ("AWS_SDK_UA_APP_ID", "orders"),
        ("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required"),
        ("AWS_RESPONSE_CHECKSUM_VALIDATION", "WHEN_REQUIRED"),
        ("AWS_DISABLE_REQUEST_COMPRESSION", "true"),
        ("AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", "4096"),
        ("AWS_DISABLE_CLOCK_SKEW_CORRECTION", "true"),
        ("AWS_ACCOUNT_ID_ENDPOINT_MODE", "required"),
        ("AWS_AUTH_SCHEME_PREFERENCE", "aws.auth#sigv4a, sigv4"),
        ("AWS_SIGV4A_SIGNING_REGION_SET", "us-east-1, eu-north-1"),
    ];
    let ignored = [
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
        ("AWS_ENDPOINT_URL", "http://localhost:8000"),
    ];
    let invalid = [
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_USE_FIPS_ENDPOINT", "yes"),
        ("AWS_REQUEST_CHECKSUM_CALCULATION", "sometimes"),
        ("AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", "-1"),
        ("AWS_AUTH_SCHEME_PREFERENCE", "sigv4,,"),
        ("AWS_SIGV4A_SIGNING_REGION_SET", " , "),
        ("AWS_ACCOUNT_ID_ENDPOINT_MODE", "maybe"),
    ];
    for variables in [&all[..], &all[..1], &ignored, &invalid, &[]] {
        let names = all.iter().chain(&ignored).chain(&invalid).map(|(name, _)| (*name, None));
        let set = ALWAYS.iter().chain(variables).map(|(name, value)| (*name, Some(*value)));
        let (ours, theirs) = temp_env::with_vars(names.chain(set).collect::<Vec<_>>(), || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            (aws::builder().build(), runtime.unwrap().block_on(aws::loader().load()))
        });
        assert_eq!(settings(&ours), settings(&theirs), "{variables:?}");
    }
}

/// What the SDK's chain panics at.
#[test]
fn invalid_retries_count_as_unset() {
    let variables = [("AWS_MAX_ATTEMPTS", Some("0")), ("AWS_RETRY_MODE", Some("often"))];
    alone(|| {
        let config = temp_env::with_vars(variables, || aws::builder().build());
        assert_eq!(config.retry_config().unwrap().max_attempts(), 3);
    });
}

fn settings(config: &SdkConfig) -> String {
    format!(
        "{:#?}",
        (
            (config.region(), config.endpoint_url(), config.use_fips(), config.use_dual_stack()),
            (config.retry_config(), config.timeout_config(), config.app_name()),
            (config.request_checksum_calculation(), config.response_checksum_validation()),
            (config.disable_request_compression(), config.request_min_compression_size_bytes()),
            (config.disable_clock_skew_correction(), config.account_id_endpoint_mode()),
            (config.auth_scheme_preference(), config.sigv4a_signing_region_set()),
            (config.behavior_version(), config.stalled_stream_protection()),
            (config.sleep_impl().is_some(), config.time_source().is_some()),
            (config.identity_cache().is_some(), config.http_client().is_some()),
        )
    )
}

#[tokio::test]
async fn the_endpoint_of_one_service_takes_precedence() {
    let (dynamodb, others) = (Endpoint::answering().await, Endpoint::answering().await);
    let lambda = with_keys()
        .env("AWS_ENDPOINT_URL", others.url())
        .env("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.url());
    list_tables(lambda).await;
    assert_eq!((dynamodb.requests().len(), others.requests().len()), (1, 0));
}

#[tokio::test]
async fn an_endpoint_in_code_takes_the_place_of_that_of_all_services() {
    for (variable, expected) in
        [("AWS_ENDPOINT_URL", (1, 0)), ("AWS_ENDPOINT_URL_DYNAMODB", (0, 1))]
    {
        let (in_code, others) = (Endpoint::answering().await, Endpoint::answering().await);
        let lambda = with_keys().env(variable, others.url());
        let url = in_code.url().to_owned();
        let called = lambda.run(async move {
            let config = aws::builder().endpoint_url(url).build();
            Client::new(&config).list_tables().send().await.unwrap();
        });
        called.wait().await;
        assert_eq!((in_code.requests().len(), others.requests().len()), expected, "{variable}");
    }
}

#[tokio::test]
async fn credentials_of_a_container_are_refreshed() {
    let body = json!({
        "AccessKeyId": "AKIDCONTAINER",
        "SecretAccessKey": "secret",
        "Token": "from-container",
        "Expiration": "2020-01-01T00:00:00Z",
    });
    let container = Endpoint::answering_with(body.to_string()).await;
    let endpoint = Endpoint::answering().await;
    // As with SnapStart.
    let lambda = FakeRuntime::new()
        .env("AWS_REGION", "eu-north-1")
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/keys", container.url()))
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "permission")
        .env("AWS_ENDPOINT_URL", endpoint.url());
    let called = lambda.run(async {
        let client = Client::new(&aws::builder().build());
        client.list_tables().send().await.unwrap();
        client.list_tables().send().await.unwrap();
    });
    called.wait().await;
    let requests = container.requests();
    assert_eq!(requests.len(), 2, "they had expired: {requests:#?}");
    assert!(requests[0].contains(&"authorization: permission".to_owned()), "{requests:#?}");
    let signed = endpoint.requests();
    let signed = signed[1].iter().find(|line| line.starts_with("authorization: ")).unwrap();
    assert!(signed.contains("AKIDCONTAINER/"), "{signed}");
}

#[tokio::test]
async fn missing_credentials_name_the_remedy() {
    let endpoint = Endpoint::answering().await;
    let lambda =
        FakeRuntime::new().env("AWS_REGION", "eu-north-1").env("AWS_ENDPOINT_URL", endpoint.url());
    let called = lambda.run(async {
        let error = Client::new(&aws::builder().build()).list_tables().send().await.unwrap_err();
        let error = DisplayErrorContext(error).to_string();
        assert!(error.contains("the environment has no credentials"), "{error}");
        assert!(error.contains("aws::load_with"), "{error}");
    });
    called.wait().await;
    assert!(endpoint.requests().is_empty());
}

#[tokio::test]
async fn profiles_are_read_only_by_the_whole_chain() {
    let endpoint = Endpoint::answering().await;
    let file = std::env::temp_dir().join(format!("powertools-profile-{}", std::process::id()));
    let profile = "[default]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = secret\n";
    std::fs::write(&file, profile).unwrap();
    let lambda = || {
        FakeRuntime::new()
            .env("AWS_REGION", "eu-north-1")
            .env("AWS_ENDPOINT_URL", endpoint.url())
            .env("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap())
    };
    list_tables(lambda()).await;
    assert!(endpoint.requests().is_empty());
    list_tables(lambda().env("WHOLE_CHAIN", "1")).await;
    std::fs::remove_file(&file).unwrap();
    assert!(endpoint.header("authorization").contains("AKIDPROFILE/"));
}

fn with_keys() -> FakeRuntime {
    FakeRuntime::new()
        .env("AWS_REGION", "eu-north-1")
        .env("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
}

/// Runs a function whose warm-up calls DynamoDB once, with `aws::config`.
async fn list_tables(lambda: FakeRuntime) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifecycle"));
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        command.env_remove(name);
    }
    let lambda = lambda.env("WARM_UPS", "tables");
    let function = lambda.spawn(command).unwrap();
    assert!(lambda.invoke(json!("answer")).await.response().is_some());
    function.kill().await;
}
