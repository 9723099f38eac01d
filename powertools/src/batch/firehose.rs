use std::collections::BTreeMap;
use std::future::Future;
use std::iter::zip;
use std::mem::take;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use super::data::read_data;
use super::handling::results;
use super::{
    Error, FromRecord, Message, Outcome, Record, RecordError, Report, Source, SourceReply,
};
use crate::events::{Body, FirehoseEvent, FirehoseRecord, ParseError, RecordId};
use crate::invocation::Invocation;
use crate::invocation::budget::Guarded;

/// The maximum size of a reply, in bytes: 6 MiB, the limit of Lambda.
const LARGEST: usize = 6 << 20;

/// The most records that a `PutRecordBatch` of Firehose takes. `PutRecords` of Kinesis takes as many.
const MOST_RECORDS: usize = 500;

/// The most bytes that a `PutRecordBatch` of Firehose takes: 4 MiB. `PutRecords` of Kinesis takes more.
const MOST_BYTES: usize = 4 << 20;

/// The number of requests that are sent at the same time.
const REQUESTS: usize = 10;

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
        let (reply, rest) = reply(report, values)?;
        warn_of(rest.len());
        Ok(reply)
    }
}

impl Report<FirehoseEvent> {
    /// Returns the reply like [`into_reply`](Self::into_reply), and sends what does not fit into its 6 MiB to the
    /// stream again instead of failing it.
    ///
    /// `put` takes records as they arrived, not as they were transformed, up to 500 of them with 4 MiB: as many as
    /// `PutRecordBatch` of Firehose takes, or `PutRecords` of the Kinesis stream that the Firehose stream
    /// reads, by the [partition key](FirehoseRecord::partition_key). It returns a result for each, in their
    /// order, as both requests do. A record that was sent is `Dropped` in the reply, and Firehose has it
    /// transformed again, with others. It is a new record then, with another id and a later time, so its
    /// handler runs again, and a large one may do so several times until it fits. All other consumers of a
    /// Kinesis stream get it again, too, as another record. A Firehose stream that reads from Kafka takes
    /// neither request.
    ///
    /// A record stays `ProcessingFailed` if its request failed or there was no time for it, as for a number of
    /// results other than that of the records, and if its result would not fit although no other had data. Up to
    /// ten requests are sent concurrently. They have until half of the batch's
    /// [reserve](super::Batch::reserve) remains.
    ///
    /// A request whose answer is lost may have been done, and Firehose repeats an invocation that failed: a record
    /// can be delivered twice, but is not lost.
    ///
    /// ```
    /// use powertools::batch::{self, FirehoseMessage, FirehoseReply, RecordError, Transformed};
    /// use powertools::events::{FirehoseEvent, FirehoseRecord, Text};
    ///
    /// async fn explain(code: FirehoseMessage<Text>) -> Result<Transformed, RecordError> {
    ///     Ok(Transformed::data(code.body.0.repeat(1000)))
    /// }
    ///
    /// # async fn put_record_batch(data: Vec<Vec<u8>>) -> Result<Vec<Option<String>>, std::io::Error> {
    /// #     Ok(data.iter().map(|_| None).collect())
    /// # }
    /// /// Sends all with one request, whose answer has an error code for each record that was not taken.
    /// async fn put(records: Vec<FirehoseRecord>) -> Vec<Result<(), RecordError>> {
    ///     let data: Result<Vec<_>, _> = records.iter().map(FirehoseRecord::data).collect();
    ///     let answer = match data {
    ///         Ok(data) => put_record_batch(data).await.map_err(RecordError::from),
    ///         Err(error) => Err(error.into()),
    ///     };
    ///     match answer {
    ///         Ok(codes) => codes.into_iter().map(|code| code.map_or(Ok(()), |code| Err(code.into()))).collect(),
    ///         Err(error) => records.iter().map(|_| Err(error.clone())).collect(),
    ///     }
    /// }
    ///
    /// async fn handle(event: FirehoseEvent) -> Result<FirehoseReply, batch::Error> {
    ///     batch::firehose(event).run(explain).await.into_split_reply(put).await
    /// }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let record = |id| serde_json::json!({ "recordId": id, "data": "eHh4".repeat(1100) });
    /// # let event = serde_json::json!({ "records": [record("1"), record("2")] });
    /// # let reply = handle(serde_json::from_value(event).unwrap()).await.unwrap();
    /// # assert_eq!((reply.records[0].result, reply.records[1].result), ("Ok", "Dropped"));
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`into_reply`](Self::into_reply). Nothing is sent then.
    pub async fn into_split_reply<F, Fut, E>(mut self, put: F) -> Result<FirehoseReply, Error>
    where
        F: Fn(Vec<FirehoseRecord>) -> Fut,
        Fut: Future<Output = Vec<Result<(), E>>>,
        E: Into<RecordError>,
    {
        let values = self.take_values()?;
        let (mut reply, rest) = reply(&self, values)?;
        let mut left = rest.len();
        let sending = async {
            let mut requests = stream::iter(chunks(rest))
                .map(|chunk| request(chunk, &put))
                .buffer_unordered(REQUESTS);
            while let Some(sent) = requests.next().await {
                left -= sent.len();
                for index in sent {
                    reply.records[index].result = "Dropped";
                }
            }
        };
        // The guards around the batch wait for its end.
        let _cleanup = Invocation::current().map(|invocation| invocation.cleanup_guard());
        Guarded::new(self.cleanup.clone(), sending).await;
        warn_of(left);
        Ok(reply)
    }
}

/// Returns the reply, and those records, by their place in it, whose results would fit only into another one.
fn reply(
    report: &Report<FirehoseEvent>,
    values: Vec<Option<Transformed>>,
) -> Result<(FirehoseReply, Vec<(usize, FirehoseRecord)>), Error> {
    let is_unfinished = |outcome: &Outcome| match outcome {
        Outcome::Succeeded | Outcome::Permanent(_) => false,
        // Without a lack of time, records that did not start because of a failure fail like it.
        Outcome::Stopped | Outcome::NotStarted => report.out_of_time,
        // With one, the error may be what the handler made of that of a time guard.
        Outcome::Failed(error) => report.out_of_time || error.is_interruption(),
    };
    if report.records().any(|(_, outcome)| is_unfinished(outcome)) {
        return Err(report.incomplete());
    }
    let mut results = Vec::with_capacity(values.len());
    for (index, (record, outcome)) in report.records().enumerate() {
        let id = record.identifier().ok_or(Error::IdentifierMissing { index })?;
        results.push(FirehoseResult::without_data(id, outcome));
    }
    let without_data: usize = results.iter().map(FirehoseResult::size).sum();
    let mut size = without_data;
    let mut rest = Vec::new();
    let mut too_large = 0;
    for (index, ((record, _), value)) in zip(report.records(), values).enumerate() {
        let Some(value) = value else { continue };
        let place = &mut results[index];
        let result = value.reply(place.record_id.clone());
        let more = result.size().saturating_sub(place.size());
        if size + more <= LARGEST {
            size += more;
            *place = result;
        } else if without_data + more <= LARGEST {
            rest.push((index, record.clone()));
        } else {
            too_large += 1;
        }
    }
    if too_large > 0 {
        tracing::warn!(
            records = too_large,
            "transformed records are larger than a reply can be and are delivered as failed"
        );
    }
    Ok((FirehoseReply { records: results }, rest))
}

fn warn_of(left: usize) {
    if left > 0 {
        tracing::warn!(
            records = left,
            "transformed records do not fit into a reply and are delivered as failed: give the \
             Firehose stream a smaller buffer"
        );
    }
}

/// Groups records so that one request can send each group.
fn chunks(records: Vec<(usize, FirehoseRecord)>) -> Vec<Vec<(usize, FirehoseRecord)>> {
    let mut chunks: Vec<Vec<_>> = Vec::new();
    let mut bytes = 0;
    for (index, record) in records {
        let more = record.encoded_data().map_or(0, |data| data.len() / 4 * 3);
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < MOST_RECORDS && bytes + more <= MOST_BYTES => {
                chunk.push((index, record));
                bytes += more;
            }
            _ => {
                chunks.push(vec![(index, record)]);
                bytes = more;
            }
        }
    }
    chunks
}

/// Sends records with one request, and returns the places of those that were sent.
async fn request<F, Fut, E>(records: Vec<(usize, FirehoseRecord)>, put: &F) -> Vec<usize>
where
    F: Fn(Vec<FirehoseRecord>) -> Fut,
    Fut: Future<Output = Vec<Result<(), E>>>,
    E: Into<RecordError>,
{
    let (places, records): (Vec<_>, Vec<_>) = records.into_iter().unzip();
    let results = results(records, put, "what sends records again").await;
    if let Some(reason) = results.iter().find_map(|result| result.as_ref().err()) {
        let records = results.iter().filter(|result| result.is_err()).count();
        tracing::warn!(records, %reason, "records that do not fit into a reply were not sent again");
    }
    zip(places, results).filter_map(|(place, result)| result.ok().map(|()| place)).collect()
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
