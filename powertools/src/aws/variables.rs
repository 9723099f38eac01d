//! The settings of AWS clients from the variables of the environment, without the profile files.
//!
//! The variables are those of the SDK, as in <https://docs.aws.amazon.com/sdkref/latest/guide/>.

use std::borrow::Cow;
use std::fmt::Display;
use std::num::NonZeroU32;
use std::str::FromStr;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::{AppName, Region};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_async::rt::sleep::default_async_sleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::auth::{AuthSchemeId, AuthSchemePreference};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetrySpec;
use aws_types::region::SigningRegionSet;
use aws_types::sdk_config::{Builder, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::environment::Environment;

const ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

/// Sets what the variables of `environment` say.
pub(super) fn set(environment: &Environment, builder: &mut Builder) {
    let variables = Variables(environment);
    let ignores = variables.flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").unwrap_or(false);
    let endpoints = Endpoints { environment: environment.clone(), ignores };
    let global = environment.get(ENDPOINT_URL).filter(|_| !ignores);
    let request_checksums = variables
        .parse("AWS_REQUEST_CHECKSUM_CALCULATION")
        .unwrap_or(RequestChecksumCalculation::WhenSupported);
    let response_checksums = variables
        .parse("AWS_RESPONSE_CHECKSUM_VALIDATION")
        .unwrap_or(ResponseChecksumValidation::WhenSupported);
    builder
        .set_region(environment.region().map(Region::new))
        .set_endpoint_url(global)
        .set_service_config(Some(endpoints))
        .set_use_fips(variables.flag("AWS_USE_FIPS_ENDPOINT"))
        .set_use_dual_stack(variables.flag("AWS_USE_DUALSTACK_ENDPOINT"))
        .set_retry_config(Some(variables.retries()))
        .set_app_name(variables.read("AWS_SDK_UA_APP_ID", |name| AppName::new(name.to_owned())))
        .set_request_checksum_calculation(Some(request_checksums))
        .set_response_checksum_validation(Some(response_checksums))
        .set_disable_request_compression(variables.flag("AWS_DISABLE_REQUEST_COMPRESSION"))
        .set_request_min_compression_size_bytes(
            variables.parse("AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES"),
        )
        .set_disable_clock_skew_correction(variables.flag("AWS_DISABLE_CLOCK_SKEW_CORRECTION"))
        .set_account_id_endpoint_mode(variables.parse("AWS_ACCOUNT_ID_ENDPOINT_MODE"))
        .set_auth_scheme_preference(variables.read("AWS_AUTH_SCHEME_PREFERENCE", schemes))
        .set_sigv4a_signing_region_set(variables.read("AWS_SIGV4A_SIGNING_REGION_SET", regions))
        .set_sleep_impl(default_async_sleep())
        .set_time_source(Some(SharedTimeSource::default()));
}

/// Returns the credentials of the environment: keys, or else the endpoint of a container, which
/// SnapStart has too, and from which they are refreshed before they expire.
pub(super) fn credentials(http: &SharedHttpClient) -> SharedCredentialsProvider {
    let container = ProviderConfig::without_region().with_http_client(http.clone());
    let container = EcsCredentialsProvider::builder().configure(&container).build();
    let keys = EnvironmentVariableCredentialsProvider::new();
    let chain = CredentialsProviderChain::first_try("Environment", keys)
        .or_else("EcsContainer", container)
        .or_else("Missing", Missing);
    SharedCredentialsProvider::new(chain)
}

/// The end of the chain.
#[derive(Debug)]
struct Missing;

impl ProvideCredentials for Missing {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::invalid_configuration(
            "the environment has no credentials; for profiles and other sources, begin `main` \
             with `aws::load_with(|| aws::loader().load())`",
        )))
    }
}

/// The endpoint of one service. That of all is in the builder, where code may have set another one.
#[derive(Debug)]
struct Endpoints {
    environment: Environment,
    ignores: bool,
}

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let is_endpoint = key.env() == ENDPOINT_URL;
        if self.ignores && is_endpoint {
            return None;
        }
        let service = key.service_id().to_uppercase().replace(' ', "_");
        let own = self.environment.get(&format!("{}_{service}", key.env()));
        if is_endpoint { own } else { own.or_else(|| self.environment.get(key.env())) }
    }
}

struct Variables<'a>(&'a Environment);

impl Variables<'_> {
    /// Returns the value of a variable. One that cannot be read is reported, and counts as unset.
    fn read<T, E: Display>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.0.get(name)?;
        let report = |error| tracing::warn!(variable = name, %error, "the variable is ignored");
        read(&value).map_err(report).ok()
    }

    fn parse<T: FromStr<Err: Display>>(&self, name: &'static str) -> Option<T> {
        self.read(name, str::parse)
    }

    /// The SDK knows these two words alone.
    fn flag(&self, name: &'static str) -> Option<bool> {
        self.read(name, |value| value.to_ascii_lowercase().parse::<bool>())
    }

    fn retries(&self) -> RetryConfig {
        let mut retries = RetryConfig::standard();
        if let Some(attempts) = self.parse::<NonZeroU32>("AWS_MAX_ATTEMPTS") {
            retries = retries.with_max_attempts(attempts.get());
        }
        if let Some(mode) = self.parse("AWS_RETRY_MODE") {
            retries = retries.with_retry_mode(mode);
        }
        if self.flag("AWS_NEW_RETRIES_2026") == Some(true) {
            retries = retries.with_retry_spec(RetrySpec::v2_1());
        }
        retries
    }
}

fn schemes(names: &str) -> Result<AuthSchemePreference, &'static str> {
    let scheme = |name: &str| {
        // A name may be qualified, as in `aws.auth#sigv4`.
        let name: String = name.rsplit('#').next()?.split_whitespace().collect();
        (!name.is_empty()).then(|| AuthSchemeId::from(Cow::Owned(name)))
    };
    let schemes: Option<Vec<_>> = names.split(',').map(scheme).collect();
    schemes.map(AuthSchemePreference::from).ok_or("a name is empty")
}

fn regions(names: &str) -> Result<SigningRegionSet, &'static str> {
    let regions = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    let regions: SigningRegionSet = regions.collect();
    if regions.as_ref().is_empty() { Err("it names no region") } else { Ok(regions) }
}
