//! JSON that `serde_json` cannot do: values without loss, and text that is written, copied, scanned
//! and cut.

mod de;
mod name;
mod parse;
mod ser;

pub(crate) mod copy;
pub(crate) mod cut;
pub(crate) mod scan;
pub(crate) mod write;

use std::fmt;
use std::ops::Index;
use std::str::FromStr;

pub(crate) use self::de::{from_text, from_tree};
use self::parse::Parser;
pub(crate) use self::parse::last_wins;
pub(crate) use self::ser::{FLOAT, NUMBER, RAW_VALUE};

/// Containers may be nested this deep, as in `serde_json`.
pub(crate) const MAX_DEPTH: usize = 128;

/// A JSON document, kept without loss.
///
/// Numbers keep the text that they were written with, and objects the order of their members,
/// whatever features of `serde_json` the program turns on. So a key derived from it is the key of
/// the event itself. It is an event type like any other: a handler may take a `LambdaEvent<Json>`.
///
/// A text with half of a surrogate pair (`"\ud800"`) is refused, since no Rust string can hold it;
/// so are documents nested deeper than 128 lists and objects.
///
/// ```
/// use powertools::idempotency::Json;
///
/// let order: Json = r#"{"id": "o-1", "items": [{"price": 10.0}]}"#.parse()?;
/// assert_eq!(order["id"].as_str(), Some("o-1"));
/// assert_eq!(order["items"][0]["price"].to_string(), "10.0");
/// assert!(order["customer"].is_null());
/// # Ok::<(), powertools::idempotency::JsonError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as the text that it was written with.
    Number(Number),
    /// A text.
    String(String),
    /// A list.
    Array(Vec<Json>),
    /// A map, in the order in which it was written; each name stands once. Of members with one
    /// name the last value holds, in the place of the first.
    Object(Vec<(String, Json)>),
}

/// A JSON number, as the text that it was written with.
///
/// Numbers are equal if their texts are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number(String);

/// Why a text is not a JSON document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {reason}")]
pub struct JsonError {
    reason: &'static str,
    at: usize,
}

crate::error::own::without_name!(JsonError);

impl Number {
    /// The number's own text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the text has neither a fraction nor an exponent.
    pub(crate) fn is_integer(&self) -> bool {
        !self.0.contains(['.', 'e', 'E'])
    }

    /// The nearest double, which is infinite for a number beyond the range of doubles.
    ///
    /// From std, since `serde_json` does not always find the nearest one.
    pub(crate) fn to_f64(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }
}

impl Json {
    /// Whether this is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value, if this is `true` or `false`.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if this is one; parse its text into the type that is needed.
    #[must_use]
    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The text, if this is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The members, if this is a list.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Json]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members, if this is a map.
    #[must_use]
    pub fn as_object(&self) -> Option<&[(String, Json)]> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The member of a map that has this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.as_object()?.iter().find(|(its_name, _)| its_name == name).map(|(_, value)| value)
    }

    /// The value that a JSON pointer (RFC 6901) leads to, such as `/items/0/price`.
    #[must_use]
    pub fn pointer(&self, pointer: &str) -> Option<&Json> {
        if pointer.is_empty() {
            return Some(self);
        }
        let steps = pointer.strip_prefix('/')?.split('/');
        steps.map(|step| step.replace("~1", "/").replace("~0", "~")).try_fold(self, |at, step| {
            match at {
                // As the RFC has it, an index has no sign and no leading zero.
                Self::Array(_) if step.starts_with('+') => None,
                Self::Array(_) if step.len() > 1 && step.starts_with('0') => None,
                Self::Array(items) => items.get(step.parse::<usize>().ok()?),
                _ => at.get(&step),
            }
        })
    }

    /// Whether a key of this value counts as absent.
    pub(crate) fn is_absent(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Bool(_) | Self::Number(_) => false,
            Self::String(text) => text.is_empty(),
            Self::Array(items) => items.iter().all(Self::is_null),
            Self::Object(members) => members.iter().all(|(_, value)| value.is_null()),
        }
    }
}

impl FromStr for Json {
    type Err = JsonError;

    fn from_str(text: &str) -> Result<Self, JsonError> {
        Parser::new(text).document()
    }
}

impl FromStr for Number {
    type Err = JsonError;

    fn from_str(text: &str) -> Result<Self, JsonError> {
        Parser::new(text).lone_number()
    }
}

/// The member of a map; null if there is none by this name.
impl Index<&str> for Json {
    type Output = Self;

    fn index(&self, name: &str) -> &Self {
        self.get(name).unwrap_or(&Self::Null)
    }
}

/// The member of a list; null if it has no such member.
impl Index<usize> for Json {
    type Output = Self;

    fn index(&self, index: usize) -> &Self {
        self.as_array().and_then(|items| items.get(index)).unwrap_or(&Self::Null)
    }
}

/// Compact JSON.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
