use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::iter::zip;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use super::data::read_data;
use super::{Batch, Error, FromRecord, Message, Outcome, Record, RecordError, Source};
use crate::events::{Body, FirehoseEvent, FirehoseRecord, ParseError, RecordId};

/// The maximum size of a reply, in bytes: 6 MiB, the limit of Lambda.
const LARGEST: usize = 6 << 20;

/// The most bytes that a record of the reply takes in addition to its data, its id and its keys.
const OVERHEAD: usize = 100;

/// A record of a Firehose stream with its data parsed as a `T`.
///
/// Data that starts like gzip or zlib is decompressed first.
pub type FirehoseMessage<T> = Message<T, FirehoseRecord>;

/// The transformation of the records of a Firehose stream. Created by [`firehose`](super::firehose).
#[must_use = "a transformation does nothing until it runs"]
pub struct Transformation<'a> {
    batch: Batch<'a, Records>,
}

/// The result of transforming a record of a Firehose stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a record that the handler does not return is lost"]
pub struct Transformed {
    data: Option<Vec<u8>>,
    partition_keys: BTreeMap<String, String>,
}

impl Transformed {
    /// Delivers these bytes in the place of the record.
    pub fn data(data: impl Into<Vec<u8>>) -> Self {
        Self { data: Some(data.into()), partition_keys: BTreeMap::new() }
    }

    /// Drops the record on purpose: it is not delivered, and counts as processed.
    pub fn dropped() -> Self {
        Self { data: None, partition_keys: BTreeMap::new() }
    }

    /// Adds a key for dynamic partitioning, which prefixes in S3 use as
    /// `!{partitionKeyFromLambda:name}`.
    pub fn partition_key(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.partition_keys.insert(name.into(), value.into());
        self
    }
}

/// The reply to Firehose: the result of each record, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[must_use = "a reply that the handler does not return loses the records"]
#[non_exhaustive]
pub struct FirehoseReply {
    /// The records.
    pub records: Vec<FirehoseResult>,
}

/// The result of a record, in the reply to Firehose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FirehoseResult {
    /// The id of the record.
    pub record_id: RecordId,
    /// `Ok`, `Dropped` or `ProcessingFailed`.
    pub result: &'static str,
    /// The transformed data in base64. `None` if the record was dropped or its transformation
    /// failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// The keys for dynamic partitioning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<FirehoseMetadata>,
}

/// The keys of a record for dynamic partitioning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FirehoseMetadata {
    /// The keys by their names.
    pub partition_keys: BTreeMap<String, String>,
}

impl<'a> Transformation<'a> {
    pub(super) fn new(event: FirehoseEvent) -> Self {
        Self { batch: Batch::new(Records(event)) }
    }

    /// Sets how many records are transformed concurrently, at most: see [`Batch::concurrency`].
    pub fn concurrency(mut self, records: usize) -> Self {
        self.batch = self.batch.concurrency(records);
        self
    }

    /// Sets the time before the invocation's deadline that is kept for the reply: see
    /// [`Batch::reserve`].
    pub fn reserve(mut self, time: Duration) -> Self {
        self.batch = self.batch.reserve(time);
        self
    }

    /// Calls `hook` with each record and its outcome: see [`Batch::on_outcome`].
    pub fn on_outcome(mut self, hook: impl FnMut(&FirehoseRecord, &Outcome) + Send + 'a) -> Self {
        self.batch = self.batch.on_outcome(hook);
        self
    }

    /// Transforms each record with `handler`, and returns the reply.
    ///
    /// A record that cannot be parsed, or whose handler returns an error or panics, is reported as
    /// `ProcessingFailed`: Firehose delivers it to the error output. The first record that does not fit
    /// into the 6 MiB of a reply and all records after it are reported like that, too: give the stream a
    /// smaller buffer.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Incomplete`] if there was no time for all records: Firehose then invokes the
    /// function again with all of them. Returns [`Error::IdentifierMissing`] if a record has no id.
    pub async fn run<M, F, Fut, E>(self, handler: F) -> Result<FirehoseReply, Error>
    where
        M: FromRecord<FirehoseRecord>,
        F: Fn(M) -> Fut,
        Fut: Future<Output = Result<Transformed, E>>,
        E: Into<RecordError>,
    {
        let (mut report, values) = self.batch.run_with(handler).await;
        if let Some(error) = report.refused.take() {
            return Err(error);
        }
        let is_unfinished =
            |outcome: &Outcome| matches!(outcome, Outcome::Stopped | Outcome::NotStarted);
        if report.outcomes.iter().any(is_unfinished) {
            return Err(report.incomplete());
        }
        let ids = report.records().filter_map(|(record, _)| record.identifier());
        let mut records: Vec<_> = ids.map(FirehoseResult::failed).collect();
        let mut size: usize = records.iter().map(FirehoseResult::size).sum();
        let mut too_large = 0;
        for (record, value) in zip(&mut records, values) {
            let Some(value) = value else { continue };
            let result = value.reply(record.record_id.clone());
            let more = result.size().saturating_sub(record.size());
            if too_large == 0 && size + more <= LARGEST {
                size += more;
                *record = result;
            } else {
                too_large += 1;
            }
        }
        if too_large > 0 {
            tracing::warn!(
                records = too_large,
                "transformed records do not fit into a reply and are delivered as failed: give the \
                 Firehose stream a smaller buffer"
            );
        }
        Ok(FirehoseReply { records })
    }
}

impl Transformed {
    fn reply(self, record_id: RecordId) -> FirehoseResult {
        let Self { data, partition_keys } = self;
        let metadata = (!partition_keys.is_empty()).then_some(FirehoseMetadata { partition_keys });
        match data {
            Some(data) => {
                let data = Some(BASE64_STANDARD.encode(data));
                FirehoseResult { record_id, result: "Ok", data, metadata }
            }
            None => FirehoseResult { record_id, result: "Dropped", data: None, metadata },
        }
    }
}

impl FirehoseResult {
    fn failed(record_id: RecordId) -> Self {
        Self { record_id, result: "ProcessingFailed", data: None, metadata: None }
    }

    /// Returns the most bytes that the record takes in the reply.
    fn size(&self) -> usize {
        let text = |text: &str| serde_json::to_string(text).map_or(0, |json| json.len());
        let keys = self.metadata.iter().flat_map(|metadata| &metadata.partition_keys);
        let keys: usize = keys.map(|(name, value)| text(name) + text(value) + 2).sum();
        let data = self.data.as_ref().map_or(0, String::len);
        data + text(self.record_id.as_str()) + keys + OVERHEAD
    }
}

impl fmt::Debug for Transformation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.batch.fmt(f)
    }
}

/// The records, as a batch whose reply is not a partial batch response.
#[derive(Debug)]
struct Records(FirehoseEvent);

impl Source for Records {
    type Record = FirehoseRecord;

    fn into_records(self) -> Result<Vec<FirehoseRecord>, Error> {
        Ok(self.0.records)
    }
}

impl Record for FirehoseRecord {
    type Identifier = RecordId;

    fn identifier(&self) -> Option<RecordId> {
        self.id().filter(|id| !id.as_str().is_empty()).cloned()
    }
}

impl<T: Body> FromRecord<FirehoseRecord> for FirehoseMessage<T> {
    fn from_record(record: FirehoseRecord) -> Result<Self, ParseError> {
        let (body, reserved) = read_data(record.data()?)?;
        Ok(Self { body, record, _reserved: reserved })
    }
}
