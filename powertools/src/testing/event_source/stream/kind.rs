//! The kinds of sources that are read as streams, and what is peculiar to each.

use serde_json::{Value, json};

use super::{Record, Stream};
use crate::testing::EventSource;
use crate::testing::events::{
    self, ActiveMqMessages, DocumentDbChanges, DynamoDbRecords, KafkaRecords, KinesisRecords,
    RabbitMqMessages,
};

/// How many batches of a queue of ActiveMQ a mapping has with the function. Source: AWS Lambda Developer
/// Guide, "Using Lambda with Amazon MQ".
const ACTIVE_MQ_CONSUMERS: usize = 5;

/// How often ActiveMQ delivers a message again. Source: AWS Lambda Developer Guide, "Troubleshoot Amazon MQ
/// event source mapping errors".
const ACTIVE_MQ_REDELIVERIES: u32 = 6;

/// How often a mapping of Kafka delivers a batch again if it has a destination.
const KAFKA_RETRIES: u32 = 10;

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Shards of Kinesis or DynamoDB.
    Shards,
    /// A topic of Kafka.
    Topic(events::KafkaCluster),
    /// A queue of ActiveMQ.
    ActiveMq,
    /// A queue of RabbitMQ.
    RabbitMq,
    /// A change stream of DocumentDB.
    Changes,
}

impl EventSource<Stream> {
    /// Simulates a Kinesis stream with these records, in the order in which they were put.
    ///
    /// They are all in the stream at the start. Records without a
    /// [sequence number](crate::testing::events::KinesisRecord::sequence_number) of their own are
    /// numbered by their place, so that the same seed gives the same history.
    pub fn kinesis(records: KinesisRecords) -> Self {
        let records = records.numbered().into_iter().map(|value| {
            let key = value["kinesis"]["partitionKey"].to_string();
            Record { key, ..Record::new(&value["kinesis"]["sequenceNumber"], &value) }
        });
        Self::stream(Kind::Shards, records.collect())
    }

    /// Simulates a DynamoDB stream with these records, in the order in which the items changed,
    /// with sequence numbers by their place.
    pub fn dynamodb(records: DynamoDbRecords) -> Self {
        let records = records.numbered().into_iter().map(|value| {
            let key = value["dynamodb"]["Keys"].to_string();
            Record { key, ..Record::new(&value["dynamodb"]["SequenceNumber"], &value) }
        });
        Self::stream(Kind::Shards, records.collect())
    }

    /// Simulates a Kafka topic with these records, whose mapping has provisioned mode, since others
    /// cannot report records. A history calls them `topic-partition@offset`.
    ///
    /// A batch has records of all partitions of its [poller](Self::pollers). From one with reported records,
    /// each partition goes on at the lowest offset reported for it, and where none was, the partition is done.
    pub fn kafka(records: KafkaRecords) -> Self {
        let cluster = records.cluster;
        let records = records.numbered().into_iter().map(|(line, value)| {
            let id = format!("{line}@{}", value["offset"]).into();
            Record { line, ..Record::new(&id, &value) }
        });
        Self::stream(Kind::Topic(cluster), records.collect())
    }

    /// Simulates a queue of ActiveMQ with these messages. Those without an
    /// [id](ActiveMqMessages::id) of their own are named by their place.
    ///
    /// The mapping has five batches at a time with the function, in no order. It ignores the reply, and
    /// delivers a batch that failed again as a whole, with `redelivered`. After the sixth time, the broker
    /// moves its messages to the [dead-letter queue](super::super::History::dead_lettered).
    pub fn active_mq(messages: ActiveMqMessages) -> Self {
        let records = messages.numbered().into_iter();
        let records = records.map(|value| Record::new(&value["messageID"], &value));
        Self::stream(Kind::ActiveMq, records.collect())
    }

    /// Simulates a queue of RabbitMQ with these messages. A history calls them by the queue and their place
    /// in it from 0, as `orders#0`.
    ///
    /// The mapping has one batch at a time with the function. It ignores the reply, and delivers a batch that
    /// failed again as a whole, with `redelivered`, until it succeeds.
    pub fn rabbit_mq(messages: RabbitMqMessages) -> Self {
        let (queue, messages) = messages.into_parts();
        let records = messages.into_iter().enumerate().map(|(place, value)| {
            let id = format!("{queue}#{place}").into();
            Record { line: queue.clone(), ..Record::new(&id, &value) }
        });
        Self::stream(Kind::RabbitMq, records.collect())
    }

    /// Simulates a change stream of DocumentDB with these changes, in their order, with resume tokens by
    /// their place.
    ///
    /// The mapping has one batch at a time with the function. It ignores the reply, and delivers a batch that
    /// failed again as a whole until it succeeds.
    pub fn document_db(changes: DocumentDbChanges) -> Self {
        let records = changes.numbered().into_iter();
        let records = records.map(|value| Record::new(&value["event"]["_id"]["_data"], &value));
        Self::stream(Kind::Changes, records.collect())
    }

    fn stream(kind: Kind, records: Vec<Record>) -> Self {
        let mut stream = Stream {
            kind,
            records,
            readers: Vec::new(),
            shards: if kind == Kind::ActiveMq { ACTIVE_MQ_CONSUMERS } else { 1 },
            factor: 1,
            bisect: false,
            maximum_retry_attempts: None,
            maximum_record_age: None,
            has_destination: false,
            is_piped: false,
        };
        stream.read();
        Self::new(stream)
    }
}

impl Record {
    fn new(id: &Value, value: &Value) -> Self {
        Self {
            id: id.as_str().unwrap_or_default().to_owned(),
            value: value.clone(),
            key: String::new(),
            line: String::new(),
            deliveries: 0,
        }
    }
}

impl Kind {
    /// Whether the mapping looks into replies.
    pub(super) fn has_partial_responses(self) -> bool {
        matches!(self, Self::Shards | Self::Topic(_))
    }

    /// Refuses a setting that mappings without partial responses do not have.
    #[track_caller]
    pub(super) fn check_setting(self, name: &str) {
        assert!(self.has_partial_responses(), "the mapping of this source has no {name}");
    }

    /// Returns how often a batch is delivered again where the mapping does not say so.
    pub(super) fn most_retries(self, has_destination: bool) -> Option<u32> {
        match self {
            Self::Topic(_) if has_destination => Some(KAFKA_RETRIES),
            Self::ActiveMq => Some(ACTIVE_MQ_REDELIVERIES),
            _ => None,
        }
    }

    /// Returns what the reply calls a record.
    pub(super) fn identifier(self, record: &Record, is_piped: bool) -> Value {
        match self {
            Self::Topic(_) => json!({ "partition": record.line, "offset": record.value["offset"] }),
            _ if is_piped => record.value["eventID"].clone(),
            _ => record.id.as_str().into(),
        }
    }

    /// Returns a record as it is delivered this time.
    pub(super) fn delivered(self, record: &Record) -> Value {
        let mut value = record.value.clone();
        if let Self::ActiveMq | Self::RabbitMq = self {
            value["redelivered"] = (record.deliveries > 1).into();
        }
        value
    }

    /// Returns the event that has these records, each beside its line.
    pub(super) fn event(self, records: Vec<(String, Value)>, is_piped: bool) -> Value {
        let line = records.first().map(|(line, _)| line.clone()).unwrap_or_default();
        let values = || records.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>();
        match self {
            Self::Shards if is_piped => events::piped(values()),
            Self::Shards => json!({ "Records": values() }),
            Self::Topic(cluster) if is_piped => cluster.piped(records),
            Self::Topic(cluster) => cluster.envelope(records),
            Self::ActiveMq => events::active_mq_envelope(values()),
            Self::RabbitMq => events::rabbit_mq_envelope(&line, values()),
            Self::Changes => events::document_db_envelope(values()),
        }
    }
}
