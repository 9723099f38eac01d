use serde::Deserialize;
use serde_json::{Map, Value};

use super::sqs::marked_notification;
use super::{ParseError, SqsRecord};

/// The classes whose name is in front of a pointer: of Java's version 2 and Python's, and of Java's
/// version 1.
const CLASSES: [&str; 2] = [
    "software.amazon.payloadoffloading.PayloadS3Pointer",
    "com.amazon.sqs.javamessaging.MessageS3Pointer",
];

/// Where the body of a large message is: an object in S3. The extended clients for SQS and SNS put it there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct S3Pointer {
    /// The name of the bucket. Whoever sends messages with attributes chooses it.
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

/// The members of a notification of SNS.
#[derive(Debug)]
pub(crate) struct Notification(Map<String, Value>);

impl Notification {
    /// Returns the notification as JSON with another message.
    pub(crate) fn with_message(mut self, message: &str) -> String {
        self.0.insert("Message".to_owned(), message.into());
        Value::Object(self.0).to_string()
    }
}

impl SqsRecord {
    /// Returns where the body is, if an extended client put it into S3: those for SQS and SNS of Java and
    /// Python, in all versions; that for SNS, if the subscription has raw message delivery.
    ///
    /// They mark such a message by an attribute, so the body of another message is never read as a pointer,
    /// whoever wrote it: see [`Message::fetch_notification`](crate::batch::Message::fetch_notification) for
    /// other subscriptions. Whoever can send messages with attributes chooses the pointer.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::PointerInvalid`] if a message with such a mark has another body, or if the mark
    /// is not an attribute as SQS and SNS deliver them.
    pub fn s3_pointer(&self) -> Result<Option<S3Pointer>, ParseError> {
        let Some(mark) = self.large_body_mark() else { return Ok(None) };
        let mark = self.message_attribute(mark).ok_or(ParseError::PointerInvalid)?;
        let body = self.body().unwrap_or_default();
        pointer(body, mark.string_value.as_deref()).map(Some)
    }

    /// Returns the body, which has to be a notification of SNS, and the pointer to S3 that is its message.
    pub(crate) fn large_notification(
        &self,
    ) -> Result<Option<(S3Pointer, Notification)>, ParseError> {
        let body = self.body().unwrap_or_default();
        let Some((notification, mark)) = marked_notification(body) else { return Ok(None) };
        let size = notification["MessageAttributes"][mark]["Value"].as_str();
        let size = size.ok_or(ParseError::PointerInvalid)?;
        let message = notification["Message"].as_str().unwrap_or_default();
        let pointer = pointer(message, Some(size))?;
        Ok(Some((pointer, Notification(notification))))
    }
}

fn pointer(body: &str, size: Option<&str>) -> Result<S3Pointer, ParseError> {
    let (class, place): (String, Place) =
        serde_json::from_str(body).map_err(|_| ParseError::PointerInvalid)?;
    if !CLASSES.contains(&class.as_str()) || place.s3_bucket_name.is_empty() {
        return Err(ParseError::PointerInvalid);
    }
    let size = size.and_then(|size| size.parse().ok());
    Ok(S3Pointer { bucket: place.s3_bucket_name, key: place.s3_key, size })
}
