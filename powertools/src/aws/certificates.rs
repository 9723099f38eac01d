//! Which certificates the environment names, by one rule for the SDK's client and the lean one.

use crate::environment::Environment;

/// A file of trusted certificates, in place of all others.
pub(super) const BUNDLE: &str = "AWS_CA_BUNDLE";
/// What `rustls-native-certs` reads.
pub(super) const SYSTEM: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

pub(super) enum Certificates {
    /// Those in the file of [`BUNDLE`].
    Bundle(String),
    /// Those of the system, or of the variables that name them.
    System,
    /// None are named: those that are compiled in.
    CompiledIn,
}

impl Certificates {
    /// Returns what `environment` names. `is_proxied` says that connections may end at a proxy with
    /// certificates that only the system knows.
    pub(super) fn of(environment: &Environment, is_proxied: bool) -> Self {
        if let Some(path) = environment.get(BUNDLE) {
            Self::Bundle(path)
        } else if is_proxied || SYSTEM.iter().any(|name| environment.get(name).is_some()) {
            Self::System
        } else {
            Self::CompiledIn
        }
    }
}
