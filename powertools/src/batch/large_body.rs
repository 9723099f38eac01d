use std::error::Error as StdError;
use std::future::Future;

use super::Message;
use super::data::{read, read_str};
use crate::events::compression::largest;
use crate::events::large_body::LargeBody;
use crate::events::{Body, ParseError, S3Pointer, SqsRecord};

type BoxError = Box<dyn StdError + Send + Sync>;

/// Where the bodies of large messages are: S3, through a client of your own.
///
/// The extended clients for SQS and SNS put a body that does not fit into a message into a bucket, and send a
/// [pointer](S3Pointer) to it. [`Message::fetch`] reads both kinds of messages.
///
/// Whoever can send messages chooses bucket and key, so accept only what your own senders write, for
/// deletion too.
///
/// Let a lifecycle rule of the bucket delete the objects once the retention of the queue has ended; see
/// [`Message::delete_large_body`] for what another way costs.
///
/// ```
/// use std::error::Error;
/// use powertools::batch::{LargeBodies, Message, RecordError};
/// use powertools::events::{S3Pointer, SqsRecord};
/// # mod aws_sdk_s3 { #[derive(Clone)] pub struct Client; }
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
/// #       #[cfg(any())] {
///         let request = self.client.get_object().bucket(&pointer.bucket).key(&pointer.key);
///         match request.send().await {
///             Ok(object) => Ok(Some(object.body.collect().await?.to_vec())),
///             Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => Ok(None),
///             Err(error) => Err(error.into()),
///         }
/// #       }
/// #       Ok((pointer.key == "bodies/1").then(|| b"7".to_vec()))
///     }
///
///     async fn delete(&self, pointer: &S3Pointer) -> Result<(), Box<dyn Error + Send + Sync>> {
///         self.allowed(pointer)?;
/// #       #[cfg(any())] {
///         self.client.delete_object().bucket(&pointer.bucket).key(&pointer.key).send().await?;
/// #       }
/// #       let _ = &self.client;
///         Ok(())
///     }
/// }
///
/// async fn charge(bodies: &Bodies, record: SqsRecord) -> Result<(), RecordError> {
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
/// # let bodies = Bodies { client: aws_sdk_s3::Client, bucket: "b".to_owned(), prefix: "bodies/".to_owned() };
/// # let report = powertools::batch::sqs(event).run(|record| charge(&bodies, record)).await;
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
    /// Parses a message whose body may be in S3, where an extended client for SQS or SNS put it.
    ///
    /// A notification of SNS gets its message from there: take [`Sns`](crate::events::Sns) for it, unless the
    /// subscription has raw message delivery.
    ///
    /// A message with its own body needs no request.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::BodyGone`] if the object no longer exists,
    /// [`ParseError::BodyUnavailable`] if `bodies` returns an error, [`ParseError::PointerInvalid`] if the
    /// message is marked as one with a pointer and has none, and [`ParseError::TooLarge`] if its body has more
    /// bytes than a quarter of the function's memory, or than 256 MiB. A body that is not a `T` is the same
    /// error as in a message.
    pub async fn fetch<B: LargeBodies>(record: SqsRecord, bodies: &B) -> Result<Self, ParseError> {
        let (body, reserved) = match record.large_body()? {
            None => read_str(record.body().ok_or(ParseError::Empty)?)?,
            Some(large) => {
                let (limit, pointer) = (largest(), large.pointer());
                if pointer.size.is_some_and(|size| size > limit) {
                    return Err(ParseError::TooLarge { limit });
                }
                let found = bodies.get(pointer).await.map_err(ParseError::BodyUnavailable)?;
                let found = found.ok_or(ParseError::BodyGone)?;
                // The size is what the sender wrote.
                if found.len() as u64 > limit {
                    return Err(ParseError::TooLarge { limit });
                }
                match large {
                    LargeBody::Body(_) => read(&found)?,
                    LargeBody::Notification(_, notification) => {
                        read_str(&notification.with_message(str::from_utf8(&found)?))?
                    }
                }
            }
        };
        Ok(Self { body, record, _reserved: reserved })
    }
}

impl<T> Message<T> {
    /// Deletes the object that holds the body, if the body is in S3.
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
        match self.record.s3_pointer()? {
            None => Ok(()),
            Some(pointer) => bodies.delete(&pointer).await,
        }
    }
}
