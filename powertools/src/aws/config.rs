use std::env;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, ConfigLoader, SdkConfig};
use tokio::sync::OnceCell;

use super::http;
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

/// Returns the configuration of this execution environment, loading it with [`loader`] at the first
/// call.
///
/// It is loaded again after a SnapStart restore, when connections are closed and credentials may
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
/// On Lambda, loading makes no network calls. If the region or the credentials are missing, the
/// first call of a client returns an error.
pub async fn config() -> &'static SdkConfig {
    CONFIGS[usize::from(restores() > 0)].get_or_init(|| loader().load()).await
}

/// Returns a loader with the settings of [`config`], for changing some of them for all clients.
///
/// The loaded configuration shares the HTTP client of [`config`], unless you replace it. Load it
/// once:
///
/// ```no_run
/// use std::time::Duration;
/// use aws_config::SdkConfig;
/// use aws_config::timeout::TimeoutConfig;
/// use powertools::aws;
///
/// async fn patient() -> SdkConfig {
///     let timeouts = TimeoutConfig::builder()
///         .connect_timeout(Duration::from_secs(1))
///         .operation_attempt_timeout(Duration::from_secs(60))
///         .operation_timeout(Duration::from_secs(180));
///     aws::loader().timeout_config(timeouts.build()).load().await
/// }
/// ```
#[must_use = "a loader does nothing until it is loaded"]
pub fn loader() -> ConfigLoader {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http::client())
        .timeout_config(timeouts);
    match AppName::new(APP_NAME) {
        Ok(name) if env::var_os(APP_NAME_VARIABLE).is_none() => loader.app_name(name),
        _ => loader,
    }
}
