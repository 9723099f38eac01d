use std::env;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, ConfigLoader, SdkConfig};
use tokio::sync::OnceCell;

use super::http;
use crate::process::restores;

/// How long a connection may take, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the service has for one answer.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a call may take, all attempts and the pauses between them.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);

/// The name under which requests are seen where the user has not given one.
const APP_NAME: &str = concat!("powertools-rust-", env!("CARGO_PKG_VERSION"));
/// Where the user gives one.
const APP_NAME_VARIABLE: &str = "AWS_SDK_UA_APP_ID";

/// One for the time before a restore, one for after: there is at most one restore.
static CONFIGS: [OnceCell<SdkConfig>; 2] = [const { OnceCell::const_new() }; 2];

/// The configuration of this execution environment: what [`loader`] loads, loaded once, and once
/// more after a SnapStart restore, when connections are closed and credentials may have expired.
/// Clients are made anew then too where they are kept in an [`InitOnce`](crate::InitOnce). Only a
/// function that [`Powertools`](crate::Powertools) runs learns of a restore.
///
/// All clients that are made of it share its HTTP client, and with it connections, trusted
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
/// It does not connect to anything on Lambda. Where there is no region or there are no
/// credentials, the first call of a client says so.
pub async fn config() -> &'static SdkConfig {
    CONFIGS[usize::from(restores() > 0)].get_or_init(|| loader().load()).await
}

/// Our settings, to change some of them for all clients.
///
/// What this loads shares the HTTP client with [`config`], unless that is what you change. Load it
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
#[must_use = "this only describes the configuration: load it"]
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
