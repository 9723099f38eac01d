use std::sync::LazyLock;

use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::tls;
use crate::process::restores;

/// The HTTP client of this process.
///
/// The first client of a service that takes it reads the trusted certificates, while the function
/// starts; the connections are made by the first requests.
pub(super) fn client() -> SharedHttpClient {
    // One for the time before a restore, whose connections are closed after it, and one for after.
    static CLIENTS: [LazyLock<SharedHttpClient>; 2] = [const { LazyLock::new(make) }; 2];
    CLIENTS[usize::from(restores() > 0)].clone()
}

fn make() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(tls::provider()).build_https()
}
