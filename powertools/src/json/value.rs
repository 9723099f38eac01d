use std::fmt;
use std::ops::Index;
use std::str::FromStr;

use super::parse::Parser;
use super::{Number, Pointer};

/// A JSON value without loss.
///
/// Numbers keep the digits with which they were written, and objects the order of their members,
/// whatever features of `serde_json` the program enables. A key that is derived from it is therefore
/// the key of the event itself. It is an event type like any other: a handler can take a
/// `LambdaEvent<Json>`.
///
/// A string with half of a surrogate pair (`"\ud800"`) is rejected, since no Rust string can contain
/// it, and so is a document that is nested deeper than 128 lists and objects.
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
    /// A number, with the digits with which it was written.
    Number(Number),
    /// A string.
    String(String),
    /// A list.
    Array(Vec<Json>),
    /// An object, in the order in which it was written. Each name appears once: of several members
    /// with one name, the last value takes the place of the first.
    Object(Vec<(String, Json)>),
}

/// Why a string is invalid JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {reason}")]
pub struct JsonError {
    reason: &'static str,
    at: usize,
}

impl JsonError {
    pub(super) fn new(reason: &'static str, at: usize) -> Self {
        Self { reason, at }
    }
}

impl Json {
    /// Returns true for `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns the value of `true` or `false`.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the number, if this is one. Parse its digits into the type that you need.
    #[must_use]
    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Returns the string, if this is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the members, if this is a list.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Json]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the members, if this is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&[(String, Json)]> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Returns the member of an object that has this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.as_object()?.iter().find(|(its_name, _)| its_name == name).map(|(_, value)| value)
    }

    /// Returns the value at a JSON pointer (RFC 6901), such as `/items/0/price`.
    #[must_use]
    pub fn pointer(&self, pointer: &str) -> Option<&Json> {
        Pointer::parse(pointer)?.get(self)
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

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// Returns the member of an object, or null if there is none with this name.
impl Index<&str> for Json {
    type Output = Self;

    fn index(&self, name: &str) -> &Self {
        self.get(name).unwrap_or(&Self::Null)
    }
}

/// Returns the member of a list, or null if it has no such member.
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
