use std::mem::take;

use super::data::read_data;
use super::{Error, FromRecord, Message, Record, Reply, Source};
use crate::events::mq::{ACTIVE_MQ, RABBIT_MQ};
use crate::events::{
    ActiveMqEvent, ActiveMqRecord, Body, ParseError, RabbitMqEvent, RabbitMqRecord, RecordId,
};

/// A message of ActiveMQ with its data parsed as a `T`.
///
/// Data that starts like gzip or zlib is decompressed first.
pub type ActiveMqMessage<T> = Message<T, ActiveMqRecord>;

/// A message of RabbitMQ with its data parsed as a `T`.
///
/// Data that starts like gzip or zlib is decompressed first.
pub type RabbitMqMessage<T> = Message<T, RabbitMqRecord>;

impl Source for ActiveMqEvent {
    type Record = ActiveMqRecord;
    type Reply = Reply;

    const ACCEPTS_PARTIAL_RESPONSE: bool = false;

    fn take_records(&mut self) -> Result<Vec<ActiveMqRecord>, Error> {
        check_source(self.other_source.take(), ACTIVE_MQ).map(|()| take(&mut self.records))
    }
}

impl Source for RabbitMqEvent {
    type Record = RabbitMqRecord;
    type Reply = Reply;

    const ACCEPTS_PARTIAL_RESPONSE: bool = false;

    fn take_records(&mut self) -> Result<Vec<RabbitMqRecord>, Error> {
        check_source(self.other_source.take(), RABBIT_MQ).map(|()| take(&mut self.records))
    }
}

/// Returns an error if the event names another source.
pub(super) fn check_source(other_source: Option<Box<str>>, expected: &[&str]) -> Result<(), Error> {
    match other_source {
        None => Ok(()),
        Some(found) => Err(Error::SourceUnexpected {
            index: 0,
            expected: expected[0].to_owned(),
            found: found.into(),
        }),
    }
}

impl Record for ActiveMqRecord {
    type Identifier = RecordId;

    fn identifier(&self) -> Option<RecordId> {
        self.record_id().filter(|id| !id.as_str().is_empty()).cloned()
    }
}

impl Record for RabbitMqRecord {
    type Identifier = RecordId;

    /// Returns the queue and the place in it, since the broker assigns no ids to messages.
    fn identifier(&self) -> Option<RecordId> {
        Some(self.place())
    }
}

impl<T: Body> FromRecord<ActiveMqRecord> for ActiveMqMessage<T> {
    fn from_record(record: ActiveMqRecord) -> Result<Self, ParseError> {
        let (body, reserved) = read_data(record.data()?)?;
        Ok(Self::new(body, record, reserved))
    }
}

impl<T: Body> FromRecord<RabbitMqRecord> for RabbitMqMessage<T> {
    fn from_record(record: RabbitMqRecord) -> Result<Self, ParseError> {
        let (body, reserved) = read_data(record.data()?)?;
        Ok(Self::new(body, record, reserved))
    }
}
