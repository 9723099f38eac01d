//! The certificate authorities that TLS connections trust.

use std::fs;

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::certificates::Certificates;
use super::{Error, proxies};
use crate::environment::Environment;

/// Those of Amazon's endpoints. They need few instructions, where the bundle of a system is most of
/// those of a start.
const AMAZON: &str = include_str!("amazon_roots.pem");

/// The domains of AWS whose certificates are from Amazon's own authorities.
///
/// Those of regions in China (`.amazonaws.com.cn`), of the European Sovereign Cloud
/// (`.amazonaws.eu`) and of isolated regions are not among them.
const AMAZON_DOMAINS: [&str; 2] = [".amazonaws.com", ".api.aws"];

/// The certificate authorities that an [`http_client`](super::http_client) trusts.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Roots {
    /// Those that the environment names, or else Amazon's for the endpoints of AWS and those of the
    /// system for all others.
    #[default]
    Environment,
    /// Amazon's, which are compiled in, for every host.
    Amazon,
    /// Those of the system, or of `SSL_CERT_FILE` and `SSL_CERT_DIR` in their place.
    System,
    /// These certificates alone, in PEM.
    Pem(Vec<u8>),
}

/// The roots of a client, with what its environment adds.
#[derive(Clone, Debug)]
pub(super) enum Chosen {
    /// Amazon's for their domains, the system's for others.
    ByHost,
    Every(Trusted),
}

/// What one connector trusts.
#[derive(Clone, Debug)]
pub(super) enum Trusted {
    Amazon,
    System,
    /// Certificates that the TLS library accepts.
    Pem(Vec<u8>),
}

impl Roots {
    pub(super) fn choose(self, environment: &Environment) -> Result<Chosen, Error> {
        Ok(Chosen::Every(match self {
            Self::Environment => return Ok(from_environment(environment)),
            Self::Amazon => Trusted::Amazon,
            Self::System => Trusted::System,
            Self::Pem(pem) => Trusted::Pem(accepted(&pem).ok_or(Error::NoCertificates)?),
        }))
    }
}

impl Trusted {
    pub(super) fn context(&self) -> TlsContext {
        let pem = |pem: &[u8]| TrustStore::empty().with_pem_certificate(pem);
        let store = match self {
            Self::Amazon => pem(AMAZON.as_bytes()),
            Self::System => TrustStore::default(),
            Self::Pem(certificates) => pem(certificates),
        };
        TlsContext::builder().with_trust_store(store).build().unwrap_or_default()
    }
}

fn from_environment(environment: &Environment) -> Chosen {
    // A proxy may present certificates of its own.
    let is_proxied = proxies::set(environment).next().is_some();
    match Certificates::of(environment, is_proxied) {
        Certificates::Bundle(path) => {
            let certificates = fs::read(&path).ok().and_then(|pem| accepted(&pem));
            if certificates.is_none() {
                tracing::error!(
                    path,
                    "AWS_CA_BUNDLE names no file with a certificate: no TLS connection is trusted"
                );
            }
            Chosen::Every(Trusted::Pem(certificates.unwrap_or_default()))
        }
        Certificates::System => Chosen::Every(Trusted::System),
        Certificates::CompiledIn => Chosen::ByHost,
    }
}

/// Returns true if Amazon's roots are those of a URI, which is also so if it needs none.
pub(super) fn is_amazon(uri: &str) -> bool {
    let Some(rest) = uri.strip_prefix("https://") else { return true };
    let host = rest.split(['/', ':', '?', '#']).next().unwrap_or_default();
    AMAZON_DOMAINS.iter().any(|domain| {
        let start = host.len().checked_sub(domain.len());
        let end = start.and_then(|start| host.get(start..));
        end.is_some_and(|end| end.eq_ignore_ascii_case(domain))
    })
}

/// Returns the certificates that the TLS library accepts, if there are any. With another, the SDK's
/// client would panic.
fn accepted(pem: &[u8]) -> Option<Vec<u8>> {
    const END: &str = "-----END CERTIFICATE-----";

    let text = String::from_utf8_lossy(pem);
    let mut accepted = Vec::new();
    for block in text.split_inclusive(END) {
        let certificate = CertificateDer::from_pem_slice(block.as_bytes()).ok();
        if certificate.is_some_and(|der| RootCertStore::empty().add(der).is_ok()) {
            accepted.extend_from_slice(block.as_bytes());
            accepted.push(b'\n');
        }
    }
    (!accepted.is_empty()).then_some(accepted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::certificates::SYSTEM;

    fn chosen(variables: &[(&str, &str)]) -> Chosen {
        let environment = Environment::of(variables.iter().copied());
        Roots::Environment.choose(&environment).unwrap()
    }

    #[test]
    fn amazons_roots_are_accepted() {
        let accepted = accepted(AMAZON.as_bytes()).unwrap();
        let count = CertificateDer::pem_slice_iter(&accepted).count();
        assert_eq!(count, AMAZON.matches("BEGIN CERTIFICATE").count());
        assert_eq!(count, 5);
    }

    #[test]
    fn only_the_endpoints_of_aws_have_amazons_roots() {
        for uri in [
            "https://dynamodb.eu-central-1.amazonaws.com/",
            "https://123456789012.ddb.eu-central-1.AMAZONAWS.COM",
            "https://dynamodb.us-gov-west-1.amazonaws.com:443/x",
            "https://dynamodb.eu-central-1.api.aws?x",
            "http://169.254.170.2/credentials",
        ] {
            assert!(is_amazon(uri), "{uri}");
        }
        for uri in [
            "https://dynamodb.cn-north-1.amazonaws.com.cn/",
            "https://dynamodb.eusc-de-east-1.amazonaws.eu/",
            "https://localhost:8000/",
            "https://amazonaws.com.example/.amazonaws.com",
            "https://notamazonaws.com/",
            "https://\u{e9}.example",
        ] {
            assert!(!is_amazon(uri), "{uri}");
        }
    }

    #[test]
    fn variables_take_precedence_over_amazons_roots() {
        assert!(matches!(chosen(&[("SSL_CERT_FILE", " ")]), Chosen::ByHost));
        let proxies = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"];
        for name in SYSTEM.iter().chain(&proxies) {
            let chosen = chosen(&[(name, "x")]);
            assert!(matches!(chosen, Chosen::Every(Trusted::System)), "{name}: {chosen:?}");
        }
        let chosen = chosen(&[("AWS_CA_BUNDLE", "/nowhere"), ("SSL_CERT_FILE", "x")]);
        let Chosen::Every(Trusted::Pem(none)) = chosen else { panic!("{chosen:?}") };
        assert!(none.is_empty());
    }

    #[test]
    fn certificates_that_cannot_be_read_are_left_out() {
        let first = &AMAZON[..AMAZON.find("-----END").unwrap()];
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let none = format!("{first}\n-----END CERTIFICATE");
        for pem in ["", "no PEM", broken, &none] {
            assert!(accepted(pem.as_bytes()).is_none(), "{pem}");
        }
        let kept = accepted(format!("{broken}{AMAZON}").as_bytes()).unwrap();
        assert_eq!(CertificateDer::pem_slice_iter(&kept).count(), 5);
    }
}
