use std::cell::Cell;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

/// The name of the newtype as which a type asks for the whole document that it is read from, as bytes.
///
/// A type that does is read from any deserialiser: those that do not know the name let it read the newtype.
pub(crate) const WHOLE: &str = "$powertools::whole";

/// Reads a value from a document. A type that asks for the [`WHOLE`] of it may read it in its own way, and
/// decline what it does not know: everything else is read by `serde_json`, and so are all errors.
pub(crate) fn from_slice<'de, T: Deserialize<'de>>(
    document: &'de [u8],
) -> Result<T, serde_json::Error> {
    match from_whole(document) {
        Some(value) => Ok(value),
        None => serde_json::from_slice(document),
    }
}

/// Reads a value of a type that asks for the [`WHOLE`] of the document and does not decline it.
pub(crate) fn from_whole<'de, T: Deserialize<'de>>(document: &'de [u8]) -> Option<T> {
    let is_taken = Cell::new(false);
    let value = T::deserialize(Whole { document, is_taken: &is_taken }).ok()?;
    // Other types may be made of nothing at all, such as one that takes an error for a default.
    is_taken.get().then_some(value)
}

/// Gives the document to whoever asks for it, and nothing to others.
struct Whole<'a, 'de> {
    document: &'de [u8],
    /// True after the document was read.
    is_taken: &'a Cell<bool>,
}

/// The document is to be read by `serde_json`, which finds what is wrong with it, if anything.
#[derive(Debug)]
pub(crate) struct Declined;

impl<'de> Deserializer<'de> for Whole<'_, 'de> {
    type Error = Declined;

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Declined> {
        if name != WHOLE {
            return Err(Declined);
        }
        let value = visitor.visit_borrowed_bytes(self.document)?;
        self.is_taken.set(true);
        Ok(value)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Declined> {
        Err(Declined)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl de::Error for Declined {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl std::error::Error for Declined {}

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is read in another way")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes whatever is no number for zero.
    #[derive(Debug, PartialEq)]
    struct Lenient(u8);

    impl<'de> Deserialize<'de> for Lenient {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Ok(Self(u8::deserialize(deserializer).unwrap_or_default()))
        }
    }

    #[test]
    fn a_type_that_does_not_ask_is_read_by_serde_json() {
        assert_eq!(from_slice::<Lenient>(b"7").unwrap(), Lenient(7));
        assert_eq!(from_slice::<Option<u8>>(b"null").unwrap(), None);
        let error = from_slice::<u8>(b"7 8").unwrap_err();
        assert_eq!(error.to_string(), "trailing characters at line 1 column 3");
    }
}
