use std::borrow::Cow;

use serde::de::DeserializeOwned;

use super::data::read_data;
use super::source::from_one_source;
use super::{Error, FromRecord, Message, Record, Reporting, Source};
use crate::events::kinesis::SOURCES;
use crate::events::{KinesisEvent, KinesisRecord, ParseError, RecordId};

/// A record of a Kinesis stream with its data parsed as a `T`.
///
/// Data that starts as gzip or zlib does is decompressed first. A record that the Kinesis Producer
/// Library aggregated is an error: see [`ParseError::Aggregated`].
pub type KinesisMessage<T> = Message<T, KinesisRecord>;

impl Source for KinesisEvent {
    type Record = KinesisRecord;

    const REPORTING: Reporting = Reporting::Checkpoint;

    fn into_records(self) -> Result<Vec<KinesisRecord>, Error> {
        if self.has_window {
            return Err(Error::TumblingWindow);
        }
        from_one_source(SOURCES, self.records, KinesisRecord::other_source)
    }
}

impl Record for KinesisRecord {
    type Identifier = RecordId;

    fn identifier(&self) -> Option<RecordId> {
        self.record_id().filter(|id| !id.as_str().is_empty()).cloned()
    }

    fn has_identifier(&self) -> bool {
        self.record_id().is_some_and(|id| !id.as_str().is_empty())
    }

    /// The partition key.
    fn order(&self) -> Option<Cow<'_, str>> {
        Some(self.partition_key().unwrap_or_default().into())
    }
}

impl<T: DeserializeOwned> FromRecord<KinesisRecord> for KinesisMessage<T> {
    fn from_record(record: KinesisRecord) -> Result<Self, ParseError> {
        if record.is_aggregated() {
            return Err(ParseError::Aggregated);
        }
        let (body, reserved) = read_data(record.data()?)?;
        Ok(Self { body, record, _reserved: reserved })
    }
}
