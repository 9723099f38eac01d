use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::de::{self, MapAccess};
use serde::{Deserialize, Deserializer};

use super::de::{Object, Read, object};
use super::decode::decode;
use super::{HasNaturalKey, NaturalKey, ParseError, RecordId};

/// The event by which a Firehose stream has its records transformed.
///
/// The data of a record is kept in base64 until its handler starts.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct FirehoseEvent {
    /// The records, in the order of the stream.
    pub records: Vec<FirehoseRecord>,
    /// The ARN of the stream.
    pub stream_arn: Option<Arc<str>>,
}

/// A record of a Firehose stream. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct FirehoseRecord {
    stream_arn: Option<Arc<str>>,
    fields: Arc<Fields>,
}

#[derive(Debug, Default)]
struct Fields {
    record_id: Option<RecordId>,
    arrived: Option<i64>,
    kinesis: Kinesis,
    /// In base64.
    data: Option<Box<str>>,
}

/// What Firehose knows about a record that it read from a Kinesis stream.
#[derive(Debug, Default)]
struct Kinesis {
    partition_key: Option<Box<str>>,
    sequence_number: Option<Box<str>>,
}

/// The stream and the id of the record, which is the same when the transformation is retried.
impl HasNaturalKey for FirehoseRecord {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([self.stream_arn.as_deref(), self.record_id()])
    }
}

impl FirehoseRecord {
    /// Returns what identifies the record in the reply.
    pub(crate) fn id(&self) -> Option<&RecordId> {
        self.fields.record_id.as_ref()
    }

    /// Returns the id of the record.
    #[must_use]
    pub fn record_id(&self) -> Option<&str> {
        self.id().map(RecordId::as_str)
    }

    /// Returns when the record reached the stream, to the millisecond.
    #[must_use]
    pub fn arrived_at(&self) -> Option<SystemTime> {
        let millis = self.fields.arrived?.try_into().ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis))
    }

    /// Returns the partition key of a record that came from a Kinesis stream.
    #[must_use]
    pub fn partition_key(&self) -> Option<&str> {
        self.fields.kinesis.partition_key.as_deref()
    }

    /// Returns the sequence number of a record that came from a Kinesis stream.
    #[must_use]
    pub fn sequence_number(&self) -> Option<&str> {
        self.fields.kinesis.sequence_number.as_deref()
    }

    /// Returns the data as it was sent.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Empty`] if there is none, and [`ParseError::Base64`] if it is invalid
    /// base64.
    pub fn data(&self) -> Result<Vec<u8>, ParseError> {
        decode(self.encoded_data().ok_or(ParseError::Empty)?)
    }

    /// Returns the data in base64, as it was delivered.
    pub(crate) fn encoded_data(&self) -> Option<&str> {
        self.fields.data.as_deref()
    }
}

impl<'de> Deserialize<'de> for FirehoseEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Event { records, stream_arn } = object(deserializer)?;
        let records = records.ok_or_else(|| {
            de::Error::custom("not an event of Firehose: it has no list `records`")
        })?;
        let of_stream = |fields| FirehoseRecord { stream_arn: stream_arn.clone(), fields };
        Ok(Self { records: records.into_iter().map(of_stream).collect(), stream_arn })
    }
}

#[derive(Default)]
struct Event {
    records: Option<Vec<Arc<Fields>>>,
    stream_arn: Option<Arc<str>>,
}

impl Object for Event {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"records" => |it, value| value.records::<Fields, _>(&mut it.records),
            b"deliveryStreamArn" => |it, value| value.text(&mut it.stream_arn),
            _ => return None,
        };
        Some(read)
    }
}

impl Object for Fields {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"recordId" => |it, value| value.text(&mut it.record_id),
            b"approximateArrivalTimestamp" => |it, value| value.integer(&mut it.arrived),
            b"kinesisRecordMetadata" => |it, value| value.object(&mut it.kinesis),
            b"data" => |it, value| value.text(&mut it.data),
            _ => return None,
        };
        Some(read)
    }
}

impl Object for Kinesis {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"partitionKey" => |it, value| value.text(&mut it.partition_key),
            b"sequenceNumber" => |it, value| value.text(&mut it.sequence_number),
            _ => return None,
        };
        Some(read)
    }
}
