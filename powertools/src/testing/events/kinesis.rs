use bytes::Bytes;
use serde_json::{Value, json};

use super::{TIME_SECONDS, base64};
use crate::testing::identifiers::{self, ACCOUNT, REGION};

/// Starts a batch of records from the stream `name`.
pub fn kinesis(name: impl Into<String>) -> KinesisRecords {
    KinesisRecords { stream: name.into(), shard: 0, records: Vec::new() }
}

/// A batch of records from one shard of a stream. Created by [`kinesis`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct KinesisRecords {
    stream: String,
    shard: u32,
    records: Vec<KinesisRecord>,
}

impl KinesisRecords {
    /// Sets the shard of the batch. Defaults to the first.
    pub fn shard(mut self, shard: u32) -> Self {
        self.shard = shard;
        self
    }

    /// Adds a record.
    pub fn record(mut self, record: KinesisRecord) -> Self {
        self.records.push(record);
        self
    }

    /// Creates the event.
    #[must_use]
    pub fn build(self) -> Value {
        json!({ "Records": self.build_with(identifiers::next) })
    }

    /// The records, with sequence numbers that depend on nothing but their place.
    pub(in crate::testing) fn numbered(self) -> Vec<Value> {
        let mut place = 0;
        self.build_with(|| {
            place += 1;
            place
        })
    }

    fn build_with(self, mut next: impl FnMut() -> u64) -> Vec<Value> {
        let arn = format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{}", self.stream);
        self.records
            .into_iter()
            .map(|record| {
                // They grow along a shard and have as many digits as real ones.
                let place = next();
                let sequence_number =
                    record.sequence_number.unwrap_or_else(|| format!("4967{place:052}"));
                json!({
                    "kinesis": {
                        "kinesisSchemaVersion": "1.0",
                        "partitionKey": record.partition_key,
                        "sequenceNumber": sequence_number,
                        "data": base64(record.data),
                        "approximateArrivalTimestamp": TIME_SECONDS,
                    },
                    "eventSource": "aws:kinesis",
                    "eventVersion": "1.0",
                    "eventID": format!("shardId-{:012}:{sequence_number}", self.shard),
                    "eventName": "aws:kinesis:record",
                    "invokeIdentityArn": format!("arn:aws:iam::{ACCOUNT}:role/lambda-role"),
                    "awsRegion": REGION,
                    "eventSourceARN": arn,
                })
            })
            .collect()
    }
}

/// A record in a stream.
///
/// ```
/// use powertools::testing::events::{self, KinesisRecord};
/// use serde_json::json;
///
/// let event = events::kinesis("clicks")
///     .record(KinesisRecord::json("customer-1", json!({ "page": "/" })).sequence_number("42"))
///     .build();
/// assert_eq!(event["Records"][0]["eventID"], "shardId-000000000000:42");
/// ```
#[derive(Clone, Debug)]
#[must_use = "a record does nothing until it is added to a batch"]
pub struct KinesisRecord {
    partition_key: String,
    sequence_number: Option<String>,
    data: Bytes,
}

impl KinesisRecord {
    /// Creates a record with these bytes as its data.
    pub fn new(partition_key: impl Into<String>, data: impl Into<Bytes>) -> Self {
        Self { partition_key: partition_key.into(), sequence_number: None, data: data.into() }
    }

    /// Creates a record with JSON as its data.
    pub fn json(partition_key: impl Into<String>, data: Value) -> Self {
        Self::new(partition_key, data.to_string())
    }

    /// Sets the sequence number. Defaults to a new one, greater than those before.
    pub fn sequence_number(mut self, number: impl Into<String>) -> Self {
        self.sequence_number = Some(number.into());
        self
    }
}
