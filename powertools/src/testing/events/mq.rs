use serde_json::{Map, Value, json};

use super::{TIME_MILLIS, base64};
use crate::testing::identifiers::{self, ACCOUNT, REGION};

/// Starts a batch of messages from the queue `name` of ActiveMQ.
pub fn active_mq(queue: impl Into<String>) -> ActiveMqMessages {
    ActiveMqMessages { queue: queue.into(), messages: Vec::new() }
}

/// Starts a batch of messages from the queue `name` of RabbitMQ, in the virtual host `/`.
pub fn rabbit_mq(queue: impl Into<String>) -> RabbitMqMessages {
    RabbitMqMessages { queue: queue.into(), messages: Vec::new() }
}

/// A batch of messages from a queue of ActiveMQ. Created by [`active_mq`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct ActiveMqMessages {
    queue: String,
    messages: Vec<Value>,
}

impl ActiveMqMessages {
    /// Adds a message with these bytes as its data.
    pub fn message(mut self, data: impl AsRef<[u8]>) -> Self {
        self.messages.push(json!({
            "messageID": null,
            "messageType": "jms/text-message",
            "deliveryMode": 1,
            "replyTo": null,
            "type": null,
            "expiration": 0,
            "priority": 4,
            "correlationId": null,
            "redelivered": false,
            "destination": { "physicalName": self.queue },
            "data": base64(data),
            "timestamp": TIME_MILLIS,
            "brokerInTime": TIME_MILLIS,
            "brokerOutTime": TIME_MILLIS,
            "properties": {},
        }));
        self
    }

    /// Sets the id of the message that was added last. Defaults to a new one.
    ///
    /// # Panics
    ///
    /// Panics if there is no message yet.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.last()["messageID"] = id.into().into();
        self
    }

    /// Sets a property of the message that was added last.
    ///
    /// # Panics
    ///
    /// Panics if there is no message yet.
    pub fn property(mut self, name: &str, value: impl Into<String>) -> Self {
        self.last()["properties"][name] = value.into().into();
        self
    }

    fn last(&mut self) -> &mut Value {
        self.messages.last_mut().expect("a message was added")
    }

    /// Creates the event.
    #[must_use]
    pub fn build(self) -> Value {
        active_mq_envelope(self.build_with(identifiers::next))
    }

    /// The messages, with ids that depend on nothing but their place.
    pub(in crate::testing) fn numbered(self) -> Vec<Value> {
        let mut place = 0;
        self.build_with(|| {
            place += 1;
            place
        })
    }

    fn build_with(mut self, mut next: impl FnMut() -> u64) -> Vec<Value> {
        for message in self.messages.iter_mut().filter(|message| message["messageID"].is_null()) {
            let id = format!("ID:b-test-1.mq.{REGION}.amazonaws.com-1:{}", next());
            message["messageID"] = id.into();
        }
        self.messages
    }
}

/// Wraps messages as the event that has them.
pub(in crate::testing) fn active_mq_envelope(messages: Vec<Value>) -> Value {
    json!({
        "eventSource": "aws:mq",
        "eventSourceArn": format!("arn:aws:mq:{REGION}:{ACCOUNT}:broker:test:b-1"),
        "messages": messages,
    })
}

/// A batch of messages from a queue of RabbitMQ. Created by [`rabbit_mq`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct RabbitMqMessages {
    queue: String,
    messages: Vec<Value>,
}

impl RabbitMqMessages {
    /// Adds a message with these bytes as its data.
    pub fn message(mut self, data: impl AsRef<[u8]>) -> Self {
        let data = data.as_ref();
        self.messages.push(json!({
            "basicProperties": {
                "contentType": "application/json",
                "contentEncoding": null,
                "headers": {},
                "deliveryMode": 1,
                "priority": null,
                "correlationId": null,
                "replyTo": null,
                "expiration": null,
                "messageId": null,
                "timestamp": null,
                "type": null,
                "userId": null,
                "appId": null,
                "clusterId": null,
                "bodySize": data.len(),
            },
            "redelivered": false,
            "data": base64(data),
        }));
        self
    }

    /// Sets a basic property of the message that was added last, such as `messageId`.
    ///
    /// # Panics
    ///
    /// Panics if there is no message yet.
    pub fn property(mut self, name: &str, value: impl Into<String>) -> Self {
        self.last()[name] = value.into().into();
        self
    }

    /// Sets a header of the message that was added last.
    ///
    /// # Panics
    ///
    /// Panics if there is no message yet.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.last()["headers"][name] = json!({ "bytes": value.as_ref() });
        self
    }

    fn last(&mut self) -> &mut Value {
        &mut self.messages.last_mut().expect("a message was added")["basicProperties"]
    }

    /// Creates the event.
    #[must_use]
    pub fn build(self) -> Value {
        rabbit_mq_envelope(&self.queue, self.messages)
    }

    /// The name of the queue, and the messages.
    pub(in crate::testing) fn into_parts(self) -> (String, Vec<Value>) {
        (self.queue, self.messages)
    }
}

/// Wraps messages of a queue as the event that has them.
pub(in crate::testing) fn rabbit_mq_envelope(queue: &str, messages: Vec<Value>) -> Value {
    let queues: Map<_, _> = [(format!("{queue}::/"), messages.into())].into_iter().collect();
    json!({
        "eventSource": "aws:rmq",
        "eventSourceArn": format!("arn:aws:mq:{REGION}:{ACCOUNT}:broker:test:b-2"),
        "rmqMessagesByQueue": queues,
    })
}
