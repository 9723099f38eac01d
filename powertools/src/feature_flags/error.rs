use super::Problem;

/// Why there is no value of a feature. No variant contains a value of the document or the context.
///
/// [`error_type`](Self::error_type) returns the fixed name under which Lambda reports each of these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The document is invalid JSON, or not an object of features.
    #[error("invalid document of feature flags: {reason}")]
    DocumentInvalid {
        /// What is wrong with it.
        reason: String,
    },

    /// The document has no feature of this name.
    #[error("there is no feature {feature}")]
    NotFound {
        /// The name.
        feature: String,
    },

    /// The feature is not valid. The others of the document are evaluated.
    #[error("the feature {feature} is invalid: {problem}")]
    Invalid {
        /// The name.
        feature: String,
        /// The first of its problems.
        problem: Problem,
    },

    /// The context is not an object, or cannot be serialised.
    #[error("invalid context for the feature {feature}: {reason}")]
    ContextInvalid {
        /// The name.
        feature: String,
        /// What is wrong with it.
        reason: String,
    },

    /// The value of the feature does not fit the type that was asked for.
    #[error(
        "the value of the feature {feature} does not fit the type that was asked for, at {path}"
    )]
    TypeMismatch {
        /// The name.
        feature: String,
        /// The place in the value, as `a.b[0]`; `.` is the value itself.
        path: String,
    },
}

impl Error {
    /// Returns the name under which Lambda reports the error. It never changes, so that an alarm can
    /// match it.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::DocumentInvalid { .. } => "Powertools.FeatureFlagsInvalid",
            Self::NotFound { .. } => "Powertools.FeatureFlagNotFound",
            Self::Invalid { .. } => "Powertools.FeatureFlagInvalid",
            Self::ContextInvalid { .. } => "Powertools.FeatureFlagContextInvalid",
            Self::TypeMismatch { .. } => "Powertools.FeatureFlagTypeMismatch",
        }
    }

    /// Returns true if another attempt may succeed. It may not with the same document and context.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        false
    }
}

crate::error::own::name_in_lambda!(Error);
