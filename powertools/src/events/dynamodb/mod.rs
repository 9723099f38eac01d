mod attribute;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use serde::de::{DeserializeOwned, Error as _, MapAccess};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use self::attribute::Attribute;
use super::de::{Batch, Event, Object, Read, object, text_in};
use super::decode::moment;
use super::error::{from_json_str, path_of};
use super::{HasNaturalKey, NaturalKey, ParseError, RecordId};
use crate::json::reason;

pub(crate) const SOURCES: &[&str] = &["aws:dynamodb"];

/// The event of a shard of a DynamoDB stream.
///
/// Keys and images are kept as JSON until the handler of their record starts.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DynamoDbEvent {
    /// The records, in the order of the shard.
    pub records: Vec<DynamoDbRecord>,
    /// True for an event of a tumbling window, which a batch rejects.
    pub has_window: bool,
    /// EventBridge Pipes sent it.
    pub(crate) is_piped: bool,
}

/// A change of an item in a DynamoDB table. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct DynamoDbRecord(Arc<Fields>);

#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) event_id: Option<RecordId>,
    /// EventBridge Pipes sent it.
    pub(super) is_piped: bool,
    pub(super) event_name: Option<Box<str>>,
    pub(super) stream_arn: Option<Arc<str>>,
    pub(super) user_identity: Option<Box<RawValue>>,
    pub(super) change: Images,
    /// The source, if that is not DynamoDB.
    pub(super) other_source: Option<Box<str>>,
}

#[derive(Debug, Default)]
pub(super) struct Images {
    pub(super) sequence_number: Option<RecordId>,
    pub(super) keys: Option<Box<RawValue>>,
    pub(super) new: Option<Box<RawValue>>,
    pub(super) old: Option<Box<RawValue>>,
    pub(super) created: Option<f64>,
    pub(super) precision: Option<Precision>,
}

/// In what a change counts its time. In a stream of DynamoDB these are seconds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Precision {
    Milliseconds,
    Microseconds,
    Unknown,
}

impl From<&str> for Precision {
    fn from(name: &str) -> Self {
        match name {
            "MILLISECOND" => Self::Milliseconds,
            "MICROSECOND" => Self::Microseconds,
            _ => Self::Unknown,
        }
    }
}

/// What happened to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It was created.
    Insert,
    /// It was changed.
    Modify,
    /// It was removed, by a request or because its time to live expired.
    Remove,
    /// A kind that this version does not know.
    Unknown,
}

impl HasNaturalKey for DynamoDbRecord {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([self.event_id()])
    }
}

impl DynamoDbRecord {
    /// Returns the name that the record gives its source, if that is not DynamoDB.
    pub(crate) fn other_source(&self) -> Option<&str> {
        self.0.other_source.as_deref()
    }

    /// Returns the identifier for a reply: the sequence number, but the id of the event for EventBridge
    /// Pipes. See "Partial batch failure" in its user guide.
    pub(crate) fn record_id(&self) -> Option<&RecordId> {
        let Fields { is_piped, event_id, change, .. } = &*self.0;
        if *is_piped { event_id.as_ref() } else { change.sequence_number.as_ref() }
    }

    /// Returns the key of the item as JSON.
    pub(crate) fn raw_keys(&self) -> Option<&RawValue> {
        self.0.change.keys.as_deref()
    }

    /// Returns the sequence number in the shard, which has too many digits for any integer type.
    #[must_use]
    pub fn sequence_number(&self) -> Option<&str> {
        self.0.change.sequence_number.as_ref().map(RecordId::as_str)
    }

    /// Returns what happened to the item.
    #[must_use]
    pub fn kind(&self) -> ChangeKind {
        match self.0.event_name.as_deref() {
            Some("INSERT") => ChangeKind::Insert,
            Some("MODIFY") => ChangeKind::Modify,
            Some("REMOVE") => ChangeKind::Remove,
            _ => ChangeKind::Unknown,
        }
    }

    /// Returns the key of the item.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Empty`] if there is none, and [`ParseError::Json`] or
    /// [`ParseError::Item`] if it is not of the type `K`.
    pub fn keys<K: DeserializeOwned>(&self) -> Result<K, ParseError> {
        read("the key of the item", self.0.change.keys.as_deref())?.ok_or(ParseError::Empty)
    }

    /// Returns the item after the change, if the stream contains it.
    ///
    /// A number is read as any integer type up to 128 bits or, with all of its 38 digits, as a string.
    /// A float is rounded. A type that takes any value, such as `serde_json::Value`, takes a number only
    /// if that loses no digit.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Json`] or [`ParseError::Item`] if it is not of the type `T`.
    pub fn new_image<T: DeserializeOwned>(&self) -> Result<Option<T>, ParseError> {
        read("the new image of the item", self.0.change.new.as_deref())
    }

    /// Returns the item before the change, if the stream contains it, with numbers as in
    /// [`new_image`](Self::new_image).
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Json`] or [`ParseError::Item`] if it is not of the type `T`.
    pub fn old_image<T: DeserializeOwned>(&self) -> Result<Option<T>, ParseError> {
        read("the old image of the item", self.0.change.old.as_deref())
    }

    /// Returns true if DynamoDB removed the item because its time to live expired.
    #[must_use]
    pub fn is_expiry(&self) -> bool {
        let principal = self.0.user_identity.as_deref();
        let principal = principal.and_then(|identity| text_in(identity, "principalId"));
        principal.as_deref() == Some("dynamodb.amazonaws.com")
    }

    /// Returns the id of the event.
    #[must_use]
    pub fn event_id(&self) -> Option<&str> {
        self.0.event_id.as_ref().map(RecordId::as_str)
    }

    /// Returns the ARN of the stream.
    #[must_use]
    pub fn stream_arn(&self) -> Option<&str> {
        self.0.stream_arn.as_deref()
    }

    /// Returns about when the item was changed, to the millisecond. A stream of DynamoDB has whole seconds or
    /// milliseconds; one of Kinesis has milliseconds or microseconds, and its records say which.
    #[must_use]
    pub fn created_at(&self) -> Option<SystemTime> {
        let created = self.0.change.created?;
        moment(match self.0.change.precision {
            None => created,
            Some(Precision::Milliseconds) => created / 1e3,
            Some(Precision::Microseconds) => created / 1e6,
            Some(Precision::Unknown) => return None,
        })
    }
}

fn read<T: DeserializeOwned>(
    image: &'static str,
    item: Option<&RawValue>,
) -> Result<Option<T>, ParseError> {
    let Some(item) = item else { return Ok(None) };
    let attributes = || -> Result<_, ParseError> {
        let item: serde_dynamo::Item = from_json_str(item.get())?;
        Ok(Attribute(serde_dynamo::AttributeValue::M(item.into_inner())))
    };
    match T::deserialize(attributes()?) {
        Ok(item) => Ok(Some(item)),
        Err(source) => {
            let path = path_of::<T, _>(attributes()?);
            let source = match reason(&source.to_string()) {
                Cow::Borrowed(_) => source,
                Cow::Owned(reason) => serde_dynamo::Error::custom(reason),
            };
            Err(ParseError::Item { image, path, source })
        }
    }
}

impl<'de> Deserialize<'de> for DynamoDbEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Event::<Fields, DynamoDbRecord>::read(deserializer, "a DynamoDB stream")?;
        let Batch { mut records, has_window, is_piped } = event;
        if is_piped {
            let fields = records.iter_mut().filter_map(|record| Arc::get_mut(&mut record.0));
            fields.for_each(|fields| fields.is_piped = true);
        }
        Ok(Self { records, has_window, is_piped })
    }
}

/// A change that comes through a Kinesis stream: `KinesisMessage<DynamoDbRecord>`. It has no sequence
/// number.
///
/// What is no change is an error.
impl<'de> Deserialize<'de> for DynamoDbRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields: Fields = object(deserializer)?;
        if fields.change.keys.is_none() || fields.other_source.is_some() {
            return Err(D::Error::custom(
                "not a change of an item in DynamoDB: it has no `dynamodb.Keys`, or another `eventSource`",
            ));
        }
        if fields.change.sequence_number.is_none() {
            // Before it could be chosen, the precision was not written.
            fields.change.precision.get_or_insert(Precision::Milliseconds);
        }
        Ok(fields.into())
    }
}

impl From<Fields> for DynamoDbRecord {
    fn from(fields: Fields) -> Self {
        Self(Arc::new(fields))
    }
}

impl Object for Fields {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"dynamodb" => |it, value| value.object(&mut it.change),
            b"eventID" => |it, value| value.text(&mut it.event_id),
            b"eventName" => |it, value| value.text(&mut it.event_name),
            b"eventSourceARN" => |it, value| value.shared(&mut it.stream_arn),
            b"userIdentity" => |it, value| value.raw("{}", &mut it.user_identity),
            // Others write it with a capital letter.
            b"eventSource" | b"EventSource" => {
                |it, value| value.unless(SOURCES, &mut it.other_source)
            }
            _ => return None,
        };
        Some(read)
    }
}

impl Object for Images {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"SequenceNumber" => |it, value| value.text(&mut it.sequence_number),
            b"Keys" => |it, value| value.raw("", &mut it.keys),
            b"NewImage" => |it, value| value.raw("", &mut it.new),
            b"OldImage" => |it, value| value.raw("", &mut it.old),
            b"ApproximateCreationDateTime" => |it, value| value.number(&mut it.created),
            b"ApproximateCreationDateTimePrecision" => |it, value| value.text(&mut it.precision),
            _ => return None,
        };
        Some(read)
    }
}
