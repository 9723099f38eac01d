use bytes::Bytes;
use serde_json::{Value, json};

use super::{TIME_SECONDS, base64, md5_bytes};
use crate::testing::identifiers::{self, ACCOUNT, REGION};

/// What the data of aggregated records starts with: see `aggregation-format.md` of the KPL.
const KPL_MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];

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

    /// Creates the event that EventBridge Pipes sends: the records alone, each of them flat.
    #[must_use]
    pub fn build_piped(self) -> Value {
        piped(self.build_with(identifiers::next))
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

/// Wraps records of a stream as the event of EventBridge Pipes that has them.
pub(in crate::testing) fn piped(mut records: Vec<Value>) -> Value {
    for record in records.iter_mut().filter_map(Value::as_object_mut) {
        // What is in here is beside the others.
        if let Some(Value::Object(kinesis)) = record.remove("kinesis") {
            record.extend(kinesis);
        }
    }
    records.into()
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
    explicit_hash_key: Option<String>,
    sequence_number: Option<String>,
    data: Bytes,
}

impl KinesisRecord {
    /// Creates a record with these bytes as its data.
    pub fn new(partition_key: impl Into<String>, data: impl Into<Bytes>) -> Self {
        Self {
            partition_key: partition_key.into(),
            explicit_hash_key: None,
            sequence_number: None,
            data: data.into(),
        }
    }

    /// Creates a record with JSON as its data.
    pub fn json(partition_key: impl Into<String>, data: Value) -> Self {
        Self::new(partition_key, data.to_string())
    }

    /// Creates one record of several, as the Kinesis Producer Library (KPL) aggregates them. It has the
    /// partition key of the first one.
    ///
    /// ```
    /// use powertools::events::KinesisEvent;
    /// use powertools::testing::events::{self, KinesisRecord};
    /// use serde_json::json;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clicks = ["ada", "ben"].map(|user| KinesisRecord::json(user, json!({ "user": user })));
    /// let event = events::kinesis("clicks").record(KinesisRecord::aggregated(clicks)).build();
    ///
    /// let event: KinesisEvent = serde_json::from_value(event)?;
    /// let clicks = event.records[0].user_records()?;
    /// assert_eq!(clicks[1].partition_key(), Some("ben"));
    /// assert_eq!(clicks[1].sub_sequence_number(), Some(1));
    /// # Ok(()) }
    /// ```
    pub fn aggregated(records: impl IntoIterator<Item = Self>) -> Self {
        let (mut partition_keys, mut hash_keys, mut message) = (Vec::new(), Vec::new(), Vec::new());
        for record in records {
            let mut fields = number(1, place(&mut partition_keys, record.partition_key));
            if let Some(key) = record.explicit_hash_key {
                fields.extend(number(2, place(&mut hash_keys, key)));
            }
            fields.extend(bytes(3, &record.data));
            message.extend(bytes(3, &fields));
        }
        let table = |field, keys: &[String]| {
            keys.iter().flat_map(|key| bytes(field, key.as_bytes())).collect::<Vec<_>>()
        };
        let message = [table(1, &partition_keys), table(2, &hash_keys), message].concat();
        let data = [&KPL_MAGIC[..], &message, &md5_bytes(&message)].concat();
        Self::new(partition_keys.into_iter().next().unwrap_or_default(), data)
    }

    /// Sets the number by which the shard is chosen instead of the partition key. An event has it for
    /// [aggregated](Self::aggregated) records only.
    pub fn explicit_hash_key(mut self, key: impl Into<String>) -> Self {
        self.explicit_hash_key = Some(key.into());
        self
    }

    /// Sets the sequence number. Defaults to a new one, greater than those before.
    pub fn sequence_number(mut self, number: impl Into<String>) -> Self {
        self.sequence_number = Some(number.into());
        self
    }
}

/// Returns the place of a key in its table, where it has one entry.
fn place(table: &mut Vec<String>, key: String) -> u64 {
    let place = table.iter().position(|other| *other == key).unwrap_or_else(|| {
        table.push(key);
        table.len() - 1
    });
    place as u64
}

/// A field of Protocol Buffers that is a number.
fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

/// A field of Protocol Buffers that is a string, bytes or a message.
fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    [&varint(field << 3 | 2)[..], &varint(value.len() as u64), value].concat()
}

/// A number of 7 bits a byte, the lowest first.
fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
