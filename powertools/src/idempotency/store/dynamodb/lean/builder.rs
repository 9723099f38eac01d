use std::fmt;
use std::sync::Arc;

use super::client::LeanClient;
use super::endpoint::{Endpoint, Variant};
use crate::aws::credentials::{Credentials, Source};
use crate::aws::transport::Client;
use crate::environment::Environment;
use crate::idempotency::Error;

/// The maximum size of a response, in bytes. DynamoDB's own limits are 1 MB for a response and 4 MB
/// for a transaction.
const MAX_BYTES: usize = 16 << 20;

const ENDPOINT: [&str; 2] = ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"];
const IGNORE_ENDPOINTS: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
const FIPS: &str = "AWS_USE_FIPS_ENDPOINT";
const DUAL_STACK: &str = "AWS_USE_DUALSTACK_ENDPOINT";

/// The settings of a [`LeanClient`]. Created by [`LeanClient::builder`].
#[derive(Default)]
#[must_use = "a builder does nothing until it is built"]
pub struct LeanClientBuilder {
    region: Option<String>,
    endpoint_url: Option<String>,
    credentials: Option<Source>,
    environment: Environment,
}

impl LeanClientBuilder {
    /// Sets the region. Defaults to `AWS_REGION`, or else `AWS_DEFAULT_REGION`.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Sets the URL of DynamoDB, such as that of an emulator. Defaults to `AWS_ENDPOINT_URL_DYNAMODB`,
    /// or else `AWS_ENDPOINT_URL`, or else the endpoint of the region. With a URL,
    /// `AWS_USE_FIPS_ENDPOINT` and `AWS_USE_DUALSTACK_ENDPOINT` are an error, as with the SDK.
    pub fn endpoint_url(mut self, url: impl Into<String>) -> Self {
        self.endpoint_url = Some(url.into());
        self
    }

    /// Sets the credentials. Defaults to those of the environment. They are not renewed, and name no account.
    pub fn credentials(
        mut self,
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
        session_token: Option<String>,
    ) -> Self {
        let (id, secret) = (access_key_id.into(), secret_access_key.into());
        let credentials = Credentials::new(id, secret, session_token);
        self.credentials = Some(Source::Fixed(Arc::new(credentials)));
        self
    }

    /// Sets a provider of credentials of the AWS SDK, for sources that this client does not read itself, such
    /// as profiles, or a role that is assumed.
    ///
    /// ```
    /// use powertools::idempotency::{Error, LeanClient};
    ///
    /// # async fn example() -> Result<LeanClient, Error> {
    /// let mut builder = LeanClient::builder();
    /// let config = powertools::aws::loader().load().await; // all sources of the SDK
    /// if let Some(provider) = config.credentials_provider() {
    ///     builder = builder.credentials_provider(provider);
    /// }
    /// builder.build()
    /// # }
    /// ```
    ///
    /// It is asked when the first credentials are needed, after a SnapStart restore, 5 minutes before those that
    /// it returned expire, and when the service does not accept them any more.
    #[cfg(any(feature = "tls-ring", feature = "tls-aws-lc", feature = "tls-fips"))]
    pub fn credentials_provider(
        mut self,
        provider: impl aws_credential_types::provider::ProvideCredentials + 'static,
    ) -> Self {
        use aws_credential_types::provider::SharedCredentialsProvider;

        use super::provider::SdkProvider;

        let provider = SdkProvider(SharedCredentialsProvider::new(provider));
        self.credentials = Some(Source::Fetched(Arc::new(provider)));
        self
    }

    #[cfg(test)]
    pub(super) fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Creates the client. It opens no connection.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Config`] if there is no region, if the region or the URL is invalid, if a
    /// variable of the endpoint has a value that it cannot have, if it asks for another endpoint than the
    /// URL is, or if trusted certificates or a variable that names a proxy cannot be read.
    pub fn build(self) -> Result<LeanClient, Error> {
        let environment = self.environment;
        let flag = |name| match environment.flag(name) {
            Ok(flag) => Ok(flag.unwrap_or(false)),
            Err(invalid) => Err(Error::Config(invalid.to_string())),
        };
        let Some(region) = self.region.or_else(|| environment.region()) else {
            return Err(Error::Config("there is no region: set AWS_REGION".to_owned()));
        };
        let variant = Variant { fips: flag(FIPS)?, dual_stack: flag(DUAL_STACK)? };
        let configured = || ENDPOINT.into_iter().find_map(|name| environment.get(name));
        let configured = if flag(IGNORE_ENDPOINTS)? { None } else { configured() };
        let endpoint = match self.endpoint_url.or(configured) {
            Some(_) if variant.fips || variant.dual_stack => {
                let message =
                    format!("{FIPS} and {DUAL_STACK} have no meaning for a URL of DynamoDB");
                return Err(Error::Config(message));
            }
            Some(url) => Endpoint::custom(&url)
                .map_err(|_| Error::Config("the URL of DynamoDB is invalid".to_owned()))?,
            None => Endpoint::of_region(&region, variant, &environment)?,
        };
        let http = Client::outside(&environment, MAX_BYTES);
        let http = http.map_err(|error| Error::Config(error.to_string()))?;
        let source = self.credentials.unwrap_or_else(|| Source::of(&environment));
        LeanClient::with(region, endpoint, http, source, &environment)
    }
}

/// Leaves out the credentials.
impl fmt::Debug for LeanClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, endpoint_url, .. } = self;
        f.debug_struct("LeanClientBuilder")
            .field("region", region)
            .field("endpoint_url", endpoint_url)
            .finish_non_exhaustive()
    }
}
