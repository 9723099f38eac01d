use std::fmt;
use std::ops::Deref;
use std::str;

use serde::de::DeserializeOwned;

use super::ParseError;
use super::error::{from_json, from_json_str};

/// What the body of a message can be read as: any type that deserialises from JSON, or [`Text`].
#[diagnostic::on_unimplemented(
    message = "a body cannot be read as `{Self}`",
    note = "take a type that implements `DeserializeOwned` and thus is read from JSON, or `Text`"
)]
pub trait Body: Sized {
    /// Reads a body that is a string.
    ///
    /// # Errors
    ///
    /// Returns an error if the body is not of this type.
    fn from_text(body: &str) -> Result<Self, ParseError>;

    /// Reads a body that is bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if the body is not of this type, or is invalid UTF-8.
    fn from_bytes(body: &[u8]) -> Result<Self, ParseError> {
        Self::from_text(str::from_utf8(body)?)
    }

    /// Returns the body of a record that has none, such as a tombstone in Kafka.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Empty`] unless this type has a value for it.
    fn absent() -> Result<Self, ParseError> {
        Err(ParseError::Empty)
    }
}

/// Read from JSON. An absent body is JSON's null.
impl<T: DeserializeOwned> Body for T {
    fn from_text(body: &str) -> Result<Self, ParseError> {
        from_json_str(body)
    }

    fn from_bytes(body: &[u8]) -> Result<Self, ParseError> {
        from_json(body)
    }

    fn absent() -> Result<Self, ParseError> {
        from_json(b"null")
    }
}

/// A body as it was sent, for one that is not JSON.
///
/// ```
/// use powertools::batch::{Message, RecordError};
/// use powertools::events::Text;
///
/// async fn greet(message: Message<Text>) -> Result<(), RecordError> {
///     println!("{}", message.body.to_uppercase());
///     Ok(())
/// }
/// # let _ = greet;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Text(pub String);

impl Body for Text {
    fn from_text(body: &str) -> Result<Self, ParseError> {
        Ok(Self(body.to_owned()))
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
