use std::collections::BTreeMap;
use std::iter::zip;
use std::mem::take;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::data::read_data;
use super::{Error, FromRecord, Message, Outcome, Record, Report, Source, SourceReply};
use crate::events::{Body, FirehoseEvent, FirehoseRecord, ParseError, RecordId};

/// The maximum size of a reply, in bytes: 6 MiB, the limit of Lambda.
const LARGEST: usize = 6 << 20;

/// The most bytes that a record of the reply takes in addition to its data, its id and its keys.
const OVERHEAD: usize = 100;

/// A record of a Firehose stream with its data parsed as a `T`.
///
/// Data that starts like gzip or zlib is decompressed first.
pub type FirehoseMessage<T> = Message<T, FirehoseRecord>;

/// The result of transforming a record of a Firehose stream.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[must_use = "a record that the handler does not return is lost"]
pub struct Transformed {
    /// In base64.
    data: Option<String>,
    partition_keys: BTreeMap<String, String>,
}

impl Transformed {
    /// Delivers these bytes in the place of the record.
    pub fn data(data: impl AsRef<[u8]>) -> Self {
        Self { data: Some(BASE64_STANDARD.encode(data)), partition_keys: BTreeMap::new() }
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

impl SourceReply<FirehoseEvent> for FirehoseReply {
    type Value = Transformed;

    fn from_report(
        report: &Report<FirehoseEvent>,
        values: Vec<Option<Transformed>>,
    ) -> Result<Self, Error> {
        let is_unfinished =
            |outcome: &Outcome| matches!(outcome, Outcome::Stopped | Outcome::NotStarted);
        // Records that did not start because of a failure fail like it.
        if report.out_of_time && report.records().any(|(_, outcome)| is_unfinished(outcome)) {
            return Err(report.incomplete());
        }
        let mut records = Vec::with_capacity(values.len());
        for (index, (record, outcome)) in report.records().enumerate() {
            let id = record.identifier().ok_or(Error::IdentifierMissing { index })?;
            records.push(FirehoseResult::without_data(id, outcome));
        }
        let mut size: usize = records.iter().map(FirehoseResult::size).sum();
        let mut too_large = 0;
        for (record, value) in zip(&mut records, values) {
            let Some(value) = value else { continue };
            let result = value.reply(record.record_id.clone());
            let more = result.size().saturating_sub(record.size());
            if size + more <= LARGEST {
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
        Ok(Self { records })
    }
}

impl Transformed {
    fn reply(self, record_id: RecordId) -> FirehoseResult {
        let Self { data, partition_keys } = self;
        let metadata = (!partition_keys.is_empty()).then_some(FirehoseMetadata { partition_keys });
        match data {
            Some(_) => FirehoseResult { record_id, result: "Ok", data, metadata },
            None => FirehoseResult { record_id, result: "Dropped", data: None, metadata },
        }
    }
}

impl FirehoseResult {
    /// Returns the result of a record without a value, or with one that does not fit.
    fn without_data(record_id: RecordId, outcome: &Outcome) -> Self {
        let is_dropped = matches!(outcome, Outcome::Permanent(_));
        let result = if is_dropped { "Dropped" } else { "ProcessingFailed" };
        Self { record_id, result, data: None, metadata: None }
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

impl Source for FirehoseEvent {
    type Record = FirehoseRecord;
    type Reply = FirehoseReply;

    fn take_records(&mut self) -> Result<Vec<FirehoseRecord>, Error> {
        Ok(take(&mut self.records))
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
        Ok(Self::new(body, record, reserved))
    }
}
