use super::Batch;
use super::firehose::Transformation;
use super::s3_batch::S3Tasks;
use crate::events::{ActiveMqEvent, DocumentDbEvent, FirehoseEvent, RabbitMqEvent, S3BatchEvent};

/// Creates a batch of the messages of a queue of ActiveMQ in Amazon MQ.
///
/// If a message fails, the whole batch fails with [`Error::Incomplete`](super::Error::Incomplete):
/// mappings of Amazon MQ accept no partial response. If the messages are idempotent, their work is
/// not repeated.
pub fn active_mq<'a>(event: impl Into<ActiveMqEvent>) -> Batch<'a, ActiveMqEvent> {
    Batch::new(event.into()).all_or_nothing()
}

/// Creates a batch of the messages of queues of RabbitMQ in Amazon MQ.
///
/// If a message fails, the whole batch fails with [`Error::Incomplete`](super::Error::Incomplete):
/// mappings of Amazon MQ accept no partial response. If the messages are idempotent, their work is
/// not repeated.
pub fn rabbit_mq<'a>(event: impl Into<RabbitMqEvent>) -> Batch<'a, RabbitMqEvent> {
    Batch::new(event.into()).all_or_nothing()
}

/// Creates a batch of the changes in a change stream of DocumentDB.
///
/// If a change fails, the whole batch fails with [`Error::Incomplete`](super::Error::Incomplete):
/// mappings of DocumentDB accept no partial response. No change after it starts, since all of them are
/// delivered again.
pub fn document_db<'a>(event: impl Into<DocumentDbEvent>) -> Batch<'a, DocumentDbEvent> {
    Batch::new(event.into()).all_or_nothing()
}

/// Creates the transformation of the records of a Firehose stream.
///
/// ```
/// use lambda_runtime::LambdaEvent;
/// use powertools::batch::{self, FirehoseMessage, FirehoseReply, RecordError, Transformed};
/// use powertools::events::{FirehoseEvent, Text};
///
/// async fn shout(text: FirehoseMessage<Text>) -> Result<Transformed, RecordError> {
///     if text.body.is_empty() {
///         return Ok(Transformed::dropped());
///     }
///     Ok(Transformed::data(text.body.to_uppercase()))
/// }
///
/// async fn handle(event: LambdaEvent<FirehoseEvent>) -> Result<FirehoseReply, batch::Error> {
///     batch::firehose(event.payload).run(shout).await
/// }
/// # let _ = handle;
/// ```
pub fn firehose<'a>(event: impl Into<FirehoseEvent>) -> Transformation<'a> {
    Transformation::new(event.into())
}

/// Creates the tasks with which a job of S3 Batch Operations invokes the function.
///
/// ```
/// use lambda_runtime::LambdaEvent;
/// use powertools::batch::{self, RecordError, S3BatchReply};
/// use powertools::events::{S3BatchEvent, S3BatchTask};
///
/// async fn copy(task: S3BatchTask) -> Result<&'static str, RecordError> {
///     let key = task.key().ok_or("a task without a key")?;
///     println!("copies {key} of {:?}", task.bucket());
///     Ok("copied")
/// }
///
/// async fn handle(event: LambdaEvent<S3BatchEvent>) -> Result<S3BatchReply, batch::Error> {
///     batch::s3_batch(event.payload).run(copy).await
/// }
/// # let _ = handle;
/// ```
pub fn s3_batch<'a>(event: impl Into<S3BatchEvent>) -> S3Tasks<'a> {
    S3Tasks::new(event.into())
}
