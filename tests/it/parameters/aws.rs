//! Clients of AWS, and what their services refuse.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_ssm::config::retry::RetryConfig;
use hyper::StatusCode;
use powertools::parameters::{Parameter, Parameters, Secret, SecretsManager, Ssm};
use powertools_tests::proxy::{Fault, Proxy};
use serde_json::json;

use super::name;

/// The configuration of clients for an endpoint on loopback.
pub(super) fn config(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(aws_sdk_ssm::config::SharedCredentialsProvider::new(
            Credentials::new("key", "secret", None, None, "tests"),
        ))
        .retry_config(RetryConfig::disabled())
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}

/// moto reads megabytes of its own parameters at the first request.
pub(super) const TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn of(endpoint: &str) -> Parameters {
    let config = config(endpoint);
    Parameters::new()
        .timeout(TIMEOUT)
        .parameters_from(Ssm::new(aws_sdk_ssm::Client::new(&config)))
        .secrets_from(SecretsManager::new(aws_sdk_secretsmanager::Client::new(&config)))
}

/// A name that no other test has.
pub(super) fn unique(name: &str) -> &'static str {
    format!("/{}/{name}", std::process::id()).leak()
}

/// Credentials that cannot be had.
#[derive(Debug)]
struct Nobody(fn() -> CredentialsError);

impl ProvideCredentials for Nobody {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(self.0()))
    }
}

#[tokio::test]
async fn without_a_region_or_credentials_no_request_is_sent() {
    let proxy = Proxy::alone().await;
    let with = |change: fn(&mut aws_sdk_ssm::config::Builder)| {
        let mut builder = aws_sdk_ssm::config::Builder::from(&config(proxy.endpoint()));
        change(&mut builder);
        let client = aws_sdk_ssm::Client::from_conf(builder.build());
        Parameters::new().source(Ssm::new(client))
    };
    let read = async || {
        let error = Parameter::<String>::plain("/p").get().await.unwrap_err();
        let message = lambda_runtime::Diagnostic::from(error.clone()).error_message;
        (error.error_type(), message)
    };
    let without_region = with(|config| {
        config.set_region(None).set_endpoint_url(None);
    });
    let (name, message) = without_region.scope(read()).await;
    assert_eq!(name, "Powertools.ParameterFailed", "{message}");
    assert!(message.contains("region"), "{message}");
    let missing = with(|config| {
        let nobody = Nobody(|| CredentialsError::not_loaded("there are none"));
        let nobody = aws_sdk_ssm::config::SharedCredentialsProvider::new(nobody);
        config.set_credentials_provider(Some(nobody));
    });
    let without_provider = {
        let config = aws_sdk_ssm::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .endpoint_url(proxy.endpoint())
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        Parameters::new().source(Ssm::new(aws_sdk_ssm::Client::from_conf(config.build())))
    };
    for parameters in [missing, without_provider] {
        let (name, message) = parameters.scope(read()).await;
        assert_eq!(name, "Powertools.ParameterAccessDenied", "{message}");
        assert!(message.contains("there are no credentials"), "{message}");
    }
    let not_now = with(|config| {
        let nobody = Nobody(|| CredentialsError::provider_error("the endpoint is away"));
        let nobody = aws_sdk_ssm::config::SharedCredentialsProvider::new(nobody);
        config.set_credentials_provider(Some(nobody));
    });
    let (name, message) = not_now.scope(read()).await;
    assert_eq!(name, "Powertools.ParameterUnavailable", "{message}");
    assert!(message.contains("the credentials could not be fetched"), "{message}");
    assert!(proxy.captured().is_empty());
}

/// A response can be cut off, or come from something that is not the service.
#[tokio::test]
async fn neither_an_error_nor_its_causes_contain_a_response() {
    let proxy = Proxy::alone().await;
    let secret = json!({ "SecretString": ["hunter2"], "Name": "s" });
    let parameter = json!({ "Parameter": { "Value": { "hunter2": 1 } } });
    let path = json!({ "Parameters": { "hunter2": 1 } });
    proxy.next("GetSecretValue", Fault::Reply(StatusCode::OK, secret));
    proxy.next("GetParameter", Fault::Reply(StatusCode::OK, parameter));
    proxy.next("GetParametersByPath", Fault::Reply(StatusCode::OK, path));
    let refusal = json!({ "__type": "Strange", "message": "no", "SecretString": "hunter2" });
    proxy.next("GetSecretValue", Fault::Reply(StatusCode::BAD_REQUEST, refusal));
    let work = async {
        for error in [
            Secret::<String>::plain("malformed").get().await.map(drop),
            Parameter::<String>::plain("malformed").get().await.map(drop),
            Parameter::path("/malformed").get().await.map(drop),
            Secret::<String>::plain("refused").get().await.map(drop),
        ] {
            let error = error.unwrap_err();
            assert_eq!(error.error_type(), "Powertools.ParameterFailed");
            let mut text = format!("{error:?}");
            let mut cause: Option<&dyn std::error::Error> = Some(&error);
            while let Some(error) = cause {
                text.push_str(&format!("\n{error}\n{error:?}"));
                cause = error.source();
            }
            assert!(!text.contains("hunter2"), "{text}");
        }
    };
    of(proxy.endpoint()).scope(work).await;
    assert_eq!(proxy.operations().len(), 4);
}

#[tokio::test]
async fn what_a_service_refuses_has_its_name() {
    let proxy = Proxy::alone().await;
    let work = async {
        for (code, expected) in [
            ("AccessDeniedException", "Powertools.ParameterAccessDenied"),
            ("UnrecognizedClientException", "Powertools.ParameterAccessDenied"),
            ("ExpiredTokenException", "Powertools.ParameterUnavailable"),
            ("ExpiredToken", "Powertools.ParameterUnavailable"),
            ("InvalidKeyId", "Powertools.ParameterAccessDenied"),
            ("ThrottlingException", "Powertools.ParameterThrottled"),
            ("ParameterNotFound", "Powertools.ParameterNotFound"),
            ("ValidationException", "Powertools.ParameterFailed"),
        ] {
            proxy.next("GetParameter", Fault::Refuse(code, "no"));
            let parameter = Parameter::<String>::plain(unique(code));
            let error = parameter.get().await.unwrap_err();
            assert_eq!(error.error_type(), expected, "{code}");
            let message = lambda_runtime::Diagnostic::from(error).error_message;
            let names_the_role = message.contains("the role of the function needs");
            assert_eq!(
                names_the_role,
                ["AccessDeniedException", "InvalidKeyId"].contains(&code),
                "{message}"
            );
        }
        proxy.next("GetSecretValue", Fault::Refuse("ResourceNotFoundException", "no"));
        let secret = Secret::<String>::plain("none").get().await;
        assert_eq!(name(secret), "Powertools.ParameterNotFound");
        proxy.next("GetSecretValue", Fault::Close);
        let secret = Secret::<String>::plain("closed").get().await;
        assert_eq!(name(secret), "Powertools.ParameterUnavailable");
    };
    of(proxy.endpoint()).scope(work).await;

    proxy.next("GetSecretValue", Fault::Stall);
    let slow = async { name(Secret::<String>::plain("slow").get().await) };
    let slow = of(proxy.endpoint()).timeout(Duration::from_millis(100)).scope(slow).await;
    assert_eq!(slow, "Powertools.ParameterTimeout");
}
