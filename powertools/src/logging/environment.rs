//! The variables of the environment that set up the logs.

use super::Error;
use super::filter::levels::{Directives, Level, Levels, ParseLevelError, is_level, name};
use super::line::format::Format;
pub(super) use crate::environment::Environment;
use crate::environment::{DEV, InvalidFlag, SERVICE_NAME};

const LAMBDA_LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";
const LEVEL: &str = "POWERTOOLS_LOG_LEVEL";
const PLAIN_LEVEL: &str = "LOG_LEVEL";
const FILTER: &str = "POWERTOOLS_LOG_FILTER";
const FORMAT: &str = "POWERTOOLS_LOG_FORMAT";
const SAMPLE_RATE: &str = "POWERTOOLS_LOGGER_SAMPLE_RATE";
const LOG_EVENT: &str = "POWERTOOLS_LOGGER_LOG_EVENT";

impl Environment {
    /// `AWS_LAMBDA_LOG_LEVEL` over `POWERTOOLS_LOG_LEVEL` over `LOG_LEVEL` over `code`.
    pub(super) fn levels(&self, code: Level, warnings: &mut Vec<String>) -> Result<Levels, Error> {
        let own = match self.get(LEVEL) {
            None => self.plain_level(warnings),
            Some(word) => Some(word.parse().map_err(|error: ParseLevelError| {
                Error::setting(LEVEL, word, error.to_string())
            })?),
        };
        let by_variable = own.is_some();
        let own = own.unwrap_or(code);
        let lambda = match self.get(LAMBDA_LEVEL).map(|word| word.parse()) {
            None => None,
            Some(Ok(level)) => Some(level),
            Some(Err(_)) => {
                // The user did not write it, and must not have the function stopped by it.
                warnings.push(format!("{LAMBDA_LEVEL} is not a known level: it is ignored"));
                None
            }
        };
        if let Some(lambda) = lambda
            && lambda > own
        {
            warnings.push(format!(
                "the log level {} does not match the {} of {LAMBDA_LEVEL}, which is stricter and \
                 holds: lines between the two are lost",
                name(own),
                name(lambda),
            ));
        }
        let by_variable = by_variable || lambda.is_some();
        Ok(Levels { level: lambda.unwrap_or(own), lambda, by_variable })
    }

    /// The variable that the toolkits for TypeScript and Python read too. Other programs give it
    /// words of their own, which must not stop a function.
    fn plain_level(&self, warnings: &mut Vec<String>) -> Option<Level> {
        let level = self.get(PLAIN_LEVEL)?.parse().ok();
        if level.is_none() {
            warnings.push(format!("{PLAIN_LEVEL} is not a known level: it is ignored"));
        }
        level
    }

    /// Returns `POWERTOOLS_LOG_FILTER`, or else `code`. If a variable sets the level, only the
    /// directives of `code` with a target apply.
    pub(super) fn filter(&self, code: String, levels: Levels) -> Directives {
        match self.get(FILTER) {
            Some(text) => Directives { setting: FILTER, text },
            None if levels.by_variable => {
                let targets: Vec<_> = code.split(',').filter(|text| !is_level(text)).collect();
                Directives { setting: "filter", text: targets.join(",") }
            }
            None => Directives { setting: "filter", text: code },
        }
    }

    pub(super) fn service(&self) -> Option<String> {
        self.get(SERVICE_NAME)
    }

    pub(super) fn format(&self) -> Result<Option<Format>, Error> {
        match self.get(FORMAT).map(|word| word.to_ascii_lowercase()).as_deref() {
            None => Ok(None),
            Some("json") => Ok(Some(Format::Json)),
            Some("text") => Ok(Some(Format::Text)),
            Some(other) => Err(Error::setting(FORMAT, other, "a format is json or text")),
        }
    }

    pub(super) fn sample_rate(&self) -> Result<Option<f64>, Error> {
        let Some(text) = self.get(SAMPLE_RATE) else { return Ok(None) };
        match text.parse() {
            Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(Some(rate)),
            _ => Err(Error::setting(SAMPLE_RATE, text, "a rate is a number from 0 to 1")),
        }
    }

    pub(super) fn log_event(&self) -> Result<Option<bool>, Error> {
        self.switch(LOG_EVENT)
    }

    pub(super) fn dev(&self) -> Result<bool, Error> {
        Ok(self.switch(DEV)?.unwrap_or(false))
    }

    fn switch(&self, name: &'static str) -> Result<Option<bool>, Error> {
        self.flag(name).map_err(|InvalidFlag { name, value }| {
            Error::setting(name, value, "it is neither true nor false")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambda_overrides_the_variable_and_the_variable_overrides_code() {
        assert_eq!(levels(&[], Level::Debug), (Level::Debug, 0));
        assert_eq!(levels(&[(LEVEL, "warn")], Level::Debug), (Level::Warn, 0));
        assert_eq!(levels(&[(LAMBDA_LEVEL, "DEBUG"), (LEVEL, "warn")], Level::Info), {
            (Level::Debug, 0)
        });
        assert_eq!(levels(&[(LAMBDA_LEVEL, "FATAL")], Level::Fatal), (Level::Fatal, 0));
    }

    #[test]
    fn a_stricter_level_of_lambda_is_worth_a_warning() {
        assert_eq!(levels(&[(LAMBDA_LEVEL, "ERROR")], Level::Info), (Level::Error, 1));
        assert_eq!(levels(&[(LAMBDA_LEVEL, "LOUD")], Level::Info), (Level::Info, 1));
    }

    #[test]
    fn unknown_values_are_errors() {
        for (name, word) in [
            (LEVEL, "loud"),
            (FORMAT, "xml"),
            (SAMPLE_RATE, "1.5"),
            (SAMPLE_RATE, "NaN"),
            (SAMPLE_RATE, "few"),
            (LOG_EVENT, "perhaps"),
            (DEV, "2"),
        ] {
            let error = super::super::Logging::new().environment([(name, word)]).build().err();
            let text = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(text.starts_with(&format!("{name} is {word:?}: ")), "{text}");
        }
    }

    #[test]
    fn the_format_of_lambda_is_not_read() {
        let environment = Environment::of([("AWS_LAMBDA_LOG_FORMAT", "Text")]);
        assert_eq!(environment.format().unwrap(), None);
        assert_eq!(Environment::of([(FORMAT, "TEXT")]).format().unwrap(), Some(Format::Text));
    }

    fn levels(variables: &[(&str, &str)], code: Level) -> (Level, usize) {
        let mut warnings = Vec::new();
        let environment = Environment::of(variables.iter().copied());
        (environment.levels(code, &mut warnings).unwrap().level, warnings.len())
    }
}
