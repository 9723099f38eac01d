use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, ConfigLoader, SdkConfig};
use aws_types::sdk_config::Builder;
use tokio::sync::OnceCell;

use super::{Error, http, variables};
use crate::environment::Environment;
use crate::process::restores;

/// The limit for a connection, including TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The limit for one response of the service.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// The limit for a call, including all attempts and the pauses between them.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);

/// The application name of requests.
const APP_NAME: &str = concat!("powertools-rust-", env!("CARGO_PKG_VERSION"));
/// The variable that overrides it.
const APP_NAME_VARIABLE: &str = "AWS_SDK_UA_APP_ID";

/// One before a restore and one after it: there is at most one restore.
static CONFIGS: [OnceCell<SdkConfig>; 2] = [const { OnceCell::const_new() }; 2];

/// What [`config`] loads, where that is not the environment alone.
static LOAD: OnceLock<Load> = OnceLock::new();

type Load = Box<dyn Fn() -> Pin<Box<dyn Future<Output = SdkConfig> + Send>> + Send + Sync>;

/// Returns the configuration of this execution environment, building it with [`builder`] at the
/// first call.
///
/// It is built again after a SnapStart restore, when connections are closed and credentials may
/// have expired. Clients in an [`InitOnce`](crate::InitOnce) are then created again, too. Only
/// functions that [`Powertools`](crate::Powertools) runs notice a restore.
///
/// All clients with this configuration share its HTTP client, and with it connections, trusted
/// certificates and credentials.
///
/// ```no_run
/// # async fn example() {
/// use powertools::aws;
///
/// let dynamodb = aws_sdk_dynamodb::Client::new(aws::config().await);
/// # }
/// ```
///
/// It makes no network calls. If the region or the credentials are missing, the first call of a
/// client returns an error.
pub async fn config() -> &'static SdkConfig {
    let load = || async {
        match LOAD.get() {
            None => builder().build(),
            Some(load) => load().await,
        }
    };
    CONFIGS[usize::from(restores() > 0)].get_or_init(load).await
}

/// Sets what [`config`] loads, for this process and after a restore.
///
/// Call it at the start of `main`. Credentials from profiles, a web identity or instance metadata,
/// as on a laptop or in a container that is not Lambda's, need the whole chain of the SDK. It adds
/// 0.8 MB to a binary, which [`config`] therefore has not by default:
///
/// ```no_run
/// # fn example() -> Result<(), powertools::aws::Error> {
/// use powertools::aws;
///
/// aws::load_with(|| aws::loader().load())?;
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// Returns [`Error::Loaded`] if [`config`] has loaded already, or if this was called before.
pub fn load_with<F>(load: impl Fn() -> F + Send + Sync + 'static) -> Result<(), Error>
where
    F: Future<Output = SdkConfig> + Send + 'static,
{
    if CONFIGS.iter().any(OnceCell::initialized) {
        return Err(Error::Loaded);
    }
    LOAD.set(Box::new(move || Box::pin(load()))).map_err(|_| Error::Loaded)
}

/// Returns a builder with the settings of [`config`], for changing some of them.
///
/// They come from the variables that Lambda and the SDK define, without network calls and without
/// files. The built configuration shares the HTTP client of [`config`], unless you replace it:
///
/// ```no_run
/// use std::time::Duration;
/// use aws_config::timeout::TimeoutConfig;
/// use powertools::aws;
///
/// let timeouts = TimeoutConfig::builder()
///     .connect_timeout(Duration::from_secs(1))
///     .operation_attempt_timeout(Duration::from_secs(60))
///     .operation_timeout(Duration::from_secs(180));
/// let patient = aws::builder().timeout_config(timeouts.build()).build();
/// ```
///
/// An `endpoint_url` takes the place of `AWS_ENDPOINT_URL`. The variable of one service, such as
/// `AWS_ENDPOINT_URL_DYNAMODB`, takes precedence over both, unless the builder of the service's
/// client has a URL or `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is `true`.
#[must_use = "a builder does nothing until it is built"]
pub fn builder() -> Builder {
    let http = http::client();
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .timeout_config(timeouts())
        .identity_cache(IdentityCache::lazy().build())
        .credentials_provider(variables::credentials(&http));
    builder.set_http_client(Some(http));
    variables::set(&Environment::process(), &mut builder);
    match app_name() {
        Some(name) => builder.app_name(name),
        None => builder,
    }
}

/// Returns a loader of the SDK with the limits, the application name and the HTTP client of
/// [`config`].
///
/// It reads profiles, and takes credentials also from other sources than the environment:
/// see [`load_with`]. Load it once.
#[must_use = "a loader does nothing until it is loaded"]
pub fn loader() -> ConfigLoader {
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http::client())
        .timeout_config(timeouts());
    match app_name() {
        Some(name) => loader.app_name(name),
        None => loader,
    }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}

/// Returns our application name, unless the user has one.
fn app_name() -> Option<AppName> {
    let name = AppName::new(APP_NAME).ok()?;
    Environment::process().get(APP_NAME_VARIABLE).is_none().then_some(name)
}
