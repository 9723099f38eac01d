use serde_json::{Map, Value, json};

use super::{TIME, base64};
use crate::testing::identifiers::{self, ACCOUNT, REGION};

/// Starts a notification from the topic `name`, with `message` as its text.
pub fn sns(name: impl Into<String>, message: impl Into<String>) -> SnsNotification {
    SnsNotification {
        topic: name.into(),
        id: identifiers::request_id(),
        subject: None,
        message: message.into(),
        attributes: Map::new(),
    }
}

/// A notification from a topic. Created by [`sns`].
///
/// ```
/// use powertools::testing::events;
/// use serde_json::json;
///
/// let event = events::sns("orders", json!({ "order": 7 }).to_string()).subject("new").build();
/// assert_eq!(event["Records"][0]["Sns"]["Subject"], "new");
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct SnsNotification {
    topic: String,
    id: String,
    subject: Option<String>,
    message: String,
    attributes: Map<String, Value>,
}

impl SnsNotification {
    /// Sets the message id. Defaults to a new one.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Sets the subject.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Sets a message attribute, as text.
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let attribute = json!({ "Type": "String", "Value": value.into() });
        self.attributes.insert(name.into(), attribute);
        self
    }

    /// Creates what a queue receives of the notification, as the body of its message. A subscription
    /// with raw message delivery sends the message alone.
    ///
    /// ```
    /// use powertools::testing::events;
    /// use serde_json::json;
    ///
    /// let order = json!({ "order": 7 }).to_string();
    /// let event = events::sqs("orders").message(events::sns("orders", order).envelope()).build();
    /// # assert!(event["Records"][0]["body"].as_str().unwrap().contains("MessageId"));
    /// ```
    #[must_use]
    pub fn envelope(self) -> Value {
        let mut event = self.build();
        let mut envelope = event["Records"][0]["Sns"].take();
        // As SNS does: a queue reads other names, and no members that are null or empty.
        if let Some(members) = envelope.as_object_mut() {
            for (name, other) in
                [("SigningCertUrl", "SigningCertURL"), ("UnsubscribeUrl", "UnsubscribeURL")]
            {
                if let Some(url) = members.remove(name) {
                    members.insert(other.to_owned(), url);
                }
            }
            members.retain(|_, value| !value.is_null() && *value != json!({}));
        }
        envelope
    }

    /// Creates the event.
    #[must_use]
    pub fn build(self) -> Value {
        let topic = format!("arn:aws:sns:{REGION}:{ACCOUNT}:{}", self.topic);
        let subscription = format!("{topic}:00000000-0000-4000-8000-000000000001");
        let host = format!("https://sns.{REGION}.amazonaws.com");
        json!({ "Records": [{
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription,
            "Sns": {
                "Type": "Notification",
                "MessageId": self.id,
                "TopicArn": topic,
                "Subject": self.subject,
                "Message": self.message,
                "Timestamp": TIME,
                "SignatureVersion": "1",
                "Signature": base64("signature"),
                "SigningCertUrl": format!("{host}/SimpleNotificationService-0.pem"),
                "UnsubscribeUrl":
                    format!("{host}/?Action=Unsubscribe&SubscriptionArn={subscription}"),
                "MessageAttributes": self.attributes,
            },
        }] })
    }
}
