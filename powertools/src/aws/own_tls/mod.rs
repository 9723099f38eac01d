//! TLS of our own clients, with the chosen cryptography, and the certificates that it trusts.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::aws::certificates::{BUNDLE, Certificates};
use crate::environment::Environment;

#[cfg(feature = "tls-fips")]
#[path = "fips.rs"]
mod chosen;
#[cfg(all(feature = "tls-aws-lc", not(feature = "tls-fips")))]
#[path = "aws_lc.rs"]
mod chosen;
#[cfg(not(any(feature = "tls-aws-lc", feature = "tls-fips")))]
#[path = "ring.rs"]
mod chosen;

/// What is wrong with the configuration of a client.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct SetupError {
    pub(crate) what: String,
    #[source]
    pub(crate) source: lambda_runtime::Error,
}

/// Creates the configuration of a process. `is_proxied` says that connections may end at a proxy with
/// certificates that only the system knows.
pub(crate) fn config(
    environment: &Environment,
    is_proxied: bool,
) -> Result<Arc<ClientConfig>, SetupError> {
    trusting(roots(environment, is_proxied)?)
}

fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, SetupError> {
    let config = ClientConfig::builder_with_provider(Arc::new(chosen::provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed("the cryptography of TLS cannot be used", error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn roots(environment: &Environment, is_proxied: bool) -> Result<RootCertStore, SetupError> {
    let mut roots = RootCertStore::empty();
    match Certificates::of(environment, is_proxied) {
        Certificates::Bundle(path) => {
            let unreadable = |error| failed(&format!("cannot read {BUNDLE}"), error);
            let invalid = |error| failed(&format!("a certificate in {BUNDLE} is invalid"), error);
            for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
                roots.add(certificate.map_err(unreadable)?).map_err(invalid)?;
            }
        }
        // Systems have certificates that are not needed and not valid.
        Certificates::System => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Certificates::CompiledIn => {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
    }
    match roots.is_empty() {
        true => Err(failed("there are no trusted certificates", "none was read")),
        false => Ok(roots),
    }
}

fn failed(what: &str, source: impl Into<lambda_runtime::Error>) -> SetupError {
    SetupError { what: what.to_owned(), source: source.into() }
}

#[cfg(all(test, feature = "__outside"))]
mod tests;
