//! AWS-LC.

use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub(super) fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}
