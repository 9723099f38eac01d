use std::ops::Deref;

use super::data::read;
#[cfg(feature = "events")]
use crate::events::S3Pointer;
use crate::events::memory::Reservation;
use crate::events::{Body, HasNaturalKey, NaturalKey, ParseError, SqsRecord};

/// A record with its body parsed as a `T`, for a record handler.
///
/// `Message<T>` is a message of [SQS](super::sqs); [`KinesisMessage`](super::KinesisMessage) and
/// [`KafkaMessage`](super::KafkaMessage) are those of the other sources. For a body that is not JSON, use
/// [`Text`](crate::events::Text) or take the record itself. The methods of the record can be called on a
/// message, too:
///
/// ```
/// use powertools::batch::{Message, RecordError};
///
/// #[derive(serde::Deserialize)]
/// struct Order {
///     id: String,
/// }
///
/// async fn charge(order: Message<Order>) -> Result<(), RecordError> {
///     if order.receive_count() > Some(1) {
///         println!("again: order {} of message {:?}", order.body.id, order.message_id());
///     }
///     Ok(())
/// }
/// # let _ = charge;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Message<T, R = SqsRecord> {
    /// The parsed body.
    pub body: T,
    /// The record itself.
    pub record: R,
    /// Where in S3 the body was.
    #[cfg(feature = "events")]
    pub(super) fetched: Option<Box<S3Pointer>>,
    /// The memory that the body may take.
    pub(super) _reserved: Reservation,
}

impl<T, R> Message<T, R> {
    pub(super) fn new(body: T, record: R, reserved: Reservation) -> Self {
        Self {
            body,
            record,
            #[cfg(feature = "events")]
            fetched: None,
            _reserved: reserved,
        }
    }
}

impl<T: Body, R> Message<T, R> {
    /// Parses `body` as that of `record`.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Json`] if it is invalid JSON or not of the type `T`, and
    /// [`ParseError::OutOfMemory`] if parsing it may exhaust the memory of the function.
    pub fn parse(record: R, body: &[u8]) -> Result<Self, ParseError> {
        let (body, reserved) = read(body)?;
        Ok(Self::new(body, record, reserved))
    }
}

impl<T, R> Deref for Message<T, R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.record
    }
}

impl<T, R: HasNaturalKey> HasNaturalKey for Message<T, R> {
    fn natural_key(&self) -> NaturalKey {
        self.record.natural_key()
    }
}
