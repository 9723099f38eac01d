use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, Visitor};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::Error;

use super::JsonError;
use super::parse::Parser;
use super::ser::{FLOAT, RAW_VALUE};

/// A JSON number, with the digits with which it was written.
///
/// Numbers are equal if they were written alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number(String);

impl Number {
    /// Returns the number as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Creates a number from digits that are known to be valid.
    pub(super) fn of_digits(text: &str) -> Self {
        Self(text.to_owned())
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

    pub(super) fn visit<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Error> {
        match self.as_str() {
            text if !self.is_integer() => visitor.visit_f64(finite(text)?),
            text => match (text.parse(), text.parse()) {
                (Ok(integer), _) => visitor.visit_u64(integer),
                (_, Ok(integer)) => visitor.visit_i64(integer),
                _ => visitor.visit_f64(finite(text)?),
            },
        }
    }
}

fn finite(text: &str) -> Result<f64, Error> {
    let float = text.parse().ok().filter(|float: &f64| float.is_finite());
    float.ok_or_else(|| Error::custom("number out of range"))
}

impl FromStr for Number {
    type Err = JsonError;

    fn from_str(text: &str) -> Result<Self, JsonError> {
        Parser::new(text).lone_number()
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Without loss: as a number of Rust where one has this very text, else as raw JSON.
impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.as_str();
        if !self.is_integer() {
            let float = self.to_f64();
            if serde_json::to_string(&float).is_ok_and(|its_text| its_text == text) {
                return serializer.serialize_newtype_struct(FLOAT, &float);
            }
        } else if text == "-0" {
            // Integers have no negative zero.
        } else if let Ok(integer) = text.parse() {
            return serializer.serialize_i64(integer);
        } else if let Ok(integer) = text.parse() {
            return serializer.serialize_u64(integer);
        } else if let Ok(integer) = text.parse() {
            return serializer.serialize_i128(integer);
        } else if let Ok(integer) = text.parse() {
            return serializer.serialize_u128(integer);
        }
        let mut raw = serializer.serialize_struct(RAW_VALUE, 1)?;
        raw.serialize_field(RAW_VALUE, text)?;
        raw.end()
    }
}
