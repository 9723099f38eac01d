use std::error::Error as StdError;
use std::future::Future;

use super::data::{read, read_str};
use super::{FromRecord, Message};
use crate::events::compression::largest;
use crate::events::memory::reserve;
use crate::events::{Body, ParseError, S3Pointer, Sns, SqsRecord};

type BoxError = Box<dyn StdError + Send + Sync>;

/// Where the bodies of large messages are: S3, through a client of your own.
///
/// The extended clients for SQS and SNS put a body that does not fit into a message into a bucket, and send a
/// [pointer](S3Pointer) to it. [`Message::fetch`] reads messages with and without one, and
/// [`Message::fetch_notification`] those of a topic without raw message delivery.
///
/// Whoever can send messages with attributes chooses bucket and key, so accept only what your own senders
/// write, for deletion too. Who only chooses bodies chooses no object, except where the handler takes
/// notifications: there, whoever can publish to the topic or send to the queue does.
///
/// Let a lifecycle rule of the bucket delete the objects once the retention of the queue has ended; see
/// [`Message::delete_large_body`] for what another way costs.
///
/// With `aws-sdk-s3` among the dependencies of your function:
///
/// ```ignore
/// use std::error::Error;
/// use powertools::batch::LargeBodies;
/// use powertools::events::S3Pointer;
///
/// #[derive(Clone)]
/// struct Bodies {
///     client: aws_sdk_s3::Client,
///     bucket: String,
///     prefix: String,
/// }
///
/// impl Bodies {
///     /// Refuses what none of our senders wrote.
///     fn allowed(&self, pointer: &S3Pointer) -> Result<(), Box<dyn Error + Send + Sync>> {
///         if pointer.bucket == self.bucket && pointer.key.starts_with(&self.prefix) {
///             Ok(())
///         } else {
///             Err("a message points to an object that is not a body".into())
///         }
///     }
/// }
///
/// impl LargeBodies for Bodies {
///     async fn get(&self, pointer: &S3Pointer) -> Result<Option<Vec<u8>>, Box<dyn Error + Send + Sync>> {
///         self.allowed(pointer)?;
///         let request = self.client.get_object().bucket(&pointer.bucket).key(&pointer.key);
///         match request.send().await {
///             Ok(object) => Ok(Some(object.body.collect().await?.to_vec())),
///             Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => Ok(None),
///             Err(error) => Err(error.into()),
///         }
///     }
///
///     async fn delete(&self, pointer: &S3Pointer) -> Result<(), Box<dyn Error + Send + Sync>> {
///         self.allowed(pointer)?;
///         self.client.delete_object().bucket(&pointer.bucket).key(&pointer.key).send().await?;
///         Ok(())
///     }
/// }
/// ```
///
/// The handler of a message:
///
/// ```
/// use powertools::batch::{LargeBodies, Message, RecordError};
/// use powertools::events::SqsRecord;
/// # use std::error::Error;
/// # use powertools::events::S3Pointer;
/// # struct Memory;
/// # impl LargeBodies for Memory {
/// #     async fn get(&self, pointer: &S3Pointer) -> Result<Option<Vec<u8>>, Box<dyn Error + Send + Sync>> {
/// #         Ok((pointer.key == "bodies/1").then(|| b"7".to_vec()))
/// #     }
/// #     async fn delete(&self, _: &S3Pointer) -> Result<(), Box<dyn Error + Send + Sync>> { Ok(()) }
/// # }
///
/// async fn charge(bodies: &impl LargeBodies, record: SqsRecord) -> Result<(), RecordError> {
///     let amount = Message::<u64>::fetch(record, bodies).await?;
///     println!("charges {}", amount.body);
///     // Only if no lifecycle rule of the bucket does it. The work is done, even if this fails.
///     if let Err(error) = amount.delete_large_body(bodies).await {
///         tracing::warn!(%error, "the body of a message stays in S3");
///     }
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
/// # let event = serde_json::json!({ "Records": [{ "messageId": "m",
/// #     "messageAttributes": { "ExtendedPayloadSize": { "dataType": "Number", "stringValue": "1" } },
/// #     "body": r#"["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"bodies/1"}]"# }] });
/// # let event: powertools::events::SqsEvent = serde_json::from_value(event)?;
/// # let report = powertools::batch::sqs(event).run(|record| charge(&Memory, record)).await;
/// # assert!(report.is_done());
/// # Ok(()) }
/// ```
pub trait LargeBodies: Sync {
    /// Returns the object, or `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// Returns an error if it is unknown whether the object exists. The message fails, and is delivered again.
    fn get(
        &self,
        pointer: &S3Pointer,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, BoxError>> + Send;

    /// Deletes the object.
    ///
    /// # Errors
    ///
    /// Returns an error if the object may still exist.
    fn delete(&self, pointer: &S3Pointer) -> impl Future<Output = Result<(), BoxError>> + Send;
}

impl<T: Body> Message<T> {
    /// Parses a message whose body may be in S3, where an extended client for SQS put it, or one for SNS if the
    /// subscription has raw message delivery.
    ///
    /// A message with its own body needs no request.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::BodyGone`] if the object no longer exists,
    /// [`ParseError::BodyUnavailable`] if `bodies` returns an error, [`ParseError::PointerInvalid`] if the
    /// message is marked as one with a pointer and has none, [`ParseError::BodyInS3`] if it is for
    /// [`fetch_notification`](Self::fetch_notification), and [`ParseError::TooLarge`] if its body has more
    /// bytes than a quarter of the function's memory, or than 256 MiB. A body that is not a `T` is the same
    /// error as in a message.
    pub async fn fetch<B: LargeBodies>(record: SqsRecord, bodies: &B) -> Result<Self, ParseError> {
        let Some(pointer) = record.s3_pointer()? else { return Self::from_record(record) };
        let (body, reserved) = read(&get(&pointer, bodies).await?)?;
        Ok(Self { fetched: Some(pointer.into()), ..Self::new(body, record, reserved) })
    }
}

impl<T: Body> Message<Sns<T>> {
    /// Parses a message that is a notification of SNS whose message may be in S3, where an extended client for
    /// SNS put it, and does what [`fetch`](Self::fetch) does for all others.
    ///
    /// The body alone says where the object is. So call it only for a queue whose messages all come from
    /// topics, or whose senders may choose objects.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`fetch`](Self::fetch), and [`ParseError::OutOfMemory`] if the notification with
    /// its message may exhaust the memory of the function.
    pub async fn fetch_notification<B: LargeBodies>(
        record: SqsRecord,
        bodies: &B,
    ) -> Result<Self, ParseError> {
        if record.s3_pointer()?.is_some() {
            return Self::fetch(record, bodies).await;
        }
        let Some((pointer, notification)) = record.large_notification()? else {
            return Self::from_record(record);
        };
        let found = get(&pointer, bodies).await?;
        // Before it is written as JSON again, which takes its size several times.
        let written = reserve(&found)?;
        let (body, reserved) = read_str(&notification.with_message(str::from_utf8(&found)?))?;
        drop(written);
        Ok(Self { fetched: Some(pointer.into()), ..Self::new(body, record, reserved) })
    }
}

/// Reads the object, within the limit.
async fn get<B: LargeBodies>(pointer: &S3Pointer, bodies: &B) -> Result<Vec<u8>, ParseError> {
    let limit = largest();
    if pointer.size.is_some_and(|size| size > limit) {
        return Err(ParseError::TooLarge { limit });
    }
    let found = bodies.get(pointer).await.map_err(ParseError::BodyUnavailable)?;
    let found = found.ok_or(ParseError::BodyGone)?;
    // The size is what the sender wrote.
    if found.len() as u64 > limit {
        return Err(ParseError::TooLarge { limit });
    }
    Ok(found)
}

impl<T> Message<T> {
    /// Deletes the object from which [`fetch`](Self::fetch) or
    /// [`fetch_notification`](Message::fetch_notification) read the body, if the body was in S3.
    ///
    /// Prefer a lifecycle rule of the bucket, whose time is longer than the retention of the queue and of its
    /// dead-letter queue. A handler can only delete the object before Lambda has the reply, and a message
    /// may come back after that: if the function ends, if the reply does not arrive, if a later step
    /// [reports](super::Report::fail) the record. Its body is lost then, and the message is
    /// [`ParseError::BodyGone`], unless the work is idempotent around [`fetch`](Self::fetch).
    ///
    /// It is wrong with [`all_or_nothing`](super::Batch::all_or_nothing), where the failure of another record
    /// brings this one back.
    ///
    /// # Errors
    ///
    /// Returns the error of `bodies`. It is no failure of the record: log it, since a record that is reported
    /// is delivered again.
    pub async fn delete_large_body<B: LargeBodies>(&self, bodies: &B) -> Result<(), BoxError> {
        match &self.fetched {
            None => Ok(()),
            Some(pointer) => bodies.delete(pointer).await,
        }
    }
}
