use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::de::{self, MapAccess};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::de::{Object, Read, member_in, object, text_in};
use super::decode::decode;
use super::{HasNaturalKey, NaturalKey, ParseError, RecordId};

pub(crate) const ACTIVE_MQ: &[&str] = &["aws:mq", "aws:amq"];
pub(crate) const RABBIT_MQ: &[&str] = &["aws:rmq"];

/// The event of a queue of ActiveMQ in Amazon MQ.
///
/// The data of a message is kept in base64 until its handler starts.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ActiveMqEvent {
    /// The messages, in the order of the event.
    pub records: Vec<ActiveMqRecord>,
    /// The source of the event, if that is not ActiveMQ.
    pub(crate) other_source: Option<Box<str>>,
}

/// A message of ActiveMQ. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct ActiveMqRecord {
    /// The ARN of the broker, for the natural key.
    broker: Option<Arc<str>>,
    fields: Arc<ActiveMqFields>,
}

#[derive(Debug, Default)]
struct ActiveMqFields {
    message_id: Option<RecordId>,
    message_type: Option<Box<str>>,
    correlation_id: Option<Box<str>>,
    destination: Destination,
    redelivered: Option<Box<RawValue>>,
    properties: Option<Box<RawValue>>,
    timestamp: Option<i64>,
    /// In base64.
    data: Option<Box<str>>,
}

#[derive(Debug, Default)]
struct Destination {
    name: Option<Box<str>>,
}

/// The broker, the queue, and the id that the broker gave the message. One that it forwards to several queues has the same
/// id in each.
impl HasNaturalKey for ActiveMqRecord {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([self.broker.as_deref(), self.queue(), self.message_id()])
    }
}

impl ActiveMqRecord {
    /// Returns what identifies the message in messages of errors.
    pub(crate) fn record_id(&self) -> Option<&RecordId> {
        self.fields.message_id.as_ref()
    }

    /// Returns the id of the message.
    #[must_use]
    pub fn message_id(&self) -> Option<&str> {
        self.fields.message_id.as_ref().map(RecordId::as_str)
    }

    /// Returns the type of the message: `jms/text-message`, or `jms/bytes-message`.
    #[must_use]
    pub fn message_type(&self) -> Option<&str> {
        self.fields.message_type.as_deref()
    }

    /// Returns the id by which the sender connects messages.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.fields.correlation_id.as_deref()
    }

    /// Returns the name of the queue.
    #[must_use]
    pub fn queue(&self) -> Option<&str> {
        self.fields.destination.name.as_deref()
    }

    /// Returns true if the message may have been delivered before.
    #[must_use]
    pub fn is_redelivered(&self) -> bool {
        self.fields.redelivered.as_ref().is_some_and(|value| value.get() == "true")
    }

    /// Returns a property that the sender set. Each call parses the properties.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<Cow<'_, str>> {
        text_in(self.fields.properties.as_ref()?, name)
    }

    /// Returns when the message was sent, to the millisecond.
    #[must_use]
    pub fn sent_at(&self) -> Option<SystemTime> {
        let millis = self.fields.timestamp?.try_into().ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis))
    }

    /// Returns the data as it was sent.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Empty`] if there is none, and [`ParseError::Base64`] if it is invalid
    /// base64.
    pub fn data(&self) -> Result<Vec<u8>, ParseError> {
        decode(self.fields.data.as_deref().ok_or(ParseError::Empty)?)
    }
}

impl<'de> Deserialize<'de> for ActiveMqEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ActiveMq { records, broker, other_source } = object(deserializer)?;
        let records = records.ok_or_else(|| {
            de::Error::custom("not an event of ActiveMQ: it has no list `messages`")
        })?;
        let of_broker = |fields| ActiveMqRecord { broker: broker.clone(), fields };
        Ok(Self { records: records.into_iter().map(of_broker).collect(), other_source })
    }
}

#[derive(Default)]
struct ActiveMq {
    records: Option<Vec<Arc<ActiveMqFields>>>,
    broker: Option<Arc<str>>,
    other_source: Option<Box<str>>,
}

impl Object for ActiveMq {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"messages" => |it, value| value.records::<ActiveMqFields, _>(&mut it.records),
            b"eventSourceArn" => |it, value| value.text(&mut it.broker),
            b"eventSource" => |it, value| value.unless(ACTIVE_MQ, &mut it.other_source),
            _ => return None,
        };
        Some(read)
    }
}

impl Object for ActiveMqFields {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"messageID" => |it, value| value.text(&mut it.message_id),
            b"messageType" => |it, value| value.text(&mut it.message_type),
            b"correlationId" => |it, value| value.text(&mut it.correlation_id),
            b"destination" => |it, value| value.object(&mut it.destination),
            b"redelivered" => |it, value| value.raw("false", &mut it.redelivered),
            b"properties" => |it, value| value.raw("{}", &mut it.properties),
            b"timestamp" => |it, value| value.integer(&mut it.timestamp),
            b"data" => |it, value| value.text(&mut it.data),
            _ => return None,
        };
        Some(read)
    }
}

impl Object for Destination {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        match name {
            b"physicalName" => Some(|it, value| value.text(&mut it.name)),
            _ => None,
        }
    }
}

/// The event of queues of RabbitMQ in Amazon MQ.
///
/// The data of a message is kept in base64 until its handler starts.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RabbitMqEvent {
    /// The messages, queue by queue, and in the order of the event in each.
    pub records: Vec<RabbitMqRecord>,
    /// The source of the event, if that is not RabbitMQ.
    pub(crate) other_source: Option<Box<str>>,
}

/// A message of RabbitMQ. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct RabbitMqRecord {
    /// The ARN of the broker, for the natural key.
    broker: Option<Arc<str>>,
    /// The name of the queue and the virtual host, with `::` between them.
    queue: Arc<str>,
    index: usize,
    fields: Arc<RabbitMqFields>,
}

#[derive(Debug, Default)]
struct RabbitMqFields {
    properties: Option<Box<RawValue>>,
    redelivered: Option<Box<RawValue>>,
    /// In base64.
    data: Option<Box<str>>,
}

/// The broker, the queue and the message id, which only some senders set.
impl HasNaturalKey for RabbitMqRecord {
    fn natural_key(&self) -> NaturalKey {
        let message_id = self.property("messageId");
        NaturalKey::new([self.broker.as_deref(), Some(&*self.queue), message_id.as_deref()])
    }
}

impl RabbitMqRecord {
    /// Returns what identifies the message in messages of errors: its place in the event.
    pub(crate) fn place(&self) -> RecordId {
        format!("{}#{}", self.queue, self.index).as_str().into()
    }

    /// Returns the name of the queue.
    #[must_use]
    pub fn queue(&self) -> &str {
        self.queue.rsplit_once("::").map_or(&*self.queue, |(queue, _)| queue)
    }

    /// Returns the virtual host of the queue.
    #[must_use]
    pub fn virtual_host(&self) -> Option<&str> {
        self.queue.rsplit_once("::").map(|(_, host)| host)
    }

    /// Returns one of the basic properties that is a string, such as `contentType`, `correlationId` or
    /// `messageId`. Each call parses the properties.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<Cow<'_, str>> {
        text_in(self.fields.properties.as_ref()?, name)
    }

    /// Returns the bytes of a header that is a string. Each call parses the properties.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<Vec<u8>> {
        #[derive(Deserialize)]
        struct Text {
            bytes: Vec<i16>,
        }
        let headers: HashMap<Cow<'_, str>, &RawValue> =
            member_in(self.fields.properties.as_ref()?, "headers")?;
        let Text { bytes } = serde_json::from_str(headers.get(name)?.get()).ok()?;
        // Bytes from 128 can be written as negative numbers.
        Some(bytes.into_iter().map(|byte| byte as u8).collect())
    }

    /// Returns true if the message may have been delivered before.
    #[must_use]
    pub fn is_redelivered(&self) -> bool {
        self.fields.redelivered.as_ref().is_some_and(|value| value.get() == "true")
    }

    /// Returns the data as it was sent.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Empty`] if there is none, and [`ParseError::Base64`] if it is invalid
    /// base64.
    pub fn data(&self) -> Result<Vec<u8>, ParseError> {
        decode(self.fields.data.as_deref().ok_or(ParseError::Empty)?)
    }
}

impl<'de> Deserialize<'de> for RabbitMqEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let RabbitMq { queues, broker, other_source } = object(deserializer)?;
        let queues = queues.ok_or_else(|| {
            de::Error::custom("not an event of RabbitMQ: it has no object `rmqMessagesByQueue`")
        })?;
        let mut records = Vec::new();
        for (queue, messages) in queues {
            let queue: Arc<str> = queue.into();
            records.extend(messages.into_iter().enumerate().map(|(index, fields)| {
                let fields = Arc::new(fields);
                RabbitMqRecord { broker: broker.clone(), queue: queue.clone(), index, fields }
            }));
        }
        Ok(Self { records, other_source })
    }
}

#[derive(Default)]
struct RabbitMq {
    queues: Option<Vec<(Box<str>, Vec<RabbitMqFields>)>>,
    broker: Option<Arc<str>>,
    other_source: Option<Box<str>>,
}

impl Object for RabbitMq {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"rmqMessagesByQueue" => |it, value| value.lists::<RabbitMqFields, _>(&mut it.queues),
            b"eventSourceArn" => |it, value| value.text(&mut it.broker),
            b"eventSource" => |it, value| value.unless(RABBIT_MQ, &mut it.other_source),
            _ => return None,
        };
        Some(read)
    }
}

impl Object for RabbitMqFields {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"basicProperties" => |it, value| value.raw("{}", &mut it.properties),
            b"redelivered" => |it, value| value.raw("false", &mut it.redelivered),
            b"data" => |it, value| value.text(&mut it.data),
            _ => return None,
        };
        Some(read)
    }
}
