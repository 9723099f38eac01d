/// A mistake in the configuration of AWS clients, at the start of a function.
///
/// [`error_type`](Self::error_type) returns the fixed name under which Lambda reports each of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A PEM contains no certificate that can be read.
    #[error("the PEM contains no certificate that can be read")]
    NoCertificates,
    /// [`load_with`](super::load_with) was called after [`config`](super::config) had loaded, or
    /// twice.
    #[error("the configuration is loaded already; call `load_with` first in `main`, and once")]
    Loaded,
}

impl Error {
    /// Returns the name under which Lambda reports the error. It never changes, so that an alarm can
    /// match it.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::NoCertificates => "Powertools.AwsCertificatesInvalid",
            Self::Loaded => "Powertools.AwsConfigLoaded",
        }
    }

    /// Returns true if another attempt may succeed, which is never.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        false
    }
}

crate::error::own::name_in_lambda!(Error);
