use std::sync::Arc;
use std::time::SystemTime;

use serde::de::{self, MapAccess};
use serde::{Deserialize, Deserializer};

use super::de::{Object, Value, event};
use super::decode::{decode, moment};
use super::{HasNaturalKey, NaturalKey, ParseError, RecordId};

pub(crate) const SOURCES: &[&str] = &["aws:kinesis"];

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

impl HasNaturalKey for KinesisRecord {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([self.stream_arn(), self.event_id()])
    }
}

impl KinesisRecord {
    /// The name that the record gives its source, if that is not Kinesis.
    pub(crate) fn other_source(&self) -> Option<&str> {
        self.0.other_source.as_deref()
    }

    /// The identifier for a reply.
    pub(crate) fn record_id(&self) -> Option<&RecordId> {
        self.0.kinesis.sequence_number.as_ref()
    }

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
