use std::any::TypeId;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::events::{DynamoDbEvent, KafkaEvent, KinesisEvent, SqsEvent};

/// The name of the newtype as which an event of a batch asks for the whole document that it is read from, as
/// bytes. Deserialisers that do not know the name let it read the newtype.
pub(super) const WHOLE: &str = "$powertools::whole";

/// Reads an event. Batches are read in their own way unless they decline what they do not know; everything else
/// is read by `serde_json`, and so are all errors.
pub(crate) fn from_slice<T: for<'de> Deserialize<'de> + 'static>(
    document: &[u8],
) -> Result<T, serde_json::Error> {
    // No type of a user: one can panic at an error that no document has, or take it for a value.
    let batches = [
        TypeId::of::<SqsEvent>(),
        TypeId::of::<KinesisEvent>(),
        TypeId::of::<DynamoDbEvent>(),
        TypeId::of::<KafkaEvent>(),
    ];
    if batches.contains(&TypeId::of::<T>())
        && let Some(batch) = from_whole(document)
    {
        return Ok(batch);
    }
    serde_json::from_slice(document)
}

/// Reads a batch that does not decline the document.
pub(super) fn from_whole<'de, T: Deserialize<'de>>(document: &'de [u8]) -> Option<T> {
    T::deserialize(Whole(document)).ok()
}

/// Gives the document to whoever asks for it, and nothing to others.
struct Whole<'de>(&'de [u8]);

/// The document is to be read by `serde_json`, which finds what is wrong with it, if anything.
#[derive(Debug)]
pub(super) struct Declined;

impl<'de> Deserializer<'de> for Whole<'de> {
    type Error = Declined;

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Declined> {
        if name == WHOLE { visitor.visit_borrowed_bytes(self.0) } else { Err(Declined) }
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

    /// Never fails on JSON, and panics where it could not be read.
    struct Sure;

    impl<'de> Deserialize<'de> for Sure {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            serde_json::Value::deserialize(deserializer)
                .map(|_| Self)
                .map_err(|_| panic!("no JSON"))
        }
    }

    #[test]
    fn types_of_users_are_read_by_serde_json_alone() {
        assert!(from_slice::<Sure>(b"{}").is_ok());
        let error = from_slice::<u8>(b"7 8").unwrap_err();
        assert_eq!(error.to_string(), "trailing characters at line 1 column 3");
    }
}
