//! ring.

use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

use super::Tls;

pub(super) const TLS: Tls = Tls::Ring;
pub(super) const MODE: CryptoMode = CryptoMode::Ring;
