use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::de::{self, MapAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::de::{Object, Value, event};
use super::decode::decode;
use super::{HasNaturalKey, NaturalKey, ParseError};

/// MSK, and Kafka that someone else runs.
pub(crate) const SOURCES: &[&str] = &["aws:kafka", "SelfManagedKafka", "aws:SelfManagedKafka"];

/// The event of a Kafka topic, on MSK or elsewhere.
///
/// Values are kept in base64 until the handler of their record starts.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KafkaEvent {
    /// The records: partition by partition, and by their offsets in each.
    pub records: Vec<KafkaRecord>,
    /// Where the event is from, if that is not Kafka.
    pub(crate) other_source: Option<Box<str>>,
}

/// A record of a Kafka topic. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct KafkaRecord {
    /// The topic and the partition.
    pub(super) partition: Arc<str>,
    pub(super) fields: Arc<Fields>,
}

#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) offset: Option<i64>,
    pub(super) topic: Option<Box<str>>,
    pub(super) timestamp: Option<i64>,
    /// In base64.
    pub(super) key: Option<Box<str>>,
    /// In base64.
    pub(super) value: Option<Box<str>>,
    pub(super) headers: Option<Box<RawValue>>,
}

/// The name of a Kafka record in a reply: `{"partition": "topic-0", "offset": 7}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct KafkaIdentifier {
    /// The topic and the number of the partition, with a hyphen between them.
    #[serde(serialize_with = "text")]
    pub partition: Arc<str>,
    /// The place of the record in the partition.
    pub offset: i64,
}

fn text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

impl HasNaturalKey for KafkaRecord {
    fn natural_key(&self) -> NaturalKey {
        let offset = self.offset().map(|offset| offset.to_string());
        NaturalKey::new([Some(self.partition()), offset.as_deref()])
    }
}

impl KafkaRecord {
    /// The identifier for a reply.
    pub(crate) fn identifier(&self) -> Option<KafkaIdentifier> {
        let offset = self.fields.offset?;
        let partition = self.partition.clone();
        (!partition.is_empty()).then_some(KafkaIdentifier { partition, offset })
    }

    /// The topic and the number of the partition, with a hyphen between them.
    #[must_use]
    pub fn partition(&self) -> &str {
        &self.partition
    }

    /// The topic.
    #[must_use]
    pub fn topic(&self) -> Option<&str> {
        self.fields.topic.as_deref()
    }

    /// The place of the record in its partition.
    #[must_use]
    pub fn offset(&self) -> Option<i64> {
        self.fields.offset
    }

    /// When the record was made or came to the broker, by the topic's settings.
    #[must_use]
    pub fn timestamp(&self) -> Option<SystemTime> {
        let millis = self.fields.timestamp?.try_into().ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis))
    }

    /// The key, if the record has one.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Base64`] if it cannot be decoded.
    pub fn key(&self) -> Result<Option<Vec<u8>>, ParseError> {
        self.fields.key.as_deref().map(decode).transpose()
    }

    /// The value, as it was sent; `None` if it is null.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Base64`] if it cannot be decoded.
    pub fn value(&self) -> Result<Option<Vec<u8>>, ParseError> {
        self.fields.value.as_deref().map(decode).transpose()
    }

    /// The value of the last header of this name; `None` also if that is null.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<Vec<u8>> {
        let headers: Vec<HashMap<Cow<'_, str>, &RawValue>> =
            serde_json::from_str(self.fields.headers.as_ref()?.get()).ok()?;
        // One without a value is null.
        let value = headers.into_iter().rev().find_map(|mut header| header.remove(name))?;
        let value: Vec<i16> = serde_json::from_str(value.get()).ok()?;
        // Some bytes are written as negative numbers.
        Some(value.into_iter().map(|byte| byte as u8).collect())
    }
}

impl<'de> Deserialize<'de> for KafkaEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Event { records, other_source } = event(deserializer)?;
        let records = records.ok_or_else(|| {
            de::Error::custom("not an event of Kafka: it has no object `records`")
        })?;
        Ok(Self { records, other_source })
    }
}

/// Adds the records of a partition, by their offsets.
pub(super) fn add_partition(records: &mut Vec<KafkaRecord>, name: &str, mut fields: Vec<Fields>) {
    let partition: Arc<str> = name.into();
    fields.sort_by_key(|fields| fields.offset);
    let fields = fields.into_iter().map(Arc::new);
    records.extend(fields.map(|fields| KafkaRecord { partition: partition.clone(), fields }));
}

#[derive(Default)]
struct Event {
    records: Option<Vec<KafkaRecord>>,
    other_source: Option<Box<str>>,
}

enum EventMember {
    Records,
    Source,
}

impl Object for Event {
    type Member = EventMember;

    fn named(name: &[u8]) -> Option<EventMember> {
        match name {
            b"records" => Some(EventMember::Records),
            b"eventSource" => Some(EventMember::Source),
            _ => None,
        }
    }

    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        member: EventMember,
        value: &mut Value<'_, A>,
    ) -> Result<(), A::Error> {
        match member {
            EventMember::Records => {
                let mut all = Vec::new();
                let are_there =
                    value.lists(|name, fields| add_partition(&mut all, &name, fields))?;
                self.records = are_there.then_some(all);
            }
            EventMember::Source => self.other_source = value.unless(SOURCES)?,
        }
        Ok(())
    }
}

pub(super) enum Member {
    Offset,
    Topic,
    Timestamp,
    Key,
    Value,
    Headers,
}

impl Object for Fields {
    type Member = Member;

    fn named(name: &[u8]) -> Option<Member> {
        Some(match name {
            b"offset" => Member::Offset,
            b"topic" => Member::Topic,
            b"timestamp" => Member::Timestamp,
            b"key" => Member::Key,
            b"value" => Member::Value,
            b"headers" => Member::Headers,
            _ => return None,
        })
    }

    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        member: Member,
        value: &mut Value<'_, A>,
    ) -> Result<(), A::Error> {
        match member {
            Member::Offset => self.offset = value.integer()?,
            Member::Topic => self.topic = value.text()?,
            Member::Timestamp => self.timestamp = value.integer()?,
            Member::Key => self.key = value.text()?,
            Member::Value => self.value = value.text()?,
            Member::Headers => self.headers = value.raw()?.filter(|raw| raw.get() != "[]"),
        }
        Ok(())
    }
}
