use std::fmt;

/// An error in the settings of the metrics. It occurs at start, and never later.
///
/// `main` prints an error with `Debug`, so that form is the message too.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither the code nor `POWERTOOLS_METRICS_NAMESPACE` sets a namespace.
    #[error("metrics have no namespace: set `Metrics::namespace` or POWERTOOLS_METRICS_NAMESPACE")]
    NamespaceMissing,

    /// CloudWatch does not take the namespace.
    #[error("the namespace {namespace:?} is invalid: {reason}")]
    NamespaceInvalid {
        /// The namespace.
        namespace: String,
        /// Why it is invalid.
        reason: &'static str,
    },

    /// CloudWatch does not take the dimension.
    #[error("the dimension {name:?} is invalid: {reason}")]
    DimensionInvalid {
        /// The name of the dimension.
        name: String,
        /// Why it is invalid.
        reason: &'static str,
    },

    /// A variable of the environment has an invalid value.
    #[error("{variable} is {value:?}: {reason}")]
    Setting {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// Why it is invalid.
        reason: &'static str,
    },

    /// The process has settings for metrics already.
    #[error("metrics are set up already: they can be initialised once")]
    AlreadySet,
}

impl Error {
    /// Returns the name under which Lambda reports the error. It never changes, so that an alarm can
    /// match it.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::NamespaceMissing => "Powertools.MetricsNamespaceMissing",
            Self::NamespaceInvalid { .. } => "Powertools.MetricsNamespaceInvalid",
            Self::DimensionInvalid { .. } => "Powertools.MetricsDimensionInvalid",
            Self::Setting { .. } => "Powertools.MetricsSettingInvalid",
            Self::AlreadySet => "Powertools.MetricsAlreadySet",
        }
    }

    /// Returns false: the settings are the same the next time.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        false
    }
}

crate::error::own::name_in_lambda!(Error);

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
