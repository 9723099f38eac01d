use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::{
    RuntimeComponents, RuntimeComponentsBuilder,
};
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::timeout::TimeoutConfig;

use super::roots::{Chosen, Roots, Trusted, is_amazon};
use super::{Error, proxies, tls};
use crate::environment::Environment;
use crate::process::restores;

/// Creates an HTTP client for AWS clients that trusts `roots`.
///
/// It has the TLS and the proxies of [`config`](super::config), and connections of its own. Give it
/// to a [`builder`](super::builder) or a [`loader`](super::loader):
///
/// ```no_run
/// # fn example(pem: Vec<u8>) -> Result<(), powertools::aws::Error> {
/// use powertools::aws::{self, Roots};
///
/// let config = aws::builder().http_client(aws::http_client(Roots::Pem(pem))?).build();
/// # let _ = config;
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// Returns [`Error::NoCertificates`] if a PEM contains no certificate that can be read.
pub fn http_client(roots: Roots) -> Result<SharedHttpClient, Error> {
    let environment = Environment::process();
    let roots = roots.choose(&environment)?;
    for variable in proxies::unreadable(&environment) {
        tracing::error!(variable, "it is not the URL of a proxy: requests go past the proxy");
    }
    Ok(SharedHttpClient::new(Client { roots, connectors: RwLock::default() }))
}

/// Returns the HTTP client of this process.
pub(super) fn client() -> SharedHttpClient {
    // One before a restore, which closes its connections, and one after it.
    static CLIENTS: [LazyLock<SharedHttpClient>; 2] = [const { LazyLock::new(make) }; 2];
    CLIENTS[usize::from(restores() > 0)].clone()
}

fn make() -> SharedHttpClient {
    http_client(Roots::Environment).expect("the environment is always a choice")
}

/// The connectors with their connections, by the limits on connecting and reading.
///
/// The SDK's own HTTP client creates one more for each SDK client, and drops it, so that
/// certificates are read early.
#[derive(Debug)]
struct Client {
    roots: Chosen,
    connectors: RwLock<HashMap<[Option<Duration>; 2], SharedHttpConnector>>,
}

impl Client {
    fn connector(
        &self,
        settings: &HttpConnectorSettings,
        sleep: Option<SharedAsyncSleep>,
    ) -> SharedHttpConnector {
        let limits = [settings.connect_timeout(), settings.read_timeout()];
        let connectors = self.connectors.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(connector) = connectors.get(&limits) {
            return connector.clone();
        }
        drop(connectors);

        let mut connectors = self.connectors.write().unwrap_or_else(PoisonError::into_inner);
        let create = || {
            let plan = Plan { settings: settings.clone(), sleep };
            match &self.roots {
                Chosen::Every(trusted) => SharedHttpConnector::new(plan.connector(trusted)),
                Chosen::ByHost => SharedHttpConnector::new(ByHost {
                    amazon: plan.connector(&Trusted::Amazon),
                    others: OnceLock::new(),
                    plan,
                }),
            }
        };
        connectors.entry(limits).or_insert_with(create).clone()
    }
}

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.connector(settings, components.sleep_impl())
    }

    /// Creates the connector of the client's requests, during initialisation.
    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(limits) = config.load::<TimeoutConfig>() {
            let mut settings = HttpConnectorSettings::builder();
            settings.set_connect_timeout(limits.connect_timeout());
            settings.set_read_timeout(limits.read_timeout());
            self.connector(&settings.build(), components.sleep_impl());
        }
        Ok(())
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("hyper", Some("1.x".into())))
    }
}

/// All that connectors with different roots have in common.
#[derive(Clone, Debug)]
struct Plan {
    settings: HttpConnectorSettings,
    sleep: Option<SharedAsyncSleep>,
}

impl Plan {
    fn connector(&self, trusted: &Trusted) -> Connector {
        let mut connector = Connector::builder()
            .tls_provider(tls::provider())
            .tls_context(trusted.context())
            // The SDK's builder of clients ignores the variables that name a proxy.
            .proxy_config(ProxyConfig::from_env())
            .connector_settings(self.settings.clone());
        connector.set_sleep_impl(self.sleep.clone());
        connector.build()
    }
}

/// A connector that trusts Amazon's roots for the endpoints of AWS, and those of the system for
/// others. It reads these only for a request that needs them.
#[derive(Debug)]
struct ByHost {
    amazon: Connector,
    others: OnceLock<Connector>,
    plan: Plan,
}

impl HttpConnector for ByHost {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if is_amazon(request.uri()) {
            self.amazon.call(request)
        } else {
            self.others.get_or_init(|| self.plan.connector(&Trusted::System)).call(request)
        }
    }
}
