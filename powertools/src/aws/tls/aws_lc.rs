//! AWS-LC.

use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

use super::Tls;

pub(super) const TLS: Tls = Tls::AwsLc;
pub(super) const MODE: CryptoMode = CryptoMode::AwsLc;
