use std::sync::LazyLock;

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::tls;

/// The HTTP client of this process.
pub(super) fn client() -> SharedHttpClient {
    static CLIENT: LazyLock<SharedHttpClient> = LazyLock::new(|| {
        let builder = aws_smithy_http_client::Builder::new().tls_provider(tls::provider());
        SharedHttpClient::new(Unchecked(builder.build_https()))
    });
    CLIENT.clone()
}

/// An HTTP client without the check that the SDK makes of it for each client of a service: for that
/// it parses every trusted certificate, makes a connector, and throws it away. The connector that
/// the requests use is made when the first of them needs it.
#[derive(Debug)]
struct Unchecked(SharedHttpClient);

impl HttpClient for Unchecked {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    // Part of the user agent.
    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}
