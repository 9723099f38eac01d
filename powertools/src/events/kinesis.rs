use std::sync::Arc;
use std::time::SystemTime;

use serde::de::MapAccess;
use serde::{Deserialize, Deserializer};

use super::de::{Event, Object, Read};
use super::decode::{decode, moment};
use super::{HasNaturalKey, NaturalKey, ParseError, RecordId};

pub(crate) const SOURCES: &[&str] = &["aws:kinesis"];

const KPL_MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];

/// The event of a shard of a Kinesis stream.
///
/// The data of a record is kept in base64 until its handler starts.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KinesisEvent {
    /// The records, in the order of the shard.
    pub records: Vec<KinesisRecord>,
    /// True for an event of a tumbling window, which a batch rejects.
    pub has_window: bool,
}

/// A record of a Kinesis stream. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct KinesisRecord(Arc<Fields>);

#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) stream_arn: Option<Arc<str>>,
    pub(super) event_id: Option<Box<str>>,
    pub(super) kinesis: Kinesis,
    /// The source, if that is not Kinesis.
    pub(super) other_source: Option<Box<str>>,
}

#[derive(Debug, Default)]
pub(super) struct Kinesis {
    pub(super) sequence_number: Option<RecordId>,
    pub(super) partition_key: Option<Box<str>>,
    /// In base64.
    pub(super) data: Option<Box<str>>,
    pub(super) arrived: Option<f64>,
}

impl HasNaturalKey for KinesisRecord {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([self.stream_arn(), self.event_id()])
    }
}

impl KinesisRecord {
    /// Returns the name that the record gives its source, if that is not Kinesis.
    pub(crate) fn other_source(&self) -> Option<&str> {
        self.0.other_source.as_deref()
    }

    /// Returns the identifier for a reply.
    pub(crate) fn record_id(&self) -> Option<&RecordId> {
        self.0.kinesis.sequence_number.as_ref()
    }

    /// Returns the sequence number in the shard, which has too many digits for any integer type.
    #[must_use]
    pub fn sequence_number(&self) -> Option<&str> {
        self.0.kinesis.sequence_number.as_ref().map(RecordId::as_str)
    }

    /// Returns the partition key, by which the sender chose the shard.
    #[must_use]
    pub fn partition_key(&self) -> Option<&str> {
        self.0.kinesis.partition_key.as_deref()
    }

    /// Returns the data as it was sent.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Empty`] if there is none, and [`ParseError::Base64`] if it cannot be
    /// decoded.
    pub fn data(&self) -> Result<Vec<u8>, ParseError> {
        decode(self.0.kinesis.data.as_deref().ok_or(ParseError::Empty)?)
    }

    /// Returns true if the data contains several records that the Kinesis Producer Library (KPL)
    /// aggregated.
    ///
    /// See `aggregation-format.md` in the library's repository: such data starts with the bytes F3
    /// 89 9A C2.
    #[must_use]
    pub fn is_aggregated(&self) -> bool {
        // In base64 the first four bytes are in the first eight characters.
        let start = self.0.kinesis.data.as_deref().and_then(|data| data.get(..8));
        start.and_then(|start| decode(start).ok()).is_some_and(|data| data.starts_with(&KPL_MAGIC))
    }

    /// Returns the id of the event, which consists of the shard and the sequence number.
    #[must_use]
    pub fn event_id(&self) -> Option<&str> {
        self.0.event_id.as_deref()
    }

    /// Returns the ARN of the stream.
    #[must_use]
    pub fn stream_arn(&self) -> Option<&str> {
        self.0.stream_arn.as_deref()
    }

    /// Returns about when the record reached the stream, to the millisecond.
    #[must_use]
    pub fn arrived_at(&self) -> Option<SystemTime> {
        moment(self.0.kinesis.arrived?)
    }
}

impl<'de> Deserialize<'de> for KinesisEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (records, has_window) = Event::<Fields, _>::read(deserializer, "Kinesis")?;
        Ok(Self { records, has_window })
    }
}

impl From<Fields> for KinesisRecord {
    fn from(fields: Fields) -> Self {
        Self(Arc::new(fields))
    }
}

impl Object for Fields {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"kinesis" => |it, value| value.object(&mut it.kinesis),
            b"eventID" => |it, value| value.text(&mut it.event_id),
            b"eventSourceARN" => |it, value| value.arn(&mut it.stream_arn),
            // Others write it with a capital letter.
            b"eventSource" | b"EventSource" => {
                |it, value| value.unless(SOURCES, &mut it.other_source)
            }
            _ => return None,
        };
        Some(read)
    }
}

impl Object for Kinesis {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"sequenceNumber" => |it, value| value.text(&mut it.sequence_number),
            b"partitionKey" => |it, value| value.text(&mut it.partition_key),
            b"data" => |it, value| value.text(&mut it.data),
            b"approximateArrivalTimestamp" => |it, value| value.number(&mut it.arrived),
            _ => return None,
        };
        Some(read)
    }
}
