use std::sync::LazyLock;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::tls;
use crate::process::restores;

/// Returns the HTTP client of this process.
///
/// The first SDK client that uses it reads the trusted certificates, during initialisation; the
/// first requests open the connections.
pub(super) fn client() -> SharedHttpClient {
    // One before a restore, which closes its connections, and one after it.
    static CLIENTS: [LazyLock<SharedHttpClient>; 2] = [const { LazyLock::new(make) }; 2];
    CLIENTS[usize::from(restores() > 0)].clone()
}

/// The connectors are built here and not by the builder, which ignores the variables that name a
/// proxy.
fn make() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = Connector::builder()
            .tls_provider(tls::provider())
            .proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.build()
    })
}
