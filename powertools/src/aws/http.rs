use std::sync::LazyLock;

use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::tls;

/// The HTTP client of this process.
///
/// The first client of a service that takes it reads the trusted certificates, while the function
/// starts; the connections are made by the first requests.
pub(super) fn client() -> SharedHttpClient {
    static CLIENT: LazyLock<SharedHttpClient> = LazyLock::new(|| {
        aws_smithy_http_client::Builder::new().tls_provider(tls::provider()).build_https()
    });
    CLIENT.clone()
}
