//! Batches of records, where one bad record fails alone.
//!
//! **The event source mapping needs `ReportBatchItemFailures` among its `FunctionResponseTypes`.**
//! Without it Lambda ignores the reply: SQS deletes the messages that failed, and a stream goes on
//! behind them. The function cannot see that setting. For a mapping that does not have it, say
//! [`all_or_nothing`](Batch::all_or_nothing).
//!
//! ```
//! use lambda_runtime::{Error, LambdaEvent};
//! use powertools::batch::{self, Message, Reply, SqsEvent};
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
//! The handler takes its own type, parsed from its record alone. A record that cannot be parsed,
//! or whose handler returns an error or panics, is reported; the others are done.
//!
//! # What is promised for each source
//!
//! | source | order kept | after a failure | reported |
//! |---|---|---|---|
//! | [`sqs`], standard queue | none | the others go on | each message that was not done |
//! | [`sqs`], FIFO queue (by its ARN) | within a message group | the rest of the group does not start, other groups go on; behind a [last attempt](Batch::max_receive_count) the group goes on too | each message that was not done |
//! | [`kinesis`] | within a partition key | nothing behind it in the batch starts | the first record that was not done |
//! | [`dynamodb`] | within an item's key | nothing behind it in the batch starts | the first record that was not done |
//! | [`kafka`] | within a topic's partition, by offset | the rest of the partition does not start, other partitions go on | the batch as a whole; each record that was not done with [`partial_response`](Batch::partial_response) |
//! | [your own](Source) | as you say | as you say | as you say |
//!
//! How many records are handled side by side is [`concurrency`](Batch::concurrency), 1 by default;
//! within their order they are handled one after the other whatever that says.
//!
//! A stream is read again from the record that is reported, so what succeeded behind it is handled
//! again. At a concurrency of 1 nothing is behind it.
//!
//! # Time
//!
//! Inside an invocation no record starts with less than [`reserve`](Batch::reserve) left, and those
//! that run then are stopped, so that Lambda gets its reply: what is done is not done again for the
//! want of time. Those that did not start are delivered again, which a queue counts as a receive.
//! Code that blocks its thread cannot be stopped.
//!
//! # Errors
//!
//! The error of a handler is a [`RecordError`]: every error type becomes one by `?`, and the record
//! is delivered again. [`RecordError::permanent`] is for those where that is no use.
//! [`Report`] has what became of each record, and each failure is logged as a warning.

mod compression;
mod dynamodb;
mod engine;
mod error;
mod kafka;
mod kinesis;
mod message;
mod options;
mod outcome;
mod plan;
mod progress;
mod record_error;
mod report;
mod run;
mod source;
mod sqs;

#[doc(no_inline)]
pub use lambda_runtime::LambdaEvent;

#[cfg(feature = "idempotency")]
mod idempotent;

pub use self::dynamodb::Change;
pub use self::error::Error;
#[cfg(feature = "idempotency")]
pub use self::idempotent::IdempotentBatch;
pub use self::kafka::KafkaMessage;
pub use self::kinesis::KinesisMessage;
pub use self::message::Message;
pub use self::options::Batch;
pub use self::outcome::Outcome;
pub use self::record_error::RecordError;
pub use self::report::{ItemFailure, Reply, ReplyOf, Report};
pub use self::source::{FromRecord, Record, Reporting, Source};
#[doc(no_inline)]
pub use crate::events::{
    ChangeKind, DynamoDbEvent, DynamoDbRecord, KafkaEvent, KafkaIdentifier, KafkaRecord,
    KinesisEvent, KinesisRecord, MessageAttribute, ParseError, RecordId, SqsEvent, SqsRecord,
};

/// The messages of an SQS queue. A queue whose ARN ends in `.fifo` is a FIFO queue.
pub fn sqs<'a>(event: impl Into<SqsEvent>) -> Batch<'a, SqsEvent> {
    Batch::new(event.into())
}

/// The records of a shard of a Kinesis stream.
pub fn kinesis<'a>(event: impl Into<KinesisEvent>) -> Batch<'a, KinesisEvent> {
    Batch::new(event.into())
}

/// The changes in a shard of a DynamoDB stream.
pub fn dynamodb<'a>(event: impl Into<DynamoDbEvent>) -> Batch<'a, DynamoDbEvent> {
    Batch::new(event.into())
}

/// The records of a Kafka topic.
///
/// Unless [`partial_response`](Batch::partial_response) says that the event source mapping can take
/// it, a failure is that of the whole batch: [`Error::Incomplete`].
pub fn kafka<'a>(event: impl Into<KafkaEvent>) -> Batch<'a, KafkaEvent> {
    Batch::new(event.into()).all_or_nothing()
}
