use super::Batch;
use crate::events::{ActiveMqEvent, DocumentDbEvent, FirehoseEvent, RabbitMqEvent, S3BatchEvent};

/// Creates a batch of the messages of a queue of ActiveMQ in Amazon MQ.
///
/// If a message fails, the whole batch fails with [`Error::Incomplete`](super::Error::Incomplete):
/// mappings of Amazon MQ accept no partial response. If the messages are idempotent, their work is
/// not repeated.
pub fn active_mq<'a>(event: impl Into<ActiveMqEvent>) -> Batch<'a, ActiveMqEvent> {
    Batch::new(event.into())
}

/// Creates a batch of the messages of queues of RabbitMQ in Amazon MQ.
///
/// If a message fails, the whole batch fails with [`Error::Incomplete`](super::Error::Incomplete):
/// mappings of Amazon MQ accept no partial response. If the messages are idempotent, their work is
/// not repeated.
pub fn rabbit_mq<'a>(event: impl Into<RabbitMqEvent>) -> Batch<'a, RabbitMqEvent> {
    Batch::new(event.into())
}

/// Creates a batch of the changes in a change stream of DocumentDB.
///
/// If a change fails, the whole batch fails with [`Error::Incomplete`](super::Error::Incomplete):
/// mappings of DocumentDB accept no partial response. No change after it starts, since all of them are
/// delivered again.
pub fn document_db<'a>(event: impl Into<DocumentDbEvent>) -> Batch<'a, DocumentDbEvent> {
    Batch::new(event.into())
}

/// Creates a batch of the records of a Firehose stream, which the function transforms. The handler
/// returns what becomes of its record, as a [`Transformed`](super::Transformed).
///
/// A record that cannot be parsed, or whose handler returns an error or panics, is reported as
/// `ProcessingFailed`: Firehose puts it under the error prefix of the destination, and does not deliver it
/// to the function again. With [`stop_at_first_failure`](Batch::stop_at_first_failure), so are the records that
/// did not start because of it. A transformed record that does not fit into the 6 MiB of a reply is reported like
/// that, too, while smaller ones after it may still fit: give the stream a smaller buffer, or have it sent to the
/// stream again by [`into_split_reply`](super::Report::into_split_reply). A record that a
/// [sink](Batch::permanent_sink) accepted is reported as `Dropped`.
///
/// If there is no time for all records, the batch fails as a whole with
/// [`Error::Incomplete`](super::Error::Incomplete), and Firehose invokes the function again. A record that a time guard
/// or idempotent work stopped, or that another invocation is processing, has not failed either. After a guard has
/// stopped something in the batch, every error counts as an effect of that, unless the handler has called
/// [`Invocation::interruption_handled`](crate::Invocation::interruption_handled).
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
///     batch::firehose(event.payload).run(shout).await.into_reply()
/// }
/// # let _ = handle;
/// ```
pub fn firehose<'a>(event: impl Into<FirehoseEvent>) -> Batch<'a, FirehoseEvent> {
    Batch::new(event.into())
}

/// Creates a batch of the tasks by which a job of S3 Batch Operations invokes the function. The handler
/// returns a string for the report of the job.
///
/// A retryable error, a panic, or a lack of time is a temporary failure, which S3 retries; a
/// [permanent](super::RecordError::permanent) error is a permanent one.
///
/// ```
/// use lambda_runtime::LambdaEvent;
/// use powertools::batch::{self, RecordError, S3BatchReply};
/// use powertools::events::{S3BatchEvent, S3BatchTask};
///
/// async fn copy(task: S3BatchTask) -> Result<String, RecordError> {
///     let key = task.key().ok_or("a task without a key")?;
///     println!("copies {key} of {:?}", task.bucket());
///     Ok("copied".to_owned())
/// }
///
/// async fn handle(event: LambdaEvent<S3BatchEvent>) -> Result<S3BatchReply, batch::Error> {
///     batch::s3_batch(event.payload).run(copy).await.into_reply()
/// }
/// # let _ = handle;
/// ```
pub fn s3_batch<'a>(event: impl Into<S3BatchEvent>) -> Batch<'a, S3BatchEvent> {
    Batch::new(event.into())
}
