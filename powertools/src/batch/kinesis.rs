use std::borrow::Cow;
use std::mem::take;

use super::data::read_data;
use super::source::from_one_source;
use super::{Error, FromRecord, Message, Record, Reply, Reporting, Source};
use crate::events::kinesis::SOURCES;
use crate::events::{Body, KinesisEvent, KinesisRecord, ParseError, RecordId};

/// A record of a Kinesis stream with its data parsed as a `T`.
///
/// Data that starts like gzip or zlib is decompressed first.
pub type KinesisMessage<T> = Message<T, KinesisRecord>;

impl Source for KinesisEvent {
    type Record = KinesisRecord;
    type Reply = Reply;

    const REPORTING: Reporting = Reporting::Checkpoint;

    fn reports_all(&self) -> bool {
        self.is_piped
    }

    fn take_records(&mut self) -> Result<Vec<KinesisRecord>, Error> {
        if self.has_window {
            return Err(Error::TumblingWindow);
        }
        let records =
            from_one_source(SOURCES, take(&mut self.records), KinesisRecord::other_source)?;
        if !records.iter().any(KinesisRecord::is_aggregated) {
            return Ok(records);
        }
        // A record that cannot be split stays as it is, and fails when its data is read.
        let split = |record: KinesisRecord| record.user_records().unwrap_or_else(|_| vec![record]);
        Ok(records.into_iter().flat_map(split).collect())
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

    /// Returns the partition key.
    fn order(&self) -> Option<Cow<'_, str>> {
        Some(self.partition_key().unwrap_or_default().into())
    }
}

impl<T: Body> FromRecord<KinesisRecord> for KinesisMessage<T> {
    fn from_record(record: KinesisRecord) -> Result<Self, ParseError> {
        let (body, reserved) = read_data(record.data()?)?;
        Ok(Self::new(body, record, reserved))
    }
}
