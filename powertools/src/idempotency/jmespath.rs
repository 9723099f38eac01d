use super::Error;
use crate::json::JmesPathError;

/// An invalid expression is a mistake of the configuration; one that does not fit an event is an
/// invalid key.
impl From<JmesPathError> for Error {
    fn from(error: JmesPathError) -> Self {
        match error {
            JmesPathError::Invalid { .. } => Self::Config(error.to_string()),
            JmesPathError::Unfit { expression, reason } => {
                Self::KeyInvalid { operation: expression, reason }
            }
        }
    }
}

impl JmesPathError {
    /// Returns the name under which Lambda reports the error: that of the [`Error`] that it becomes.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        Error::from(self.clone()).error_type()
    }
}

crate::error::own::name_in_lambda!(JmesPathError);
