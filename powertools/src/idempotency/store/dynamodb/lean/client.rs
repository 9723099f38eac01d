use std::fmt;
use std::sync::Arc;

use hyper::header::HeaderValue;

use super::builder::LeanClientBuilder;
use super::endpoint::Endpoint;
use super::retry::Quota;
use crate::aws::credentials::{Provider, Source};
use crate::aws::sigv4::Signer;
use crate::aws::skew::Skew;
use crate::aws::transport::Client;
use crate::clock::Clock;
use crate::environment::Environment;
use crate::idempotency::Error;

/// The name of this crate in requests.
const USER_AGENT: &str = concat!("powertools-rust/", env!("CARGO_PKG_VERSION"));
/// The user's own name for the application, as in the SDK.
const APP_ID: &str = "AWS_SDK_UA_APP_ID";

/// A client of DynamoDB with the five requests that a store makes, and without the AWS SDK.
///
/// ```no_run
/// use powertools::idempotency::{DynamoDbStore, Error, Idempotency, LeanClient};
///
/// # fn example() -> Result<(), Error> {
/// let store = DynamoDbStore::lean(LeanClient::new()?, "idempotency");
/// let idempotency = Idempotency::new(store)?;
/// # let _ = idempotency;
/// # Ok(()) }
/// ```
///
/// A function that calls no other AWS service starts faster with it, and its binary is smaller. The
/// records, conditions, attempts, time limits and errors are those of the SDK's client. Beyond that, it rejects
/// a response that is damaged or not JSON of DynamoDB where the SDK's client takes an empty one for success, and
/// keeps the credentials that are still valid when others cannot be fetched.
///
/// # Configuration
///
/// | what | where it comes from |
/// |---|---|
/// | region | `AWS_REGION`, `AWS_DEFAULT_REGION` |
/// | credentials | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`; or the endpoint in `AWS_CONTAINER_CREDENTIALS_FULL_URI` or `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`, which functions with SnapStart have |
/// | an endpoint for each account | `AWS_ACCOUNT_ID`, or the account that the credentials name; `AWS_ACCOUNT_ID_ENDPOINT_MODE` |
/// | another endpoint | `AWS_ENDPOINT_URL_DYNAMODB`, `AWS_ENDPOINT_URL`; `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` |
/// | validated or dual-stack endpoints | `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT` |
/// | proxies | `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, in upper or lower case; proxies with an `http` URL |
/// | trusted certificates | compiled in; or `AWS_CA_BUNDLE`, `SSL_CERT_FILE`, `SSL_CERT_DIR`; those of the system if there is a proxy for HTTPS |
/// | cryptography | ring, or that of the features `tls-aws-lc` and `tls-fips` |
///
/// [`builder`](Self::builder) sets region, endpoint and credentials in code, and with the features of
/// [`aws`](crate::aws) takes any provider of the SDK. Credentials that expire are renewed 5 minutes before, and
/// every 10 seconds while that fails. An endpoint of credentials has 1 second for its answer, a provider 5. After
/// a SnapStart restore, credentials and connections are new, if [`Powertools`](crate::Powertools) runs the
/// function. If the clock of the environment is off by more than 4 minutes, requests are signed with the time of
/// the service.
///
/// # What it leaves out
///
/// Profiles, SSO, web identities and instance metadata, unless a provider of the SDK reads them, and services
/// other than DynamoDB. The compiled-in certificates are those of Mozilla's list at the time of the build: they age
/// with the binary, and regions with other authorities need `AWS_CA_BUNDLE`.
///
/// Cloning is cheap, and clones share connections and credentials.
#[derive(Clone)]
pub struct LeanClient {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) http: Client,
    pub(super) endpoint: Endpoint,
    pub(super) signer: Signer,
    pub(super) credentials: Provider,
    pub(super) user_agent: HeaderValue,
    pub(super) clock: Clock,
    pub(super) skew: Skew,
    pub(super) quota: Quota,
}

impl LeanClient {
    /// Creates a client with the settings of the environment. It opens no connection.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Config`] as [`LeanClientBuilder::build`] does.
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// Creates a builder, for settings in code.
    pub fn builder() -> LeanClientBuilder {
        LeanClientBuilder::default()
    }

    pub(super) fn with(
        region: String,
        endpoint: Endpoint,
        http: Client,
        source: Source,
        environment: &Environment,
    ) -> Result<Self, Error> {
        let user_agent = match environment.get(APP_ID) {
            Some(id) => format!("{USER_AGENT} app/{id}"),
            None => USER_AGENT.to_owned(),
        };
        let user_agent = HeaderValue::try_from(user_agent)
            .map_err(|_| Error::Config(format!("{APP_ID} is not valid in a header")))?;
        let shared = Shared {
            http,
            endpoint,
            signer: Signer::new(region, "dynamodb"),
            credentials: Provider::new(source),
            user_agent,
            clock: Clock::system(),
            skew: Skew::default(),
            quota: Quota::new(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    pub(super) fn region(&self) -> &str {
        self.shared.signer.region()
    }
}

/// Leaves out the credentials.
impl fmt::Debug for LeanClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeanClient")
            .field("region", &self.region())
            .field("host", self.shared.endpoint.host())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
