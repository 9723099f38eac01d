use std::error::Error as StdError;

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
