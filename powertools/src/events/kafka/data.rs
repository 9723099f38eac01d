use std::ops::Deref;

use super::part::{Need, Part, Reserve};
use crate::events::compression::{decompress, largest};
use crate::events::{Body, ParseError};

/// What the key or the value of a Kafka record can be read as.
///
/// - Any type that deserialises from JSON, or [`Text`](crate::events::Text): from the data as it was
///   delivered, which is decompressed first if it starts as gzip or zlib does.
/// - [`Json`]: from JSON that has the id of a schema registry in front of it.
/// - `Avro` (feature `avro`) and `Proto` (feature `protobuf`).
#[diagnostic::on_unimplemented(
    message = "the key or value of a Kafka record cannot be read as `{Self}`",
    note = "take a type that implements `DeserializeOwned` and thus is read from JSON, `Json<T>`, \
            `Avro<T>` of the feature `avro`, `Proto<T>` of the feature `protobuf`, or `Text`"
)]
pub trait KafkaData: Sized {
    #[doc(hidden)]
    fn read(part: Part<'_>, reserve: Reserve<'_>) -> Result<Self, ParseError>;

    #[doc(hidden)]
    fn absent() -> Result<Self, ParseError> {
        Err(ParseError::Empty)
    }
}

impl<T: Body> KafkaData for T {
    fn read(part: Part<'_>, reserve: Reserve<'_>) -> Result<Self, ParseError> {
        let data = decompress(part.into_bytes(), largest)?;
        reserve(Need::Json(&data))?;
        T::from_bytes(&data)
    }

    fn absent() -> Result<Self, ParseError> {
        Body::absent()
    }
}

/// JSON that may have the id of a schema in front of it, as the serialisers of schema registries write
/// it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Json<T>(pub T);

impl<T: Body> KafkaData for Json<T> {
    fn read(part: Part<'_>, reserve: Reserve<'_>) -> Result<Self, ParseError> {
        part.expect("JSON")?;
        let data = part.data(&part.framing())?;
        reserve(Need::Json(&data))?;
        T::from_bytes(&data).map(Self)
    }
}

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
