use std::borrow::Cow;
use std::mem::take;

use super::data::read_str;
use super::source::from_one_source;
use super::{Batch, Error, FromRecord, Message, Record, Reply, Source};
use crate::events::sqs::SOURCES;
use crate::events::{Body, ParseError, RecordId, SqsEvent, SqsRecord};

impl<'a> Batch<'a, SqsEvent> {
    /// Sets how often the queue delivers a message before it moves it to the dead-letter queue: the
    /// `maxReceiveCount` of its redrive policy.
    ///
    /// Handlers can then use [`SqsRecord::is_last_attempt`]. In a FIFO queue the rest of a group
    /// continues when a message fails for the last time, as the queue continues without it. The rest
    /// is delivered no more often than the message, so without this it may never start.
    ///
    /// A count of 0, which no queue has, means that the count is not known.
    pub fn max_receive_count(mut self, count: u32) -> Self {
        for record in &mut self.source.records {
            record.max_receive_count = Some(count).filter(|count| *count > 0);
        }
        self
    }
}

impl Source for SqsEvent {
    type Record = SqsRecord;
    type Reply = Reply;

    fn take_records(&mut self) -> Result<Vec<SqsRecord>, Error> {
        from_one_source(SOURCES, take(&mut self.records), SqsRecord::other_source)
    }
}

impl Record for SqsRecord {
    type Identifier = RecordId;

    fn identifier(&self) -> Option<RecordId> {
        self.record_id().filter(|id| !id.as_str().is_empty()).cloned()
    }

    fn has_identifier(&self) -> bool {
        self.record_id().is_some_and(|id| !id.as_str().is_empty())
    }

    /// Returns the message group in a FIFO queue. Standard queues have groups too, but for fairness
    /// and not for order.
    fn order(&self) -> Option<Cow<'_, str>> {
        // Messages of a FIFO queue with an unreadable group keep their order, too.
        self.is_fifo().then(|| self.group_id().unwrap_or_default())
    }

    fn attempt(&self) -> Option<u32> {
        self.receive_count()
    }

    fn is_last_attempt(&self) -> bool {
        self.is_last_attempt()
    }
}

impl<T: Body> FromRecord<SqsRecord> for Message<T> {
    fn from_record(record: SqsRecord) -> Result<Self, ParseError> {
        // There is a pointer in it, which must not be taken for a value.
        if record.has_large_body() {
            return Err(ParseError::BodyInS3);
        }
        let (body, reserved) = read_str(record.body().ok_or(ParseError::Empty)?)?;
        Ok(Self::new(body, record, reserved))
    }
}
