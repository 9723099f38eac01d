use std::collections::HashMap;
use std::ops::Deref;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error::in_layer;
use super::{Body, HasNaturalKey, NaturalKey, Text, natural::of_the_only};

/// The types of what SNS sends besides notifications.
const CONFIRMATIONS: [&str; 2] = ["SubscriptionConfirmation", "UnsubscribeConfirmation"];

/// The event of an SNS topic, with the message as a `T`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", bound(deserialize = "T: Body"))]
#[non_exhaustive]
pub struct SnsEvent<T = Text> {
    /// The notifications; Lambda sends one at a time.
    pub records: Vec<SnsRecord<T>>,
}

/// A notification in the [event](SnsEvent) of an SNS topic. Its members are those of [`Sns`].
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", bound(deserialize = "T: Body"))]
pub struct SnsRecord<T = Text> {
    sns: Sns<T>,
}

/// A notification of an SNS topic, with the message as a `T`.
///
/// A queue receives messages of a topic in this envelope, unless the subscription has raw message
/// delivery. What SNS sends to confirm a subscription, such as that of a queue of another account, is an error and
/// no message: [read nested events](crate::guide::nested_events#confirmations-of-sns) says what happens then.
///
/// ```
/// use powertools::batch::{Message, RecordError};
/// use powertools::events::{EventBridge, S3Notification, Sns};
///
/// #[derive(serde::Deserialize)]
/// struct Order {
///     id: String,
/// }
///
/// /// From SNS to SQS.
/// async fn charge(order: Message<Sns<Order>>) -> Result<(), RecordError> {
///     println!("{}", order.body.message.id);
///     Ok(())
/// }
///
/// /// From EventBridge to SNS to SQS.
/// async fn ship(order: Message<Sns<EventBridge<Order>>>) -> Result<(), RecordError> {
///     println!("{}", order.body.message.detail.id);
///     Ok(())
/// }
///
/// /// From S3 to SNS to SQS.
/// async fn index(change: Message<Sns<S3Notification>>) -> Result<(), RecordError> {
///     for object in &change.body.message.records {
///         println!("{:?}", object.key());
///     }
///     Ok(())
/// }
/// # let _ = (charge, ship, index);
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Envelope<T>", bound(deserialize = "T: Body"))]
#[non_exhaustive]
pub struct Sns<T = Text> {
    /// The message.
    pub message: T,
    /// The id of the message. SNS repeats it when it delivers the message again.
    pub message_id: Option<String>,
    /// The ARN of the topic.
    pub topic_arn: Option<String>,
    /// The subject, if the sender set one.
    pub subject: Option<String>,
    /// When it was published, in RFC 3339.
    pub timestamp: Option<String>,
    /// The number that orders the messages of a group, in a FIFO topic.
    pub sequence_number: Option<String>,
    attributes: HashMap<String, Attribute>,
}

/// What is read of a notification.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", bound(deserialize = "T: Body"))]
struct Envelope<T> {
    #[serde(default, rename = "Type", deserialize_with = "check_type")]
    _type: (),
    #[serde(default, deserialize_with = "message")]
    message: Option<T>,
    message_id: Option<String>,
    topic_arn: Option<String>,
    subject: Option<String>,
    timestamp: Option<String>,
    sequence_number: Option<String>,
    message_attributes: Option<HashMap<String, Attribute>>,
}

/// An attribute of a message.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Attribute {
    value: Option<String>,
}

impl<T> Sns<T> {
    /// Returns an attribute that the sender set; that of binary data is in base64.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.value.as_deref()
    }
}

impl<T> TryFrom<Envelope<T>> for Sns<T> {
    type Error = &'static str;

    fn try_from(envelope: Envelope<T>) -> Result<Self, Self::Error> {
        let message = envelope.message.ok_or(
            "not a notification of SNS: it has no string `Message`; of a subscription with raw \
             message delivery, take the message itself",
        )?;
        Ok(Self {
            message,
            message_id: envelope.message_id,
            topic_arn: envelope.topic_arn,
            subject: envelope.subject,
            timestamp: envelope.timestamp,
            sequence_number: envelope.sequence_number,
            attributes: envelope.message_attributes.unwrap_or_default(),
        })
    }
}

/// Refuses what asks for a confirmation: as the message of a topic, its text would be handled.
fn check_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    let found = Value::deserialize(deserializer)?;
    if CONFIRMATIONS.iter().any(|kind| found == *kind) {
        return Err(D::Error::custom(
            "not a notification of SNS: its `SubscribeURL` confirms a subscription",
        ));
    }
    Ok(())
}

fn message<'de, D: Deserializer<'de>, T: Body>(deserializer: D) -> Result<Option<T>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    T::from_text(&text)
        .map(Some)
        .map_err(|error| D::Error::custom(in_layer("the message of SNS", &error)))
}

impl<T> Deref for SnsRecord<T> {
    type Target = Sns<T>;

    fn deref(&self) -> &Sns<T> {
        &self.sns
    }
}

/// The id of the message.
impl<T> HasNaturalKey for Sns<T> {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([self.message_id.as_deref()])
    }
}

/// The id of the message.
impl<T> HasNaturalKey for SnsRecord<T> {
    fn natural_key(&self) -> NaturalKey {
        self.sns.natural_key()
    }
}

/// The key of its only record. An event of several has none.
impl<T> HasNaturalKey for SnsEvent<T> {
    fn natural_key(&self) -> NaturalKey {
        of_the_only(&self.records)
    }
}
