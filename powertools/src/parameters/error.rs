use std::sync::Arc;

use super::source::{SourceError, SourceErrorKind};

/// Why there is no value. No variant contains a part of a value.
///
/// [`error_type`](Self::error_type) returns the fixed name under which Lambda reports each of these.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No source can have a value of this name.
    #[error("invalid name of {what}: {reason}")]
    NameInvalid {
        /// The kind and the name, cut to 100 characters.
        what: String,
        /// Why it is invalid.
        reason: &'static str,
    },

    /// The source did not return the value.
    #[error("cannot read the {what}")]
    Source {
        /// The kind and the name.
        what: String,
        /// Its error.
        source: Arc<SourceError>,
    },

    /// The value does not fit the declared type.
    #[error("the {what} is not as declared: {reason}")]
    Invalid {
        /// The kind and the name.
        what: String,
        /// What does not fit, with the path in the JSON.
        reason: String,
    },

    /// The value did not arrive within the remaining time of the invocation.
    #[error("no time remained to read the {what}")]
    OutOfTime {
        /// The kind and the name.
        what: String,
    },

    /// The declaration is per tenant, and the invocation has no tenant.
    #[error("the {what} is declared per tenant, and the invocation has no tenant")]
    TenantMissing {
        /// The kind and the name.
        what: String,
    },

    /// A variable of the environment is invalid.
    #[error("{variable} {reason}")]
    Setting {
        /// The variable.
        variable: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Error {
    /// Returns the name under which Lambda reports the error. It never changes, so that an alarm can
    /// match it.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::NameInvalid { .. } => "Powertools.ParameterNameInvalid",
            Self::Invalid { .. } => "Powertools.ParameterInvalid",
            Self::OutOfTime { .. } => "Powertools.ParameterOutOfTime",
            Self::TenantMissing { .. } => "Powertools.ParameterTenantMissing",
            Self::Setting { .. } => "Powertools.ParameterSettingInvalid",
            Self::Source { source, .. } => match source.kind() {
                SourceErrorKind::NotFound => "Powertools.ParameterNotFound",
                SourceErrorKind::AccessDenied => "Powertools.ParameterAccessDenied",
                SourceErrorKind::Throttled => "Powertools.ParameterThrottled",
                SourceErrorKind::Timeout => "Powertools.ParameterTimeout",
                SourceErrorKind::Encrypted => "Powertools.ParameterEncrypted",
                SourceErrorKind::Unsupported => "Powertools.ParameterUnsupported",
                SourceErrorKind::Unavailable => "Powertools.ParameterUnavailable",
                SourceErrorKind::Other => "Powertools.ParameterFailed",
            },
        }
    }

    /// Returns true if another attempt may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Source { source, .. } => source.is_retryable(),
            Self::OutOfTime { .. } => true,
            Self::NameInvalid { .. }
            | Self::Invalid { .. }
            | Self::TenantMissing { .. }
            | Self::Setting { .. } => false,
        }
    }
}

crate::error::own::name_in_lambda!(Error);
