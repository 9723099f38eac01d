use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use serde::de::{self, DeserializeOwned, MapAccess};
use serde::{Deserialize, Deserializer};

use super::data::{decode, decompress, moment};
use super::de::{Object, Value, event};
use super::source::from_one_source;
use super::{Error, FromRecord, Message, ParseError, Record, RecordId, Reporting, Source};

pub(super) const SOURCES: &[&str] = &["aws:kinesis"];

/// A record of a Kinesis stream with its data parsed. Data is decompressed first if it begins as
/// gzip or zlib does.
pub type KinesisMessage<T> = Message<T, KinesisRecord>;

/// The event of a shard of a Kinesis stream.
///
/// Data is kept in base64 until the handler of its record starts.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KinesisEvent {
    /// The records, in the order in which they came.
    pub records: Vec<KinesisRecord>,
    /// True for an event of a tumbling window, which a batch refuses.
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
    /// Where it is from, if that is not Kinesis.
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

impl Source for KinesisEvent {
    type Record = KinesisRecord;

    const REPORTING: Reporting = Reporting::Checkpoint;

    fn into_records(self) -> Result<Vec<KinesisRecord>, Error> {
        if self.has_window {
            return Err(Error::TumblingWindow);
        }
        from_one_source(SOURCES, self.records, |record| record.0.other_source.as_deref())
    }
}

impl Record for KinesisRecord {
    type Identifier = RecordId;

    fn identifier(&self) -> Option<RecordId> {
        self.0.kinesis.sequence_number.clone().filter(|id| !id.as_str().is_empty())
    }

    fn has_identifier(&self) -> bool {
        self.0.kinesis.sequence_number.as_ref().is_some_and(|id| !id.as_str().is_empty())
    }

    /// The partition key.
    fn order(&self) -> Option<Cow<'_, str>> {
        Some(self.partition_key().unwrap_or_default().into())
    }
}

impl KinesisRecord {
    /// The place of the record in its shard: a number of more digits than any integer type has.
    #[must_use]
    pub fn sequence_number(&self) -> Option<&str> {
        self.0.kinesis.sequence_number.as_ref().map(RecordId::as_str)
    }

    /// What the sender chose the shard by.
    #[must_use]
    pub fn partition_key(&self) -> Option<&str> {
        self.0.kinesis.partition_key.as_deref()
    }

    /// The data, as it was sent.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Empty`] if there is none, and [`ParseError::Base64`] if it cannot be
    /// decoded.
    pub fn data(&self) -> Result<Vec<u8>, ParseError> {
        decode(self.0.kinesis.data.as_deref().ok_or(ParseError::Empty)?)
    }

    /// The id of the event: the shard and the sequence number.
    #[must_use]
    pub fn event_id(&self) -> Option<&str> {
        self.0.event_id.as_deref()
    }

    /// The ARN of the stream.
    #[must_use]
    pub fn stream_arn(&self) -> Option<&str> {
        self.0.stream_arn.as_deref()
    }

    /// When the record came to the stream, about.
    #[must_use]
    pub fn arrived_at(&self) -> Option<SystemTime> {
        moment(self.0.kinesis.arrived?)
    }
}

impl<T: DeserializeOwned> FromRecord<KinesisRecord> for KinesisMessage<T> {
    fn from_record(record: KinesisRecord) -> Result<Self, ParseError> {
        let data = decompress(record.data()?)?;
        Self::parse(record, &data)
    }
}

impl<'de> Deserialize<'de> for KinesisEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Event { records, has_window } = event(deserializer)?;
        let records = records.ok_or_else(|| {
            de::Error::custom("not an event of Kinesis: it has no list `Records`")
        })?;
        Ok(Self { records, has_window })
    }
}

impl From<Fields> for KinesisRecord {
    fn from(fields: Fields) -> Self {
        Self(Arc::new(fields))
    }
}

#[derive(Default)]
struct Event {
    records: Option<Vec<KinesisRecord>>,
    has_window: bool,
}

enum EventMember {
    Records,
    Window,
}

impl Object for Event {
    type Member = EventMember;

    fn named(name: &[u8]) -> Option<EventMember> {
        match name {
            b"Records" => Some(EventMember::Records),
            b"window" => Some(EventMember::Window),
            _ => None,
        }
    }

    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        member: EventMember,
        value: &mut Value<'_, A>,
    ) -> Result<(), A::Error> {
        match member {
            EventMember::Records => self.records = value.records::<Fields, _>()?,
            EventMember::Window => self.has_window = value.raw()?.is_some(),
        }
        Ok(())
    }
}

pub(super) enum Member {
    Kinesis,
    EventId,
    StreamArn,
    Source,
}

impl Object for Fields {
    type Member = Member;

    fn named(name: &[u8]) -> Option<Member> {
        Some(match name {
            b"kinesis" => Member::Kinesis,
            b"eventID" => Member::EventId,
            b"eventSourceARN" => Member::StreamArn,
            // Others write it with a capital letter.
            b"eventSource" | b"EventSource" => Member::Source,
            _ => return None,
        })
    }

    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        member: Member,
        value: &mut Value<'_, A>,
    ) -> Result<(), A::Error> {
        match member {
            Member::Kinesis => value.object(&mut self.kinesis)?,
            Member::EventId => self.event_id = value.text()?,
            Member::StreamArn => self.stream_arn = value.arn()?,
            Member::Source => self.other_source = value.unless(SOURCES)?,
        }
        Ok(())
    }
}

pub(super) enum KinesisMember {
    SequenceNumber,
    PartitionKey,
    Data,
    Arrived,
}

impl Object for Kinesis {
    type Member = KinesisMember;

    fn named(name: &[u8]) -> Option<KinesisMember> {
        Some(match name {
            b"sequenceNumber" => KinesisMember::SequenceNumber,
            b"partitionKey" => KinesisMember::PartitionKey,
            b"data" => KinesisMember::Data,
            b"approximateArrivalTimestamp" => KinesisMember::Arrived,
            _ => return None,
        })
    }

    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        member: KinesisMember,
        value: &mut Value<'_, A>,
    ) -> Result<(), A::Error> {
        match member {
            KinesisMember::SequenceNumber => self.sequence_number = value.text()?,
            KinesisMember::PartitionKey => self.partition_key = value.text()?,
            KinesisMember::Data => self.data = value.text()?,
            KinesisMember::Arrived => self.arrived = value.number()?,
        }
        Ok(())
    }
}
