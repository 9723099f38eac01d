use std::borrow::Cow;

use super::data::read_data;
use super::{Batch, Error, FromRecord, Message, Record, Source};
use crate::events::kafka::SOURCES;
use crate::events::{Body, KafkaEvent, KafkaIdentifier, KafkaRecord, ParseError};

/// A record of a Kafka topic with its value parsed as a `T`.
///
/// A value that starts as gzip or zlib does is decompressed first; a null one is parsed as JSON's null,
/// and is no [`Text`](crate::events::Text).
pub type KafkaMessage<T> = Message<T, KafkaRecord>;

impl Batch<'_, KafkaEvent> {
    /// Reports single records: for an event source mapping in provisioned mode that has
    /// `ReportBatchItemFailures`. Others take a batch as a whole, which is the default.
    pub fn partial_response(mut self) -> Self {
        self.policy.all_or_nothing = false;
        self
    }
}

impl Source for KafkaEvent {
    type Record = KafkaRecord;

    fn into_records(self) -> Result<Vec<KafkaRecord>, Error> {
        match self.other_source {
            None => Ok(self.records),
            Some(found) => Err(Error::SourceUnexpected {
                index: 0,
                expected: SOURCES[0].to_owned(),
                found: found.into(),
            }),
        }
    }
}

impl Record for KafkaRecord {
    type Identifier = KafkaIdentifier;

    fn identifier(&self) -> Option<KafkaIdentifier> {
        self.identifier()
    }

    /// The topic and the partition.
    fn order(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.partition()))
    }
}

impl<T: Body> FromRecord<KafkaRecord> for KafkaMessage<T> {
    fn from_record(record: KafkaRecord) -> Result<Self, ParseError> {
        let (body, reserved) = match record.value()? {
            Some(value) => read_data(value)?,
            None => (T::absent()?, None),
        };
        Ok(Self { body, record, _reserved: reserved })
    }
}
