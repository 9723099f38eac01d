use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A JSON document, kept without loss.
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
    /// A map, in the order in which it was written; each name stands once.
    Object(Vec<(String, Json)>),
}

/// A JSON number, as the text that it was written with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number(String);

impl Number {
    /// Reads a number; `None` if `text` is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_number = !text.starts_with(char::is_whitespace)
            && !text.ends_with(char::is_whitespace)
            && serde_json::from_str::<serde_json::Number>(text).is_ok();
        is_number.then(|| Self(text.to_owned()))
    }

    /// The number's own text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        unimplemented!()
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(_deserializer: D) -> Result<Self, D::Error> {
        unimplemented!()
    }
}
