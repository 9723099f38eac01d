use serde_json::{Map, Value, json};

use super::{TIME_MILLIS, base64, md5};
use crate::testing::identifiers::{self, ACCOUNT, REGION};

/// Starts a batch of messages from the queue `name`; one that ends in `.fifo` is a FIFO queue.
pub fn sqs(name: impl Into<String>) -> SqsMessages {
    SqsMessages { queue: name.into(), messages: Vec::new() }
}

/// A batch of messages from a queue. Created by [`sqs`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct SqsMessages {
    queue: String,
    messages: Vec<SqsMessage>,
}

impl SqsMessages {
    /// Adds a message: a [`SqsMessage`], or JSON or text for its body.
    pub fn message(mut self, message: impl Into<SqsMessage>) -> Self {
        self.messages.push(message.into());
        self
    }

    /// Creates the event.
    #[must_use]
    pub fn build(self) -> Value {
        json!({ "Records": self.build_piped() })
    }

    /// Creates the event that EventBridge Pipes sends: the messages alone.
    #[must_use]
    pub fn build_piped(self) -> Value {
        self.messages.into_iter().map(|message| message.record(&self.queue)).collect()
    }

    /// The records, with ids and sequence numbers that depend on nothing but their place.
    pub(in crate::testing) fn numbered(self) -> Vec<Value> {
        let number = |(place, mut message): (usize, SqsMessage)| {
            let place = place + 1;
            message.id.get_or_insert_with(|| format!("00000000-0000-4000-8000-{place:012}"));
            let mut record = message.record(&self.queue);
            if let Some(number) = record["attributes"].get_mut("SequenceNumber") {
                *number = format!("{place:020}").into();
            }
            record
        };
        self.messages.into_iter().enumerate().map(number).collect()
    }
}

/// A message in a queue, made from JSON or text for its body.
///
/// ```
/// use powertools::testing::events::{self, SqsMessage};
/// use serde_json::json;
///
/// let message = SqsMessage::from(json!({ "order": 7 })).id("m-1").group("customer-1");
/// let event = events::sqs("orders.fifo").message(message).build();
///
/// let record = &event["Records"][0];
/// assert_eq!(record["messageId"], "m-1");
/// assert_eq!(record["attributes"]["MessageGroupId"], "customer-1");
/// assert_eq!(record["eventSourceARN"], "arn:aws:sqs:us-east-1:123456789012:orders.fifo");
/// ```
#[derive(Clone, Debug)]
#[must_use = "a message does nothing until it is added to a batch"]
pub struct SqsMessage {
    id: Option<String>,
    body: String,
    attributes: Map<String, Value>,
    message_attributes: Map<String, Value>,
}

impl SqsMessage {
    fn new(body: String) -> Self {
        let sent = TIME_MILLIS.to_string();
        let attributes = [
            ("ApproximateReceiveCount", "1"),
            ("SentTimestamp", &sent),
            ("SenderId", "AIDAIENQZJOLO23YVJ4VO"),
            ("ApproximateFirstReceiveTimestamp", &sent),
        ];
        Self {
            id: None,
            body,
            attributes: attributes
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect(),
            message_attributes: Map::new(),
        }
    }

    /// Sets the message id. Defaults to a new one.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets how often the message has been received, this time included.
    pub fn receive_count(self, count: u32) -> Self {
        self.attribute("ApproximateReceiveCount", count.to_string())
    }

    /// Sets the message group, for a FIFO queue.
    pub fn group(self, group: impl Into<String>) -> Self {
        self.attribute("MessageGroupId", group)
    }

    /// Sets an attribute that SQS knows, such as `SentTimestamp`.
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.insert(name.into(), value.into().into());
        self
    }

    /// Sets an attribute of the sender's own, as text.
    pub fn message_attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let attribute = json!({
            "stringValue": value.into(),
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": "String",
        });
        self.message_attributes.insert(name.into(), attribute);
        self
    }

    fn record(mut self, queue: &str) -> Value {
        let id = self.id.unwrap_or_else(identifiers::request_id);
        if queue.ends_with(".fifo") {
            // SQS delivers no message of a FIFO queue without these.
            let defaults = [
                ("MessageGroupId", "group".to_owned()),
                ("MessageDeduplicationId", id.clone()),
                ("SequenceNumber", format!("{:020}", identifiers::next())),
            ];
            for (name, value) in defaults {
                self.attributes.entry(name).or_insert(value.into());
            }
        }
        json!({
            "messageId": id,
            "receiptHandle": base64(format!("{id} {queue} {}", identifiers::next())),
            "md5OfBody": md5(&self.body),
            "body": self.body,
            "attributes": self.attributes,
            "messageAttributes": self.message_attributes,
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"),
            "awsRegion": REGION,
        })
    }
}

impl From<Value> for SqsMessage {
    fn from(body: Value) -> Self {
        Self::new(body.to_string())
    }
}

impl From<&str> for SqsMessage {
    fn from(body: &str) -> Self {
        Self::new(body.to_owned())
    }
}

impl From<String> for SqsMessage {
    fn from(body: String) -> Self {
        Self::new(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fifo_queue_has_groups() {
        let standard = sqs("orders").message("a").build();
        assert!(standard["Records"][0]["attributes"].get("MessageGroupId").is_none());

        let fifo = sqs("orders.fifo").message("a").message("b").build();
        let [first, second] =
            [0, 1].map(|n| fifo["Records"][n]["attributes"]["SequenceNumber"].as_str().unwrap());
        assert!(first < second);
        assert_eq!(fifo["Records"][0]["attributes"]["MessageGroupId"], "group");
    }

    #[test]
    fn the_checksum_is_that_of_the_body() {
        let event = sqs("orders").message("Hello from SQS!").build();
        assert_eq!(event["Records"][0]["md5OfBody"], "7b270e59b47ff90a553787216d55d91d");
    }
}
