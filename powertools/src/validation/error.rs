use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{Http, own};
use crate::json::cut::truncate;

/// The most violations that an error has, so that a hostile value does not lead to endless ones.
const MOST: usize = 20;

/// The longest path and the longest message, in bytes.
const LONGEST: usize = 256;

/// Why a value was rejected.
///
/// | | an HTTP function answers |
/// |---|---|
/// | [`Invalid`](Self::Invalid) | 422, with the violations as the member `errors` of the problem |
/// | others | 500: the client is not at fault |
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What was received breaks rules. It has the first 20 violations.
    #[error("the value is invalid: {}", List(.0))]
    Invalid(Vec<Violation>),
    /// What the function is about to return breaks rules. It has the first 20 violations.
    #[error("the result is invalid: {}", List(.0))]
    Output(Vec<Violation>),
    /// The schema is not a JSON Schema, has a format that is not known, or refers to another document.
    #[error("the schema is invalid: {0}")]
    Schema(String),
    /// The value cannot be written as JSON.
    #[error("the value cannot be written as JSON")]
    Unwritable(#[source] serde_json::Error),
}

/// A rule that a value breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    path: String,
    detail: String,
}

impl Violation {
    /// Creates a violation at `path`, such as `items[0].price`; empty for the value as a whole. `detail`
    /// says what is wrong there, and must not contain the value. Each of them is truncated at 256 bytes.
    #[must_use]
    pub fn new(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { path: bounded(path.into()), detail: bounded(detail.into()) }
    }

    /// Returns where the value breaks the rule, such as `items[0].price`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns what is wrong there.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

fn bounded(mut text: String) -> String {
    truncate(&mut text, LONGEST);
    text
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.path {
            "" => f.write_str(&self.detail),
            path => write!(f, "`{path}`: {}", self.detail),
        }
    }
}

struct List<'a>(&'a [Violation]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            violation.fmt(f)?;
        }
        Ok(())
    }
}

impl Error {
    /// Returns [`Error::Invalid`] if there are violations.
    ///
    /// # Errors
    ///
    /// That is its purpose.
    pub fn if_any(violations: impl IntoIterator<Item = Violation>) -> Result<(), Self> {
        let violations: Vec<Violation> = violations.into_iter().take(MOST).collect();
        if violations.is_empty() { Ok(()) } else { Err(Self::Invalid(violations)) }
    }

    /// Returns the violations.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        match self {
            Self::Invalid(violations) | Self::Output(violations) => violations,
            Self::Schema(_) | Self::Unwritable(_) => &[],
        }
    }

    /// Returns the name under which Lambda reports the error. It never changes, so that an alarm can
    /// match it.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "Powertools.ValidationInvalid",
            Self::Output(_) => "Powertools.ValidationOutputInvalid",
            Self::Schema(_) => "Powertools.ValidationSchemaInvalid",
            Self::Unwritable(_) => "Powertools.ValidationUnwritable",
        }
    }

    /// Returns true if another attempt with the same value can succeed: never.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        false
    }

    fn http(&self) -> Option<Http> {
        let Self::Invalid(violations) = self else { return Some(Http::new(500)) };
        let mut told = Http::new(422);
        told.detail = Some("the value is invalid".to_owned());
        told.members = members(violations);
        Some(told)
    }
}

fn members(violations: &[Violation]) -> Map<String, Value> {
    let errors = serde_json::to_value(violations).unwrap_or_default();
    Map::from_iter([("errors".to_owned(), errors)])
}

own::name_in_lambda!(Error, http = Error::http);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_bounded() {
        let violations =
            (0..1_000_000).map(|at| Violation::new(format!("[{at}]"), "ä".repeat(1_000)));
        let error = Error::if_any(violations).unwrap_err();
        assert_eq!(error.violations().len(), 20);
        let detail = error.violations()[0].detail();
        assert!(detail.ends_with("ä…") && (250..=256).contains(&detail.len()), "{detail}");
        assert!(error.to_string().len() < 10_000);
    }
}
