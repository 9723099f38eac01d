use std::str::FromStr;

use tracing::level_filters::LevelFilter;

/// How severe an event must be for its line to be written.
///
/// It is parsed from the words of Lambda's own setting, in upper or lower case: `TRACE`, `DEBUG`, `INFO`,
/// `WARN`, `ERROR`, `FATAL`; the `WARNING`, `CRITICAL` and `SILENT` of other toolkits are understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Everything.
    Trace,
    /// Debug lines and above.
    Debug,
    /// The default.
    #[default]
    Info,
    /// Warnings and errors.
    Warn,
    /// Errors only.
    Error,
    /// Nothing: no event of `tracing` is above an error.
    Fatal,
}

impl Level {
    pub(in crate::logging) fn filter(self) -> LevelFilter {
        match self {
            Self::Trace => LevelFilter::TRACE,
            Self::Debug => LevelFilter::DEBUG,
            Self::Info => LevelFilter::INFO,
            Self::Warn => LevelFilter::WARN,
            Self::Error => LevelFilter::ERROR,
            Self::Fatal => LevelFilter::OFF,
        }
    }
}

/// The error of a word that is not a [`Level`].
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("a level is one of TRACE, DEBUG, INFO, WARN, ERROR and FATAL")]
pub struct ParseLevelError(());

crate::error::own::without_name!(ParseLevelError);

impl FromStr for Level {
    type Err = ParseLevelError;

    fn from_str(word: &str) -> Result<Self, ParseLevelError> {
        Ok(match word.to_ascii_uppercase().as_str() {
            "TRACE" => Self::Trace,
            "DEBUG" => Self::Debug,
            "INFO" => Self::Info,
            "WARN" | "WARNING" => Self::Warn,
            "ERROR" => Self::Error,
            "FATAL" | "CRITICAL" | "SILENT" => Self::Fatal,
            _ => return Err(ParseLevelError(())),
        })
    }
}

/// The word for a level in Lambda's own settings.
pub(in crate::logging) fn name(level: Level) -> &'static str {
    match level {
        Level::Trace => "TRACE",
        Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
        Level::Fatal => "FATAL",
    }
}

/// The level that holds, and Lambda's own one if it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::logging) struct Levels {
    pub(in crate::logging) level: Level,
    pub(in crate::logging) lambda: Option<Level>,
    /// True if a variable set the level, and not the code.
    pub(in crate::logging) by_variable: bool,
}

/// The levels of targets, and what they were set by.
pub(in crate::logging) struct Directives {
    pub(in crate::logging) setting: &'static str,
    pub(in crate::logging) text: String,
}

/// True for a directive that is about all targets.
pub(in crate::logging) fn is_level(directive: &str) -> bool {
    directive.trim().parse::<LevelFilter>().is_ok()
}
