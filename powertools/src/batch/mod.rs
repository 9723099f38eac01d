//! Batches of records, where one bad record fails alone.
//!
//! **The event source mapping needs `ReportBatchItemFailures` among its `FunctionResponseTypes`.**
//! Without it Lambda ignores the reply: SQS deletes the messages that failed, and a stream continues
//! after them. The function cannot see that setting. For a mapping without it, call
//! [`all_or_nothing`](Batch::all_or_nothing).
//!
//! ```
//! use lambda_runtime::{Error, LambdaEvent};
//! use powertools::batch::{self, Message, Reply};
//! use powertools::events::SqsEvent;
//!
//! #[derive(serde::Deserialize)]
//! struct Order {
//!     id: String,
//! }
//!
//! async fn charge(order: Message<Order>) -> Result<(), Error> {
//!     println!("charged {}", order.body.id);
//!     Ok(())
//! }
//!
//! async fn handle(event: LambdaEvent<SqsEvent>) -> Result<Reply, batch::Error> {
//!     batch::sqs(event.payload).concurrency(8).run(charge).await.into_reply()
//! }
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
//! # let event = r#"{"Records":[{"messageId":"m-1","body":"{\"id\":\"o-1\"}"},{"messageId":"m-2","body":"oops"}]}"#;
//! # let event = LambdaEvent::new(serde_json::from_str(event)?, lambda_runtime::Context::default());
//! # let reply = serde_json::to_string(&handle(event).await?)?;
//! # assert_eq!(reply, r#"{"batchItemFailures":[{"itemIdentifier":"m-2"}]}"#);
//! # Ok(()) }
//! ```
//!
//! The handler takes its own type, parsed from its record alone. A record that cannot be parsed, or
//! whose handler returns an error or panics, is reported; the others are processed.
//!
//! # The order and the reply of each source
//!
//! | source | order kept | after a failure | reported | identifier |
//! |---|---|---|---|---|
//! | [`sqs`], standard queue | none | the others continue | each message that did not succeed | message id |
//! | [`sqs`], FIFO queue (by its ARN) | within a message group | the rest of the group does not start, other groups continue; after a [last attempt](Batch::max_receive_count) the group continues too | each message that did not succeed | message id |
//! | [`sqs`], bodies in S3 (`Message::fetch`, feature `events`) | as the queue | as the queue | as the queue | message id |
//! | [`kinesis`] | within a partition key | nothing after it in the batch starts | the first record that did not succeed | sequence number |
//! | [`kinesis`], records that the KPL aggregated | within the partition key of each | nothing after it in the aggregate and in the batch starts | the record in the stream that contains the first one that did not succeed; all in it are delivered again | sequence number of the record in the stream, which all in it share |
//! | [`kinesis`] with changes of DynamoDB or events of CloudWatch Logs in its records (feature `events`) | within the partition key of the record in the stream | nothing after it in the batch starts | the first record that did not succeed, with all log events in it | sequence number of the record |
//! | [`dynamodb`] | within an item's key | nothing after it in the batch starts | the first record that did not succeed | sequence number |
//! | [`kafka`] | within a topic's partition, by offset | the rest of the partition does not start, other partitions continue | the batch as a whole; each record that did not succeed with [`partial_response`](Batch::partial_response) | [`KafkaIdentifier`](crate::events::KafkaIdentifier): `topic-partition` and offset |
//! | `active_mq` (feature `events`) | none | the others continue | the batch as a whole | message id |
//! | `rabbit_mq` (feature `events`) | none | the others continue | the batch as a whole | `queue::vhost#index`: the place in the event, counted from 0 in each queue |
//! | `document_db` (feature `events`) | within a document's key | nothing after it in the batch starts | the batch as a whole | resume token |
//! | `firehose` (feature `events`) | none; the reply has the order of the event | the others continue | each record: `Ok`, `Dropped` or `ProcessingFailed`. One that failed, or does not fit into the 6 MiB of a reply, is `ProcessingFailed`: Firehose puts it under its error prefix and does not deliver it again. `Report::into_split_reply` sends what does not fit to the stream again. The batch as a whole if there was no time for all records, or another invocation has one | record id |
//! | `s3_batch` (feature `events`) | none | the others continue | each task: `Succeeded`, `TemporaryFailure` or `PermanentFailure` | task id |
//! | EventBridge Pipes: [`sqs`] | as the queue | as the queue | each message that did not succeed | message id |
//! | EventBridge Pipes: [`kinesis`], [`dynamodb`] | as the stream | as the stream | each record that did not succeed | id of the event |
//! | EventBridge Pipes: [`kafka`] | as the topic | as the topic | the batch as a whole | as the topic |
//! | [your own](Source) | as it defines | as it defines | as it defines | [as it defines](Record::identifier) |
//!
//! The identifier is what the reply and the log lines have, and what [`Report::fail`] takes. Where the batch is
//! reported as a whole, the error names the first record that did not succeed by it.
//!
//! The bare lists of records that EventBridge Pipes sends are batches of the same kinds: the functions above
//! recognise them. The page `guide::every_source` has all sources, with their keys and test events.
//!
//! [`concurrency`](Batch::concurrency) is the number of records that are processed at the same time, 1 by
//! default. Records of one order are processed one after another, whatever the concurrency.
//!
//! A stream is read again from the record that is reported, so records after it that succeeded are
//! processed again. There are none at a concurrency of 1, where nothing after a failure starts, except in
//! [chunks](Batch::run_chunks) and after a record that [`Report::fail`] reports.
//!
//! [`run_chunks`](Batch::run_chunks) handles many records at once, [`run_with`](Batch::run_with) returns
//! a value for each, and [`run_spawned`](Batch::run_spawned) uses all cores. [`Report::fail`] reports a
//! record before the reply.
//!
//! # Time
//!
//! Inside an invocation no record starts with less than [`reserve`](Batch::reserve) remaining, and records
//! that are pending then are stopped, so that Lambda receives its reply. Both are delivered again, which a
//! queue counts as a receive. What succeeded is processed again only as after a failure: where the batch is
//! reported as a whole, in a stream at a concurrency above 1 or in chunks, and in an aggregate with one of
//! those records. The clock is checked right before each record starts: a record that blocks its thread
//! cannot be stopped, but no other one starts after it.
//!
//! # The scope of a record
//!
//! The handler of a record runs in a scope of its own: values of
//! [`Invocation::record_local`](crate::Invocation::record_local) belong to the record, and
//! [`Invocation::record`](crate::Invocation::record) returns what identifies it.
//!
//! # Errors
//!
//! The error of a handler is a [`RecordError`]. Every error type converts into one by `?`, and the record
//! is delivered again. Use [`RecordError::permanent`] if another attempt cannot succeed, and
//! [`RecordError::retry_after`] to choose when a message of SQS is delivered again. The [`Report`]
//! contains the outcome of each record, and each failure is logged as a warning.

#[cfg(feature = "schema-registry")]
mod confluent;
mod data;
mod dynamodb;
mod engine;
mod error;
mod handling;
mod kafka;
mod kinesis;
mod message;
mod observer;
mod options;
mod outcome;
mod plan;
mod progress;
mod record_error;
mod report;
mod run;
mod source;
mod spawned;
mod sqs;
mod visibility;

#[cfg(feature = "events")]
mod document_db;
#[cfg(feature = "events")]
mod firehose;
#[cfg(feature = "idempotency")]
mod idempotent;
#[cfg(feature = "events")]
mod large_body;
#[cfg(feature = "events")]
mod mq;
#[cfg(feature = "events")]
mod other;
#[cfg(feature = "events")]
mod s3_batch;

#[cfg(feature = "schema-registry")]
pub use self::confluent::{ConfluentRegistry, ConfluentRegistryError};
pub use self::dynamodb::Change;
pub use self::error::Error;
#[cfg(feature = "events")]
pub use self::firehose::{
    FirehoseMessage, FirehoseMetadata, FirehoseReply, FirehoseResult, Transformed,
};
#[cfg(feature = "idempotency")]
pub use self::idempotent::IdempotentBatch;
pub use self::kafka::{KafkaMessage, KeyValue};
pub use self::kinesis::KinesisMessage;
#[cfg(feature = "events")]
pub use self::large_body::LargeBodies;
pub use self::message::Message;
#[cfg(feature = "events")]
pub use self::mq::{ActiveMqMessage, RabbitMqMessage};
pub use self::options::Batch;
#[cfg(feature = "events")]
pub use self::other::{active_mq, document_db, firehose, rabbit_mq, s3_batch};
pub use self::outcome::Outcome;
pub use self::record_error::RecordError;
pub use self::report::{ItemFailure, Reply, ReplyOf, Report};
#[cfg(feature = "events")]
pub use self::s3_batch::{S3BatchReply, S3BatchResult};
pub use self::source::{FromRecord, Record, Reporting, Source, SourceReply, ValueOf};
pub use self::visibility::VisibilityChange;
use crate::events::{DynamoDbEvent, KafkaEvent, KinesisEvent, SqsEvent};

/// Creates a batch of the messages of an SQS queue. A queue whose ARN ends in `.fifo` is a FIFO queue.
pub fn sqs<'a>(event: impl Into<SqsEvent>) -> Batch<'a, SqsEvent> {
    Batch::new(event.into())
}

/// Creates a batch of the records of a shard of a Kinesis stream.
pub fn kinesis<'a>(event: impl Into<KinesisEvent>) -> Batch<'a, KinesisEvent> {
    Batch::new(event.into())
}

/// Creates a batch of the changes in a shard of a DynamoDB stream.
pub fn dynamodb<'a>(event: impl Into<DynamoDbEvent>) -> Batch<'a, DynamoDbEvent> {
    Batch::new(event.into())
}

/// Creates a batch of the records of a Kafka topic.
///
/// If a record fails, the whole batch fails with [`Error::Incomplete`], unless
/// [`partial_response`](Batch::partial_response) declares that the event source mapping accepts a
/// partial response.
pub fn kafka<'a>(event: impl Into<KafkaEvent>) -> Batch<'a, KafkaEvent> {
    Batch::new(event.into())
}
