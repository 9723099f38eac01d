use std::error::Error as StdError;
use std::ops::Deref;

use serde::de::DeserializeOwned;

/// Why a record could not be parsed. It is the failure of that record alone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// There is nothing to parse: the record has no body, or one that is no text.
    #[error("the record has no body")]
    Empty,
    /// The body is not JSON, or not of the handler's type.
    #[error("the body of the record cannot be read")]
    Json(#[from] serde_json::Error),
    /// The data is not in base64.
    #[error("the data of the record is not in base64")]
    Base64(#[from] base64::DecodeError),
    /// The data begins as gzip or zlib does and goes on otherwise.
    #[error("the data of the record cannot be decompressed")]
    Compression(#[from] std::io::Error),
    /// The data becomes larger than this when it is decompressed: than a quarter of the function's
    /// memory, or 256 MiB. Take the record itself to decompress more.
    #[error("the data of the record has more than {limit} bytes when it is decompressed")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The image or key of a DynamoDB item is not of the handler's type.
    #[error("the item in the record cannot be read")]
    Item(#[from] serde_dynamo::Error),
    /// Something else, of a source of your own.
    #[error("the record cannot be read")]
    Other(#[source] Box<dyn StdError + Send + Sync>),
}

/// A record with its body parsed, for the record's handler: [`sqs`](super::sqs) by itself,
/// [`KinesisMessage`](super::KinesisMessage) and [`KafkaMessage`](super::KafkaMessage) by their
/// names.
///
/// What else the record has is here too:
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
///         println!("another try: order {} of message {:?}", order.body.id, order.message_id());
///     }
///     Ok(())
/// }
/// # let _ = charge;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Message<T, R = super::SqsRecord> {
    /// What the body says.
    pub body: T,
    /// The record itself.
    pub record: R,
}

impl<T: DeserializeOwned, R> Message<T, R> {
    /// Reads `json`, the body of `record`.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Json`] if it is not JSON or not of the type `T`.
    pub fn parse(record: R, json: &[u8]) -> Result<Self, ParseError> {
        Ok(Self { body: serde_json::from_slice(json)?, record })
    }
}

impl<T, R> Deref for Message<T, R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.record
    }
}
