//! The FIPS module of AWS-LC.

use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

use super::Tls;

pub(super) const TLS: Tls = Tls::AwsLcFips;
pub(super) const MODE: CryptoMode = CryptoMode::AwsLcFips;
