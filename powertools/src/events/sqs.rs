use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::de::{IgnoredAny, MapAccess};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::de::{Batch, Event, Object, Read, member_in, text_in};
use super::{HasNaturalKey, NaturalKey, RecordId};

pub(crate) const SOURCES: &[&str] = &["aws:sqs"];

/// The attributes by which the extended clients mark a message whose body is in S3: the one of today, and
/// the one of version 1 of Java's.
const MARKS: [&str; 2] = ["ExtendedPayloadSize", "SQSLargePayloadSize"];

/// What is in the names of all marks.
const IN_MARKS: &str = "PayloadSize";

/// The event of an SQS queue, standard or FIFO.
///
/// Attributes are kept as JSON until they are read.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SqsEvent {
    /// The messages, in the order of the event.
    pub records: Vec<SqsRecord>,
}

/// A message of an SQS queue. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct SqsRecord {
    fields: Arc<Fields>,
    /// Set by a batch that knows the redrive policy of the queue.
    pub(crate) max_receive_count: Option<u32>,
}

#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) message_id: Option<RecordId>,
    pub(super) receipt_handle: Option<Box<str>>,
    pub(super) body: Option<Box<str>>,
    pub(super) md5_of_body: Option<Box<str>>,
    pub(super) attributes: Option<Box<RawValue>>,
    pub(super) message_attributes: Option<Box<RawValue>>,
    pub(super) queue_arn: Option<Arc<str>>,
    /// The source, if that is not SQS.
    pub(super) other_source: Option<Box<str>>,
}

/// An attribute that the sender of a message gave it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MessageAttribute<'a> {
    /// `String`, `Number` or `Binary`, which a label of the sender may follow after a dot.
    #[serde(borrow)]
    pub data_type: Cow<'a, str>,
    /// The value of a string or a number.
    #[serde(borrow, default)]
    pub string_value: Option<Cow<'a, str>>,
    /// The value of binary data, in base64.
    #[serde(borrow, default)]
    pub binary_value: Option<Cow<'a, str>>,
}

impl HasNaturalKey for SqsRecord {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([self.message_id()])
    }
}

impl SqsRecord {
    /// Returns the name that the record gives its source, if that is not SQS.
    pub(crate) fn other_source(&self) -> Option<&str> {
        self.fields.other_source.as_deref()
    }

    /// Returns the identifier for a reply.
    pub(crate) fn record_id(&self) -> Option<&RecordId> {
        self.fields.message_id.as_ref()
    }

    /// Returns the id of the message.
    #[must_use]
    pub fn message_id(&self) -> Option<&str> {
        self.fields.message_id.as_ref().map(RecordId::as_str)
    }

    /// Returns the body as it was sent.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        self.fields.body.as_deref()
    }

    /// Returns the handle of this delivery, which calls to SQS take, for example to change the
    /// visibility timeout.
    #[must_use]
    pub fn receipt_handle(&self) -> Option<&str> {
        self.fields.receipt_handle.as_deref()
    }

    /// Returns the MD5 of the body in hexadecimal digits.
    #[must_use]
    pub fn md5_of_body(&self) -> Option<&str> {
        self.fields.md5_of_body.as_deref()
    }

    /// Returns the ARN of the queue.
    #[must_use]
    pub fn queue_arn(&self) -> Option<&str> {
        self.fields.queue_arn.as_deref()
    }

    /// Returns true for a message of a FIFO queue, by the queue's ARN.
    #[must_use]
    pub fn is_fifo(&self) -> bool {
        self.queue_arn().is_some_and(|arn| arn.ends_with(".fifo"))
    }

    /// Returns an attribute that SQS set, such as `SenderId`. Each call parses the attributes.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        text_in(self.fields.attributes.as_ref()?, name)
    }

    /// Returns an attribute that the sender set. Each call parses the attributes.
    #[must_use]
    pub fn message_attribute(&self, name: &str) -> Option<MessageAttribute<'_>> {
        member_in(self.fields.message_attributes.as_ref()?, name)
    }

    /// Returns the name of the attribute by which an extended client marked the message as one whose body
    /// is in S3. One that cannot be read is a mark too.
    pub(super) fn large_body_mark(&self) -> Option<&'static str> {
        let attributes = self.fields.message_attributes.as_ref()?;
        // Most messages have none, and are not parsed for it.
        if !attributes.get().contains(IN_MARKS) {
            return None;
        }
        MARKS.into_iter().find(|name| member_in::<IgnoredAny>(attributes, name).is_some())
    }

    /// Returns true if a pointer to S3 is in the message, or should be.
    pub(crate) fn has_large_body(&self) -> bool {
        let body = self.body().unwrap_or_default();
        self.large_body_mark().is_some() || marked_notification(body).is_some()
    }

    /// Returns how often the message has been received, this time included.
    #[must_use]
    pub fn receive_count(&self) -> Option<u32> {
        self.attribute("ApproximateReceiveCount")?.parse().ok()
    }

    /// Returns true if the message goes to the dead-letter queue when it fails now: when it was
    /// received as often as [`max_receive_count`](crate::batch::Batch::max_receive_count) allows.
    /// Without that, returns false.
    #[must_use]
    pub fn is_last_attempt(&self) -> bool {
        match (self.receive_count(), self.max_receive_count) {
            (Some(count), Some(max)) => count >= max,
            _ => false,
        }
    }

    /// Returns the message group.
    #[must_use]
    pub fn group_id(&self) -> Option<Cow<'_, str>> {
        self.attribute("MessageGroupId")
    }

    /// Returns the string by which a FIFO queue recognises a message that was sent twice.
    #[must_use]
    pub fn deduplication_id(&self) -> Option<Cow<'_, str>> {
        self.attribute("MessageDeduplicationId")
    }

    /// Returns when the message was sent, to the millisecond.
    #[must_use]
    pub fn sent_at(&self) -> Option<SystemTime> {
        let millis = self.attribute("SentTimestamp")?.parse().ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis))
    }
}

/// Reads a body that is a notification of SNS whose message an extended client put into S3: its members, and
/// the name of the mark among its attributes.
pub(super) fn marked_notification(body: &str) -> Option<(Map<String, Value>, &'static str)> {
    // Most bodies are none, and are not parsed for it.
    if !body.contains(IN_MARKS) {
        return None;
    }
    let members: Map<String, Value> = serde_json::from_str(body).ok()?;
    let attributes = members.get("MessageAttributes")?.as_object()?;
    let mark = MARKS.into_iter().find(|name| attributes.contains_key(*name))?;
    let is_text = |name| members.get(name).is_some_and(Value::is_string);
    (is_text("TopicArn") && is_text("Message")).then_some((members, mark))
}

impl<'de> Deserialize<'de> for SqsEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Batch { records, .. } = Event::<Fields, _>::read(deserializer, "SQS")?;
        Ok(Self { records })
    }
}

impl From<Fields> for SqsRecord {
    fn from(fields: Fields) -> Self {
        Self { fields: Arc::new(fields), max_receive_count: None }
    }
}

impl Object for Fields {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"messageId" => |it, value| value.text(&mut it.message_id),
            b"receiptHandle" => |it, value| value.text(&mut it.receipt_handle),
            b"body" => |it, value| value.text(&mut it.body),
            b"md5OfBody" => |it, value| value.text(&mut it.md5_of_body),
            b"attributes" => |it, value| value.raw("{}", &mut it.attributes),
            b"messageAttributes" => |it, value| value.raw("{}", &mut it.message_attributes),
            b"eventSourceARN" => |it, value| value.shared(&mut it.queue_arn),
            // Others write it with a capital letter.
            b"eventSource" | b"EventSource" => {
                |it, value| value.unless(SOURCES, &mut it.other_source)
            }
            _ => return None,
        };
        Some(read)
    }
}
