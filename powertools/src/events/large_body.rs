use serde::Deserialize;

use super::{ParseError, SqsRecord};

/// The classes whose name is in front of a pointer: of Java's version 2 and Python's, and of Java's
/// version 1.
const CLASSES: [&str; 2] = [
    "software.amazon.payloadoffloading.PayloadS3Pointer",
    "com.amazon.sqs.javamessaging.MessageS3Pointer",
];

/// Where the body of a large message is: an object in S3. The extended clients for SQS put it there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct S3Pointer {
    /// The name of the bucket. Whoever sends messages chooses it.
    pub bucket: String,
    /// The key of the object.
    pub key: String,
    /// The size of the body in bytes, as the sender wrote it.
    pub size: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    s3_bucket_name: String,
    s3_key: String,
}

impl SqsRecord {
    /// Returns where the body is, if an extended client for SQS put it into S3: those of Java and Python, in
    /// all versions. They mark such a message by an attribute, so the body of another message is never read
    /// as a pointer.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::PointerInvalid`] if a message with such a mark has another body, or if the mark
    /// is not an attribute as SQS delivers them.
    pub fn s3_pointer(&self) -> Result<Option<S3Pointer>, ParseError> {
        let Some(mark) = self.large_body_mark() else { return Ok(None) };
        let mark = self.message_attribute(mark).ok_or(ParseError::PointerInvalid)?;
        let body = self.body().unwrap_or_default();
        let (class, place): (String, Place) =
            serde_json::from_str(body).map_err(|_| ParseError::PointerInvalid)?;
        if !CLASSES.contains(&class.as_str()) || place.s3_bucket_name.is_empty() {
            return Err(ParseError::PointerInvalid);
        }
        let size = mark.string_value.and_then(|size| size.parse().ok());
        Ok(Some(S3Pointer { bucket: place.s3_bucket_name, key: place.s3_key, size }))
    }
}
