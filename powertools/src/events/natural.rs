//! Keys that the source of an event provides: the identifier that it repeats with each delivery.

use lambda_runtime::LambdaEvent;
use serde::{Serialize, Serializer};

use crate::invocation::DurableExecution;
use crate::json::ABSENT;

/// Returns the key by which the source of an event distinguishes a duplicate from new work.
///
/// ```
/// use powertools::batch::{Message, RecordError};
/// use powertools::events::natural;
/// use powertools::idempotency::{Idempotency, MemoryStore};
/// use powertools::idempotent;
///
/// # struct Order;
/// #[idempotent(key = natural(&order.record), with = idempotency, name = "orders.charge")]
/// async fn charge(
///     idempotency: &Idempotency<MemoryStore>,
///     order: Message<Order>,
/// ) -> Result<(), lambda_runtime::Error> {
///     Ok(())
/// }
/// ```
///
/// | source | key | repeated when |
/// |---|---|---|
/// | SQS message | message id | the message is received again |
/// | Kinesis record | stream ARN, event id (shard and sequence number); the sub-sequence number, if it was aggregated | the batch is read again |
/// | DynamoDB stream record | event id | the batch is read again |
/// | Kafka record | cluster (ARN or bootstrap servers), topic and partition, offset, timestamp | the batch is read again |
/// | ActiveMQ message | broker (its ARN), queue, message id of the broker | the message is delivered again |
/// | RabbitMQ message | broker (its ARN), queue and virtual host, the property `messageId`, if the sender set it | the message is delivered again, or sent again under its id |
/// | DocumentDB change | cluster (its ARN), database and collection, where the change has them; resume token | the batch is read again |
/// | Firehose record | stream ARN, record id | the transformation is retried |
/// | task of S3 Batch Operations ([`S3BatchTask`](super::S3BatchTask)) | job id, task id | the task is retried |
/// | S3 notification of a put or a delete | bucket, key, sequencer, event name | the notification is delivered again |
/// | SNS notification, also in a queue ([`Sns`](super::Sns)) | message id | the notification is delivered again |
/// | EventBridge event | event id | the event is delivered again, or replayed from an archive |
/// | schedule of EventBridge Scheduler ([`EventBridge`](super::EventBridge), [`SchedulerContext`](super::SchedulerContext)) | schedule, scheduled time | the target is invoked again |
/// | CloudWatch Logs event ([`LogEvent`](super::LogEvent)) | event id | the subscription is delivered again |
/// | HTTP request (API Gateway, function URL, ALB) | the header `Idempotency-Key` | the client retries |
/// | invocation of a durable execution ([`DurableExecution`]) | ARN of the execution | the execution continues |
/// | step of a durable execution ([`NaturalKey::of_step`]) | ARN of the execution, a name that no other of its steps has | the step is retried |
/// | Step Functions task ([`StepFunctionsContext`](super::StepFunctionsContext)) | execution, state, when it was entered, the index in each map | the task is retried |
/// | change of a custom resource (`custom_resource::Request`, feature `custom-resources`) | stack, logical id, request id | the event is delivered again |
///
/// # Natural key or business key
///
/// The natural key recognises a second *delivery*. It does not recognise the same order that was
/// *sent* twice: a producer that retries sends a new message with a new id. If the work itself has an
/// identifier, such as an order number, use that: it covers both. The natural key is for events
/// without such an identifier, each of which is separate work, such as clicks or changes of an item.
///
/// The key of an HTTP request is unique for its client only, and is taken as it was sent. HTTP functions have
/// `IdempotencyKeyLayer` of the feature `http` for it; elsewhere, combine it with the identity of the
/// client, as in `key = (&caller, natural(&request))`. Do not use the request id of API Gateway: a
/// client that retries gets a new one.
///
/// S3 notifications of tags and ACLs have no sequencer and thus no natural key: use the bucket, the
/// key, the event name and the id of the request that caused them.
///
/// # Events without a natural key
///
/// Nothing in an event of a Cognito trigger, of AppSync or of a Bedrock agent tells a second attempt from
/// another request, so these types have no natural key, and `natural` does not compile with them.
///
/// An event without its identifier has an absent key, which is
/// [`Error::KeyMissing`](crate::idempotency::Error::KeyMissing). A batch of several records has none
/// either, since it may be delivered again with other records: use the key of each record.
#[must_use]
pub fn natural<E: HasNaturalKey + ?Sized>(event: &E) -> NaturalKey {
    event.natural_key()
}

/// An event that has a natural key: see [`natural`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no natural key",
    note = "events of `aws_lambda_events` have one with the feature `aws-lambda-events`, except records of \
            Kafka; records of a batch have one with `batch`, and a batch as a whole has none: use the \
            key of each record"
)]
pub trait HasNaturalKey {
    /// Returns the key.
    fn natural_key(&self) -> NaturalKey;
}

impl HasNaturalKey for DurableExecution {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([Some(self.arn())])
    }
}

/// A key of the identifiers that an event has, or an absent one. Returned by [`natural`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NaturalKey(Option<Vec<String>>);

impl NaturalKey {
    /// Creates a key of these parts, for event types of your own.
    ///
    /// The key is absent if a part is absent or empty: the rest could be the key of other events too.
    ///
    /// ```
    /// use powertools::events::{HasNaturalKey, NaturalKey};
    ///
    /// struct Webhook {
    ///     shop: String,
    ///     delivery: Option<String>,
    /// }
    ///
    /// impl HasNaturalKey for Webhook {
    ///     fn natural_key(&self) -> NaturalKey {
    ///         NaturalKey::new([Some(self.shop.as_str()), self.delivery.as_deref()])
    ///     }
    /// }
    ///
    /// let webhook = Webhook { shop: "7".to_owned(), delivery: None };
    /// assert!(webhook.natural_key().is_absent());
    /// ```
    pub fn new<'a>(parts: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let present = |part: Option<&str>| part.filter(|part| !part.is_empty()).map(str::to_owned);
        Self(parts.into_iter().map(present).collect())
    }

    /// Creates the key of a step of a durable execution, for an effect that has to take place once although
    /// the step may run again: one whose end was not recorded is repeated. `operation` distinguishes the
    /// step from the others of the execution: the id of its operation, or a name that no other has. Two steps with one
    /// name, such as those of a loop, are one effect to whoever receives the key: put the index into the name.
    #[must_use]
    pub fn of_step(execution: &DurableExecution, operation: &str) -> Self {
        Self::new([Some(execution.arn()), Some(operation)])
    }

    /// Creates the key of an event that has none.
    #[must_use]
    pub fn absent() -> Self {
        Self(None)
    }

    /// Returns true if the event has no key.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.0.as_ref().is_none_or(Vec::is_empty)
    }
}

/// Written as the list of its parts, or as null if it is absent.
impl Serialize for NaturalKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(parts) if !parts.is_empty() => parts.serialize(serializer),
            _ => serializer.serialize_unit_struct(ABSENT),
        }
    }
}

impl<T: HasNaturalKey> HasNaturalKey for LambdaEvent<T> {
    fn natural_key(&self) -> NaturalKey {
        self.payload.natural_key()
    }
}

impl<T: HasNaturalKey + ?Sized> HasNaturalKey for &T {
    fn natural_key(&self) -> NaturalKey {
        (**self).natural_key()
    }
}

/// Returns the key of a record that is the only one of its event.
pub(super) fn of_the_only<R: HasNaturalKey>(records: &[R]) -> NaturalKey {
    match records {
        [record] => record.natural_key(),
        _ => NaturalKey::absent(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_lacks_a_part_is_absent() {
        for parts in [vec![Some("a"), None], vec![Some("a"), Some("")], vec![]] {
            assert!(NaturalKey::new(parts.clone()).is_absent(), "{parts:?}");
        }
        assert!(NaturalKey::absent().is_absent());
        assert!(!NaturalKey::new([Some("a"), Some("b")]).is_absent());
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let written = |parts| serde_json::to_string(&NaturalKey::new(parts)).unwrap();
        assert_eq!(written([Some("a,b"), Some("c")]), r#"["a,b","c"]"#);
        assert_ne!(written([Some("ab"), Some("c")]), written([Some("a"), Some("bc")]));
    }
}
