use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::error::with_causes;
use crate::json::without_values;

/// Why a record could not be parsed. It is the failure of that record alone.
///
/// No error quotes a value of the record, since errors are logged; what a `Deserialize` of your own says is kept.
///
/// [`error_type`](Self::error_type) returns the fixed name of each.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// There is nothing to parse: the record has no body, or one that is not a string.
    #[error("the record has no body")]
    Empty,
    /// The body is invalid JSON, or JSON that is not of the handler's type.
    #[error("{}", Unread { what: "the body of the record", path, hint: hint(source) })]
    #[non_exhaustive]
    Json {
        /// Where in the body, such as `items[0].price`; empty for the body as a whole.
        path: String,
        /// What is wrong there.
        source: serde_json::Error,
    },
    /// The data is invalid base64.
    #[error("the data of the record is invalid base64")]
    Base64(#[from] base64::DecodeError),
    /// The body is invalid UTF-8, and the handler takes a string.
    #[error("the body of the record is invalid UTF-8")]
    Utf8(#[from] std::str::Utf8Error),
    /// The data starts as gzip or zlib does, but is not all compressed.
    #[error("the data of the record cannot be decompressed")]
    Compression(#[from] std::io::Error),
    /// The data exceeds this size when it is decompressed: a quarter of the function's memory, and
    /// at most 256 MiB. Take the record itself to decompress more.
    #[error("the data of the record has more than {limit} bytes when it is decompressed")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// To parse the record would take more memory than the records that are being processed leave
    /// of half of the function's memory.
    #[error(
        "parsing the record may take {needed} bytes of memory, and {available} are available: give \
         the function more memory, or take the record itself"
    )]
    #[non_exhaustive]
    OutOfMemory {
        /// What parsing it may take, in bytes.
        needed: u64,
        /// What is available, in bytes.
        available: u64,
    },
    /// The data contains several records that the Kinesis Producer Library (KPL) aggregated, and
    /// cannot be taken apart.
    #[error(
        "the record was aggregated by the Kinesis Producer Library (KPL) and cannot be taken apart: \
         {problem}"
    )]
    #[non_exhaustive]
    Aggregated {
        /// What is wrong, for people to read.
        problem: &'static str,
    },
    /// The image or the key of a DynamoDB item is not of the handler's type.
    #[error("{}", Unread { what: image, path, hint: "" })]
    #[non_exhaustive]
    Item {
        /// What could not be read: the key, the new or the old image.
        image: &'static str,
        /// The attribute, such as `items[0].price`; empty for the item as a whole.
        path: String,
        /// What is wrong there.
        source: serde_dynamo::Error,
    },
    /// The key or value of a Kafka record is not valid in its format, or not of the handler's type.
    #[error("the data of the record cannot be read as {format}")]
    #[non_exhaustive]
    Data {
        /// The format, such as Avro.
        format: &'static str,
        /// What is wrong.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The event source mapping delivers another format than the handler takes.
    #[error("the record is delivered as {found}, and the handler takes {expected}")]
    #[non_exhaustive]
    FormatUnexpected {
        /// The format of the handler's type.
        expected: &'static str,
        /// The format that the mapping names.
        found: String,
    },
    /// The key or value of a Kafka record does not name the schema of its writer.
    #[error(
        "the data of the record does not name its schema: no schema registry wrote an id in front of it \
         or into a header, and the event source mapping has none"
    )]
    SchemaMissing,
    /// The schema of the writer is not known. It may be later: a registry can lag behind a producer that has just
    /// registered a schema.
    #[error(
        "no schema has the id {id}: pass the event through `with_schemas`, with all schemas or with a \
         source that has them"
    )]
    #[non_exhaustive]
    SchemaUnknown {
        /// The id: a number, or a UUID.
        id: String,
    },
    /// The source of schemas did not answer.
    #[error("the schema with the id {id} could not be looked up")]
    #[non_exhaustive]
    SchemaUnavailable {
        /// The id: a number, or a UUID.
        id: String,
        /// Why.
        source: Arc<dyn StdError + Send + Sync>,
    },
    /// The body of the message is in S3, where an extended client for SQS or SNS put it, and the handler takes
    /// the message's own body. Take `SqsRecord`, and read it by
    /// [`Message::fetch`](crate::batch::Message::fetch), or
    /// [`Message::fetch_notification`](crate::batch::Message::fetch_notification) if it is a notification of SNS.
    #[error(
        "the body of the message is in S3: take `SqsRecord` and read it by `Message::fetch`, or by \
         `Message::fetch_notification` if it is a notification of SNS"
    )]
    BodyInS3,
    /// An extended client for SQS or SNS marked the message as one whose body is in S3, and the body is not a
    /// pointer to it.
    #[error("the message is marked as one whose body is in S3, and has no pointer to it")]
    PointerInvalid,
    /// The body of the message was in S3, and the object does not exist.
    #[error("the body of the message was in S3 and is gone")]
    BodyGone,
    /// The body of the message could not be read from S3.
    #[error("the body of the message could not be read from S3")]
    BodyUnavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// Something else, of a source of your own.
    #[error("the record cannot be read")]
    Other(#[source] Box<dyn StdError + Send + Sync>),
}

impl ParseError {
    /// Returns the name under which Lambda reports the error. It never changes, so that a state
    /// machine or an alarm can match it.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::Empty => "Powertools.RecordEmpty",
            Self::Json { .. } => "Powertools.RecordJsonInvalid",
            Self::Base64(_) => "Powertools.RecordBase64Invalid",
            Self::Utf8(_) => "Powertools.RecordUtf8Invalid",
            Self::Compression(_) => "Powertools.RecordCompressionInvalid",
            Self::TooLarge { .. } => "Powertools.RecordTooLarge",
            Self::OutOfMemory { .. } => "Powertools.RecordOutOfMemory",
            Self::Aggregated { .. } => "Powertools.RecordAggregated",
            Self::Item { .. } => "Powertools.RecordItemInvalid",
            Self::Data { .. } => "Powertools.RecordDataInvalid",
            Self::FormatUnexpected { .. } => "Powertools.RecordFormatUnexpected",
            Self::SchemaMissing => "Powertools.RecordSchemaMissing",
            Self::SchemaUnknown { .. } => "Powertools.RecordSchemaUnknown",
            Self::SchemaUnavailable { .. } => "Powertools.RecordSchemaUnavailable",
            Self::BodyInS3 => "Powertools.RecordBodyInS3",
            Self::PointerInvalid => "Powertools.RecordPointerInvalid",
            Self::BodyGone => "Powertools.RecordBodyGone",
            Self::BodyUnavailable(_) => "Powertools.RecordBodyUnavailable",
            Self::Other(_) => "Powertools.RecordInvalid",
        }
    }

    /// Returns true if the same record may be parsed when it is delivered again: memory, a schema or a body was not
    /// there. Such a failure is not [permanent](crate::batch::Batch::permanent_if).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::OutOfMemory { .. }
                | Self::SchemaUnknown { .. }
                | Self::SchemaUnavailable { .. }
                | Self::BodyUnavailable(_)
        )
    }
}

crate::error::own::name_in_lambda!(ParseError);

/// A message that names the place.
struct Unread<'a> {
    what: &'a str,
    path: &'a str,
    hint: &'a str,
}

impl fmt::Display for Unread<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be read", self.what)?;
        if !self.path.is_empty() {
            write!(f, " at `{}`", self.path)?;
        }
        f.write_str(self.hint)
    }
}

/// Returns the message of an error in a layer of an envelope, with its causes: serde takes a string.
pub(super) fn in_layer(layer: &str, error: &ParseError) -> String {
    match error {
        ParseError::Json { path, source } => {
            let hint = if source.is_syntax() || source.is_eof() { " as JSON" } else { "" };
            format!("{}: {source}", Unread { what: layer, path, hint })
        }
        error => format!("{layer} cannot be read: {}", with_causes(error)),
    }
}

/// What to do about a body of another format.
fn hint(error: &serde_json::Error) -> &'static str {
    if error.is_syntax() || error.is_eof() {
        " as JSON: for plain text take `Text`, and for other formats the record itself, such as `SqsRecord`"
    } else {
        ""
    }
}

/// Reads JSON, with an error that names the path.
pub(crate) fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, ParseError> {
    match str::from_utf8(json) {
        // Checked as a whole, since each string would take longer alone.
        Ok(json) => from_json_str(json),
        Err(_) => serde_json::from_slice(json).map_err(|source| json_error::<T>(json, source)),
    }
}

/// Reads JSON that is known to be UTF-8, with an error that names the path.
pub(crate) fn from_json_str<T: DeserializeOwned>(json: &str) -> Result<T, ParseError> {
    serde_json::from_str(json).map_err(|source| json_error::<T>(json.as_bytes(), source))
}

/// Reads the JSON again to find the path, which would take time for nothing where reading succeeds.
#[cold]
fn json_error<T: DeserializeOwned>(json: &[u8], source: serde_json::Error) -> ParseError {
    let path = path_of::<T, _>(&mut serde_json::Deserializer::from_slice(json));
    ParseError::Json { path, source: without_values(source) }
}

/// Returns the path at which a `T` cannot be read, or an empty string.
pub(super) fn path_of<'de, T, D>(deserializer: D) -> String
where
    T: DeserializeOwned,
    D: serde::Deserializer<'de>,
{
    match serde_path_to_error::deserialize::<D, T>(deserializer) {
        Err(error) if error.path().iter().len() > 0 => error.path().to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "nothing reads it")]
    struct Order {
        items: Vec<Item>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "nothing reads it")]
    struct Item {
        price: u32,
    }

    #[test]
    fn an_error_names_the_path_in_the_body() {
        let json = br#"{"items":[{"price":1},{"price":"x"}]}"#;
        let error = from_json::<Order>(json).unwrap_err();
        assert_eq!(
            with_causes(&error),
            "the body of the record cannot be read at `items[1].price`: invalid type: string, \
             expected u32 at line 1 column 34"
        );
        let error = from_json::<Order>(b"{}").unwrap_err();
        assert_eq!(
            with_causes(&error),
            "the body of the record cannot be read: missing field `items` at line 1 column 2"
        );
    }

    #[test]
    fn the_error_for_plain_text_names_the_record_type() {
        for text in ["hello", "", "order 7"] {
            let error = from_json::<String>(text.as_bytes()).unwrap_err();
            assert!(error.to_string().ends_with("the record itself, such as `SqsRecord`"));
        }
        let error = from_json::<String>(b"7").unwrap_err();
        assert_eq!(error.to_string(), "the body of the record cannot be read");
    }
}
