//! The variables of Lambda and of this toolkit, all read in one way.

use std::collections::HashMap;

/// The address of Lambda's runtime service, which is set wherever a function runs.
pub(crate) const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";
/// How many events the environment handles at the same time; set on Managed Instances.
pub(crate) const MAX_CONCURRENCY: &str = "AWS_LAMBDA_MAX_CONCURRENCY";
pub(crate) const FUNCTION_NAME: &str = "AWS_LAMBDA_FUNCTION_NAME";
pub(crate) const FUNCTION_VERSION: &str = "AWS_LAMBDA_FUNCTION_VERSION";
pub(crate) const MEMORY_SIZE: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
pub(crate) const INITIALIZATION_TYPE: &str = "AWS_LAMBDA_INITIALIZATION_TYPE";
pub(crate) const SERVICE_NAME: &str = "POWERTOOLS_SERVICE_NAME";
pub(crate) const IDEMPOTENCY_DISABLED: &str = "POWERTOOLS_IDEMPOTENCY_DISABLED";
pub(crate) const PARAMETERS_MAX_AGE: &str = "POWERTOOLS_PARAMETERS_MAX_AGE";
pub(crate) const PARAMETERS_DECRYPT: &str = "POWERTOOLS_PARAMETERS_SSM_DECRYPT";
/// The token that proves to a local extension that the request comes from the function.
pub(crate) const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
pub(crate) const EXTENSION_PORT: &str = "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT";
pub(crate) const APPCONFIG_PORT: &str = "AWS_APPCONFIG_EXTENSION_HTTP_PORT";
pub(crate) const DEV: &str = "POWERTOOLS_DEV";

/// The variables of the process, or those that a test gives in their place.
///
/// A variable that holds nothing but white space counts as unset, and white space around a value is
/// not part of it.
#[derive(Clone, Debug, Default)]
pub struct Environment(Option<HashMap<String, String>>);

/// A variable that should hold a flag, and does not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is neither true nor false")]
pub(crate) struct InvalidFlag {
    pub(crate) name: &'static str,
    pub(crate) value: String,
}

impl Environment {
    /// The variables of the process.
    #[must_use]
    pub const fn process() -> Self {
        Self(None)
    }

    /// These variables and no others.
    pub fn of<N: Into<String>, V: Into<String>>(
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let pair = |(name, value): (N, V)| (name.into(), value.into());
        Self(Some(variables.into_iter().map(pair).collect()))
    }

    /// Returns the value of a variable. One that is not Unicode counts as unset.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let value = match &self.0 {
            None => std::env::var(name).ok()?,
            Some(variables) => variables.get(name)?.clone(),
        };
        match value.trim() {
            "" => None,
            trimmed if trimmed.len() == value.len() => Some(value),
            trimmed => Some(trimmed.to_owned()),
        }
    }

    /// Returns whether a variable is on.
    pub(crate) fn flag(&self, name: &'static str) -> Result<Option<bool>, InvalidFlag> {
        let Some(value) = self.get(name) else { return Ok(None) };
        parse_flag(&value).map(Some).ok_or(InvalidFlag { name, value })
    }

    /// Returns the level of Lambda's own setting where it is above INFO. Lambda
    /// [counts](https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html) JSON
    /// without a level as INFO, so that lines which are no logs can be lost.
    #[must_use]
    pub fn level_above_info(&self) -> Option<String> {
        let level = self.get("AWS_LAMBDA_LOG_LEVEL")?;
        let is_above = ["WARN", "ERROR", "FATAL"].iter().any(|it| level.eq_ignore_ascii_case(it));
        is_above.then_some(level)
    }

    /// Returns true where a function runs: in Lambda and its emulators.
    pub(crate) fn is_lambda(&self) -> bool {
        self.get(RUNTIME_API).is_some()
    }

    /// Returns the region of the function, from the variables that the SDK reads.
    #[must_use]
    pub fn region(&self) -> Option<String> {
        self.get("AWS_REGION").or_else(|| self.get("AWS_DEFAULT_REGION"))
    }

    /// Returns the name of the function; empty outside of Lambda.
    #[must_use]
    pub fn function_name(&self) -> String {
        self.get(FUNCTION_NAME).unwrap_or_default()
    }
}

/// The words of the Python toolkit, so that one setting serves functions in both languages.
fn parse_flag(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "1" | "y" | "yes" | "t" | "true" | "on" => Some(true),
        "0" | "n" | "no" | "f" | "false" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_not_a_value() {
        let environment = Environment::of([("A", "  "), ("B", " b "), ("C", "")]);
        assert_eq!(environment.get("A"), None);
        assert_eq!(environment.get("B").as_deref(), Some("b"));
        assert_eq!(environment.get("C"), None);
        assert_eq!(environment.get("D"), None);
    }

    #[test]
    fn the_switch_takes_the_words_of_the_python_toolkit() {
        for word in ["1", "y", "YES", "t", "True", "on"] {
            assert_eq!(parse_flag(word), Some(true), "{word}");
        }
        for word in ["0", "n", "No", "f", "FALSE", "off"] {
            assert_eq!(parse_flag(word), Some(false), "{word}");
        }
        for word in ["", "2", "enabled", " true"] {
            assert_eq!(parse_flag(word), None, "{word}");
        }
    }

    #[test]
    fn an_invalid_flag_is_named() {
        assert_eq!(Environment::of([(DEV, " ")]).flag(DEV), Ok(None));
        assert_eq!(Environment::of([(DEV, " true")]).flag(DEV), Ok(Some(true)));
        let error = Environment::of([(DEV, "perhaps")]).flag(DEV).unwrap_err();
        assert_eq!(error.to_string(), "POWERTOOLS_DEV is neither true nor false");
        assert_eq!(error.value, "perhaps");
    }
}
