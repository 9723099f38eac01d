mod aggregate;

use std::sync::Arc;
use std::time::SystemTime;

use serde::de::MapAccess;
use serde::{Deserialize, Deserializer};

use self::aggregate::{Aggregate, MAGIC_IN_BASE64, is_aggregate};
use super::de::{Batch, Event, Object, Read};
use super::decode::{decode, moment};
use super::{HasNaturalKey, NaturalKey, ParseError, RecordId};

pub(crate) const SOURCES: &[&str] = &["aws:kinesis"];

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
    /// EventBridge Pipes sent it.
    pub(crate) is_piped: bool,
}

/// A record of a Kinesis stream, or one of several that the Kinesis Producer Library (KPL) aggregated
/// to one. Cloning is cheap.
///
/// A batch takes aggregated records apart, as [`user_records`](Self::user_records) does.
#[derive(Clone, Debug)]
pub struct KinesisRecord {
    fields: Arc<Fields>,
    /// Where it is in an aggregate.
    part: Option<Part>,
}

/// One of the records of an aggregate.
#[derive(Clone, Debug)]
struct Part {
    of: Arc<Aggregate>,
    index: usize,
}

#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) stream_arn: Option<Arc<str>>,
    pub(super) event_id: Option<RecordId>,
    /// EventBridge Pipes sent it.
    pub(super) is_piped: bool,
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

/// The stream, the id of the event, and the sub-sequence number of a record that was aggregated.
///
/// The KPL may send a record again in another aggregate, for example when shards are split: that is
/// another key. A business key recognises it.
impl HasNaturalKey for KinesisRecord {
    fn natural_key(&self) -> NaturalKey {
        let number = self.sub_sequence_number().map(|number| number.to_string());
        let event = [self.stream_arn(), self.event_id()];
        NaturalKey::new(event.into_iter().chain(number.as_deref().map(Some)))
    }
}

impl KinesisRecord {
    /// Returns the name that the record gives its source, if that is not Kinesis.
    pub(crate) fn other_source(&self) -> Option<&str> {
        self.fields.other_source.as_deref()
    }

    /// Returns the identifier for a reply: the sequence number, but the id of the event for EventBridge
    /// Pipes. See "Partial batch failure" in its user guide.
    pub(crate) fn record_id(&self) -> Option<&RecordId> {
        let Fields { is_piped, event_id, kinesis, .. } = &*self.fields;
        if *is_piped { event_id.as_ref() } else { kinesis.sequence_number.as_ref() }
    }

    /// Returns the sequence number of the record in the shard, which has too many digits for any
    /// integer type.
    #[must_use]
    pub fn sequence_number(&self) -> Option<&str> {
        self.fields.kinesis.sequence_number.as_ref().map(RecordId::as_str)
    }

    /// Returns the place of the record among those that the KPL aggregated to one, from 0; `None` for
    /// a record that is not aggregated.
    ///
    /// All of them have the same sequence number.
    #[must_use]
    pub fn sub_sequence_number(&self) -> Option<usize> {
        self.part.as_ref().map(|part| part.index)
    }

    /// Returns the partition key, by which the sender chose the shard.
    #[must_use]
    pub fn partition_key(&self) -> Option<&str> {
        match &self.part {
            Some(part) => part.of.partition_key(part.index),
            None => self.fields.kinesis.partition_key.as_deref(),
        }
    }

    /// Returns the number by which the sender chose the shard instead of the partition key. Only a
    /// record that was aggregated contains it.
    #[must_use]
    pub fn explicit_hash_key(&self) -> Option<&str> {
        let part = self.part.as_ref()?;
        part.of.explicit_hash_key(part.index)
    }

    /// Returns the data as it was sent.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Empty`] if there is none, [`ParseError::Base64`] if it cannot be decoded,
    /// and [`ParseError::Aggregated`] if it contains several records, or is what remains of them: see
    /// [`user_records`](Self::user_records).
    pub fn data(&self) -> Result<Vec<u8>, ParseError> {
        if let Some(part) = &self.part {
            return Ok(part.of.data(part.index).ok_or(ParseError::Empty)?.to_vec());
        }
        let data = self.stream_data()?;
        if is_aggregate(&data) {
            let problem = "take the records that `user_records` returns";
            let problem = Aggregate::parse(data).err().unwrap_or(problem);
            return Err(ParseError::Aggregated { problem });
        }
        Ok(data)
    }

    /// Returns the data of the record in the stream, also of one that contains several or that cannot
    /// be taken apart. Records that were aggregated to one have this in common.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Empty`] if there is none, and [`ParseError::Base64`] if it cannot be
    /// decoded.
    pub fn stream_data(&self) -> Result<Vec<u8>, ParseError> {
        decode(self.fields.kinesis.data.as_deref().ok_or(ParseError::Empty)?)
    }

    /// Returns true if the data contains several records that the Kinesis Producer Library (KPL)
    /// aggregated, and that have not been taken apart yet.
    ///
    /// See `aggregation-format.md` in the library's repository: such data starts with the bytes F3
    /// 89 9A C2.
    #[must_use]
    pub fn is_aggregated(&self) -> bool {
        // In base64 the first four bytes are in the first eight characters.
        let data = self.fields.kinesis.data.as_deref().filter(|_| self.part.is_none());
        data.filter(|data| data.starts_with(MAGIC_IN_BASE64))
            .and_then(|data| decode(data.get(..8)?).ok())
            .is_some_and(|start| is_aggregate(&start))
    }

    /// Returns the records that the KPL aggregated to this one, in their order, or this one alone if
    /// [it is not aggregated](Self::is_aggregated).
    ///
    /// Each has its own data, partition key, explicit hash key and
    /// [sub-sequence number](Self::sub_sequence_number). The rest is that of the record in the stream.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Base64`] if the data cannot be decoded, and [`ParseError::Aggregated`] if
    /// the checksum is wrong or the data is not what the KPL writes.
    pub fn user_records(&self) -> Result<Vec<Self>, ParseError> {
        if !self.is_aggregated() {
            return Ok(vec![self.clone()]);
        }
        let parsed = Aggregate::parse(self.stream_data()?);
        let of = Arc::new(parsed.map_err(|problem| ParseError::Aggregated { problem })?);
        let part = |index| Self {
            fields: self.fields.clone(),
            part: Some(Part { of: of.clone(), index }),
        };
        Ok((0..of.len()).map(part).collect())
    }

    /// Returns the id of the event, which consists of the shard and the sequence number.
    #[must_use]
    pub fn event_id(&self) -> Option<&str> {
        self.fields.event_id.as_ref().map(RecordId::as_str)
    }

    /// Returns the ARN of the stream.
    #[must_use]
    pub fn stream_arn(&self) -> Option<&str> {
        self.fields.stream_arn.as_deref()
    }

    /// Returns about when the record reached the stream, to the millisecond.
    #[must_use]
    pub fn arrived_at(&self) -> Option<SystemTime> {
        moment(self.fields.kinesis.arrived?)
    }
}

impl<'de> Deserialize<'de> for KinesisEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Event::<Fields, KinesisRecord>::read(deserializer, "Kinesis")?;
        let Batch { mut records, has_window, is_piped } = event;
        if is_piped {
            let fields = records.iter_mut().filter_map(|record| Arc::get_mut(&mut record.fields));
            fields.for_each(|fields| fields.is_piped = true);
        }
        Ok(Self { records, has_window, is_piped })
    }
}

impl From<Fields> for KinesisRecord {
    fn from(fields: Fields) -> Self {
        Self { fields: Arc::new(fields), part: None }
    }
}

impl Object for Fields {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"kinesis" => |it, value| value.object(&mut it.kinesis),
            // EventBridge Pipes writes these beside the others.
            b"sequenceNumber" => |it, value| value.text(&mut it.kinesis.sequence_number),
            b"partitionKey" => |it, value| value.text(&mut it.kinesis.partition_key),
            b"data" => |it, value| value.text(&mut it.kinesis.data),
            b"approximateArrivalTimestamp" => |it, value| value.number(&mut it.kinesis.arrived),
            b"eventID" => |it, value| value.text(&mut it.event_id),
            b"eventSourceARN" => |it, value| value.shared(&mut it.stream_arn),
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
