use bytes::Bytes;
use serde_json::{Value, json};

use super::{TIME_SECONDS, base64};
use crate::testing::identifiers::{self, ACCOUNT, REGION};

/// Starts a batch of records from the stream `name`.
pub fn kinesis(name: impl Into<String>) -> KinesisRecords {
    KinesisRecords { stream: name.into(), shard: 0, records: Vec::new() }
}

/// A batch of records from one shard of a stream. Made by [`kinesis`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct KinesisRecords {
    stream: String,
    shard: u32,
    records: Vec<KinesisRecord>,
}

impl KinesisRecords {
    /// Sets the shard that the batch is from. The first by default.
    pub fn shard(mut self, shard: u32) -> Self {
        self.shard = shard;
        self
    }

    /// Adds a record.
    pub fn record(mut self, record: KinesisRecord) -> Self {
        self.records.push(record);
        self
    }

    /// Makes the event.
    #[must_use]
    pub fn build(self) -> Value {
        let arn = format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{}", self.stream);
        let records: Vec<_> = self
            .records
            .into_iter()
            .map(|record| {
                json!({
                    "kinesis": {
                        "kinesisSchemaVersion": "1.0",
                        "partitionKey": record.partition_key,
                        "sequenceNumber": record.sequence_number,
                        "data": base64(record.data),
                        "approximateArrivalTimestamp": TIME_SECONDS,
                    },
                    "eventSource": "aws:kinesis",
                    "eventVersion": "1.0",
                    "eventID": format!("shardId-{:012}:{}", self.shard, record.sequence_number),
                    "eventName": "aws:kinesis:record",
                    "invokeIdentityArn": format!("arn:aws:iam::{ACCOUNT}:role/lambda-role"),
                    "awsRegion": REGION,
                    "eventSourceARN": arn,
                })
            })
            .collect();
        json!({ "Records": records })
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
    sequence_number: String,
    data: Bytes,
}

impl KinesisRecord {
    /// Makes a record with these bytes as its data.
    pub fn new(partition_key: impl Into<String>, data: impl Into<Bytes>) -> Self {
        Self {
            partition_key: partition_key.into(),
            // They grow along a shard and have as many digits as real ones.
            sequence_number: format!("4967{:052}", identifiers::next()),
            data: data.into(),
        }
    }

    /// Makes a record with JSON as its data.
    pub fn json(partition_key: impl Into<String>, data: Value) -> Self {
        Self::new(partition_key, data.to_string())
    }

    /// Sets the sequence number. By default a new one, greater than those before.
    pub fn sequence_number(mut self, number: impl Into<String>) -> Self {
        self.sequence_number = number.into();
        self
    }
}
