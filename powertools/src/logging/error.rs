use std::fmt;

/// An error in the settings of the logs. It occurs at start, and never later.
///
/// `main` prints an error with `Debug`, so that form is the message too.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting has an invalid value.
    #[error("{setting} is {value:?}: {reason}")]
    Setting {
        /// The variable of the environment, or the method of [`Logging`](super::Logging).
        setting: &'static str,
        /// The value.
        value: String,
        /// Why it is invalid.
        reason: String,
    },

    /// The program has set a `tracing` subscriber before.
    ///
    /// To use other layers too, add [`Logging::layer`](super::Logging::layer) to them.
    #[error("a tracing subscriber is set already: logging can be initialised once")]
    AlreadySet,

    /// The program has set a logger for the `log` facade before.
    #[error("a logger is set already: the records of `log` can be forwarded to one place only")]
    LoggerAlreadySet,
}

impl Error {
    pub(super) fn setting(
        setting: &'static str,
        value: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self::Setting { setting, value: value.into(), reason: reason.into() }
    }

    /// Returns the name under which Lambda reports the error. It never changes, so that an alarm can
    /// match it.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::Setting { .. } => "Powertools.LoggingSettingInvalid",
            Self::AlreadySet => "Powertools.LoggingAlreadySet",
            Self::LoggerAlreadySet => "Powertools.LoggingLoggerAlreadySet",
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
