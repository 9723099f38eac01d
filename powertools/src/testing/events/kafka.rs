use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{TIME_MILLIS, base64};
use crate::testing::identifiers::{ACCOUNT, REGION};

/// Starts a batch of records from the topic `name`, as Amazon MSK sends it.
pub fn kafka(topic: impl Into<String>) -> KafkaRecords {
    KafkaRecords { topic: topic.into(), cluster: Cluster::Msk, records: Vec::new() }
}

/// A batch of records from the partitions of a topic. Created by [`kafka`].
///
/// ```
/// use powertools::testing::events::{self, KafkaRecord};
/// use serde_json::json;
///
/// let event = events::kafka("orders")
///     .record(KafkaRecord::json(json!({ "order": 7 })).key("customer-1"))
///     .record(KafkaRecord::json(json!({ "order": 8 })).partition(1).offset(40))
///     .build();
///
/// assert_eq!(event["records"]["orders-0"][0]["offset"], 0);
/// assert_eq!(event["records"]["orders-1"][0]["offset"], 40);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct KafkaRecords {
    topic: String,
    pub(in crate::testing) cluster: Cluster,
    records: Vec<KafkaRecord>,
}

impl KafkaRecords {
    /// Makes it the batch of a cluster that is not one of Amazon MSK: it has no ARN, and the servers identify it.
    ///
    /// ```
    /// use powertools::testing::events::{self, KafkaRecord};
    ///
    /// let event = events::kafka("orders").self_managed().record(KafkaRecord::new("7")).build();
    /// assert_eq!(event["eventSource"], "SelfManagedKafka");
    /// assert!(event.get("eventSourceArn").is_none());
    /// ```
    pub fn self_managed(mut self) -> Self {
        self.cluster = Cluster::SelfManaged;
        self
    }

    /// Adds a record.
    pub fn record(mut self, record: KafkaRecord) -> Self {
        self.records.push(record);
        self
    }

    /// Creates the event.
    #[must_use]
    pub fn build(self) -> Value {
        self.cluster.envelope(self.numbered())
    }

    /// Creates the event that EventBridge Pipes sends: the records alone, each with its cluster.
    #[must_use]
    pub fn build_piped(self) -> Value {
        self.cluster.piped(self.numbered())
    }

    /// The records with their offsets, each beside the name of its partition.
    pub(in crate::testing) fn numbered(&self) -> Vec<(String, Value)> {
        let mut next: HashMap<u32, u64> = HashMap::new();
        let number = |record: &KafkaRecord| {
            let next = next.entry(record.partition).or_default();
            let offset = record.offset.unwrap_or(*next);
            *next = offset + 1;

            let mut value = json!({
                "topic": self.topic,
                "partition": record.partition,
                "offset": offset,
                "timestamp": TIME_MILLIS,
                "timestampType": "CREATE_TIME",
                "headers": record.headers,
            });
            for (name, bytes) in [("key", &record.key), ("value", &record.value)] {
                if let Some(bytes) = bytes {
                    value[name] = base64(bytes).into();
                }
            }
            let schemas = [
                ("keySchemaMetadata", &record.key_schema),
                ("valueSchemaMetadata", &record.value_schema),
            ];
            for (name, schema) in schemas {
                if let Some(schema) = schema {
                    value[name] = schema.clone();
                }
            }
            (format!("{}-{}", self.topic, record.partition), value)
        };
        self.records.iter().map(number).collect()
    }
}

/// Where a topic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::testing) enum Cluster {
    Msk,
    SelfManaged,
}

impl Cluster {
    /// Wraps records as the event that has them, each beside the name of its partition.
    pub(in crate::testing) fn envelope(self, records: Vec<(String, Value)>) -> Value {
        let mut partitions: Map<String, Value> = Map::new();
        for (partition, record) in records {
            let list = partitions.entry(partition).or_insert_with(|| json!([]));
            list.as_array_mut().expect("made as a list above").push(record);
        }
        let mut event = json!({ "records": partitions });
        self.identify(&mut event);
        event
    }

    /// Wraps records as the event of EventBridge Pipes that has them, each beside the name of its partition.
    pub(in crate::testing) fn piped(self, records: Vec<(String, Value)>) -> Value {
        let flat = records.into_iter().map(|(partition, mut record)| {
            record["eventSourceKey"] = partition.into();
            self.identify(&mut record);
            record
        });
        flat.collect()
    }

    /// Adds the members that identify the cluster.
    fn identify(self, event: &mut Value) {
        match self {
            Self::Msk => {
                event["eventSource"] = "aws:kafka".into();
                event["eventSourceArn"] = format!(
                    "arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/test/00000000-0000-4000-8000-000000000000-1"
                )
                .into();
                event["bootstrapServers"] =
                    format!("b-1.test.kafka.{REGION}.amazonaws.com:9092").into();
            }
            Self::SelfManaged => {
                event["eventSource"] = "SelfManagedKafka".into();
                event["bootstrapServers"] =
                    "kafka-1.example.com:9092,kafka-2.example.com:9092".into();
            }
        }
    }
}

/// A record of a topic. Defaults to partition 0 and the next offset.
#[derive(Clone, Debug)]
#[must_use = "a record does nothing until it is added to a batch"]
pub struct KafkaRecord {
    partition: u32,
    offset: Option<u64>,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<Value>,
    key_schema: Option<Value>,
    value_schema: Option<Value>,
}

impl KafkaRecord {
    /// Creates a record with these bytes as its value.
    pub fn new(value: impl Into<Vec<u8>>) -> Self {
        Self { value: Some(value.into()), ..Self::tombstone() }
    }

    /// Creates a record with JSON as its value.
    pub fn json(value: Value) -> Self {
        Self::new(value.to_string())
    }

    /// Creates a record without a value: what deletes a key from a compacted topic.
    pub fn tombstone() -> Self {
        Self {
            partition: 0,
            offset: None,
            key: None,
            value: None,
            headers: Vec::new(),
            key_schema: None,
            value_schema: None,
        }
    }

    /// Sets the partition.
    pub fn partition(mut self, partition: u32) -> Self {
        self.partition = partition;
        self
    }

    /// Sets the offset in the partition. Defaults to the next one.
    pub fn offset(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// Sets the key. Defaults to none.
    pub fn key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets the format of the key and the id of its schema, which an event source mapping with a
    /// schema registry removes from the key: `AVRO`, `PROTOBUF` or `JSON`.
    pub fn key_schema(mut self, format: impl Into<String>, id: impl Into<String>) -> Self {
        self.key_schema = Some(json!({ "dataFormat": format.into(), "schemaId": id.into() }));
        self
    }

    /// Sets the format of the value and the id of its schema, which an event source mapping with a
    /// schema registry removes from the value: `AVRO`, `PROTOBUF` or `JSON`.
    pub fn value_schema(mut self, format: impl Into<String>, id: impl Into<String>) -> Self {
        self.value_schema = Some(json!({ "dataFormat": format.into(), "schemaId": id.into() }));
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        // Lambda writes the bytes of Java, which are signed.
        let bytes: Vec<i8> = value.into().into_iter().map(u8::cast_signed).collect();
        self.headers.push(json!({ name.into(): bytes }));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_along_each_partition() {
        let record = |partition| KafkaRecord::new("x").partition(partition);
        let records = kafka("t").record(record(0)).record(record(1)).record(record(0).offset(7));
        let event = records.record(record(0)).record(record(1)).build();
        let offsets = |partition: &str| {
            let records = event["records"][partition].as_array().unwrap();
            records.iter().map(|record| record["offset"].as_u64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(offsets("t-0"), [0, 7, 8]);
        assert_eq!(offsets("t-1"), [0, 1]);
    }

    #[test]
    fn the_bytes_of_headers_are_signed() {
        let event = kafka("t").record(KafkaRecord::new("x").header("name", "é")).build();
        assert_eq!(event["records"]["t-0"][0]["headers"], json!([{ "name": [-61, -87] }]));
    }

    #[test]
    fn a_tombstone_has_no_value() {
        let event = kafka("t").record(KafkaRecord::tombstone().key("k")).build();
        let record = &event["records"]["t-0"][0];
        assert_eq!(record["key"], "aw==");
        assert!(record.get("value").is_none());
    }
}
