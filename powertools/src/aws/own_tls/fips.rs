//! The FIPS module of AWS-LC.

use rustls::crypto::{CryptoProvider, default_fips_provider};

pub(super) fn provider() -> CryptoProvider {
    default_fips_provider()
}
