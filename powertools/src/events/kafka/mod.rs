#[cfg(feature = "avro")]
mod avro;
mod data;
mod part;
#[cfg(feature = "protobuf")]
mod proto;
mod schemas;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::de::{self, MapAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use self::part::{Part, Reserve, framing};
use self::schemas::Resolved;
use super::de::{Object, Read, object_or_records};
use super::decode::decode;
use super::{HasNaturalKey, NaturalKey, ParseError};

#[cfg(feature = "avro")]
pub use self::avro::Avro;
pub use self::data::{Json, KafkaData};
pub(crate) use self::part::Need;
pub use self::part::SchemaId;
#[cfg(feature = "protobuf")]
pub use self::proto::{ANY_MESSAGE, Proto};
pub use self::schemas::{NoSource, SchemaSource, Schemas};

/// MSK, and self-managed Kafka.
pub(crate) const SOURCES: &[&str] = &["aws:kafka", "SelfManagedKafka", "aws:SelfManagedKafka"];

/// The headers in which producers of Confluent can identify schemas.
const KEY_SCHEMA: &str = "__key_schema_id";
const VALUE_SCHEMA: &str = "__value_schema_id";

/// The length of the longest id in front of data, in base64.
const FRAME: usize = 24;

/// The event of a Kafka topic, on MSK or self-managed.
///
/// Values are kept in base64 until the handler of their record starts.
///
/// The list of records that EventBridge Pipes sends is one too. A pipe reads no partial response of a topic, so
/// its batches fail as a whole.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KafkaEvent {
    /// The records: partition by partition, and by their offsets in each.
    pub records: Vec<KafkaRecord>,
    /// The source of the event, if that is not Kafka.
    pub(crate) other_source: Option<Box<str>>,
    /// EventBridge Pipes sent it.
    pub(crate) is_piped: bool,
}

/// A record of a Kafka topic. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct KafkaRecord {
    place: Arc<Place>,
    fields: Arc<Fields>,
    /// The schemas of the event's records, once they are resolved.
    schemas: Option<Arc<Resolved>>,
}

/// What the records of a partition share.
#[derive(Debug)]
struct Place {
    /// The topic and the partition.
    partition: Arc<str>,
    /// The ARN of the cluster or its servers, for the natural key. A record with inexact times has none.
    cluster: Option<Arc<str>>,
}

#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) offset: Option<i64>,
    pub(super) topic: Option<Arc<str>>,
    pub(super) timestamp: Option<i64>,
    /// In base64.
    pub(super) key: Option<Box<str>>,
    /// In base64.
    pub(super) value: Option<Box<str>>,
    pub(super) headers: Option<Box<RawValue>>,
    /// What the event source mapping knows about the schema of the key.
    pub(super) key_schema: Option<Box<RawValue>>,
    pub(super) value_schema: Option<Box<RawValue>>,
}

/// What identifies a Kafka record in a reply: `{"partition": "topic-0", "offset": 7}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct KafkaIdentifier {
    /// The topic and the number of the partition, with a hyphen between them.
    #[serde(serialize_with = "text")]
    pub partition: Arc<str>,
    /// The position of the record in the partition.
    pub offset: i64,
}

fn text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

/// The cluster, the topic and partition, the offset and the timestamp.
///
/// The cluster is the ARN of the event source, or the bootstrap servers where Kafka is self-managed:
/// another list of servers in the event source mapping is another cluster. The timestamp distinguishes the
/// records of a topic that was deleted and created again from those of the first one, whose offsets
/// start at 0 too. A record that is converted from `aws_lambda_events` has no natural key, since the
/// times of that crate are inexact.
impl HasNaturalKey for KafkaRecord {
    fn natural_key(&self) -> NaturalKey {
        let [offset, timestamp] = [self.fields.offset, self.fields.timestamp]
            .map(|number| number.map(|number| number.to_string()));
        NaturalKey::new([
            self.place.cluster.as_deref(),
            Some(self.partition()),
            offset.as_deref(),
            timestamp.as_deref(),
        ])
    }
}

impl KafkaRecord {
    /// Returns the identifier for a reply.
    pub(crate) fn identifier(&self) -> Option<KafkaIdentifier> {
        let offset = self.fields.offset?;
        let partition = self.place.partition.clone();
        (!partition.is_empty()).then_some(KafkaIdentifier { partition, offset })
    }

    /// Returns the topic and the number of the partition, with a hyphen between them.
    #[must_use]
    pub fn partition(&self) -> &str {
        &self.place.partition
    }

    /// Returns the topic.
    #[must_use]
    pub fn topic(&self) -> Option<&str> {
        self.fields.topic.as_deref()
    }

    /// Returns the position of the record in its partition.
    #[must_use]
    pub fn offset(&self) -> Option<i64> {
        self.fields.offset
    }

    /// Returns when the record was created or reached the broker, depending on the topic's settings, to
    /// the millisecond.
    #[must_use]
    pub fn timestamp(&self) -> Option<SystemTime> {
        let millis = self.fields.timestamp?.try_into().ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis))
    }

    /// Returns the key, decoded from base64, if the record has one.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Base64`] if it is invalid base64.
    pub fn key(&self) -> Result<Option<Vec<u8>>, ParseError> {
        self.fields.key.as_deref().map(decode).transpose()
    }

    /// Returns the value as it was sent, or `None` if it is null.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Base64`] if it is invalid base64.
    pub fn value(&self) -> Result<Option<Vec<u8>>, ParseError> {
        self.fields.value.as_deref().map(decode).transpose()
    }

    /// Returns the key as a `T`, if the record has one: see [`KafkaData`].
    ///
    /// # Errors
    ///
    /// Returns [`ParseError`] if it is not of this type, or is invalid base64.
    pub fn key_as<T: KafkaData>(&self) -> Result<Option<T>, ParseError> {
        self.read_key(&mut |_| Ok(()))
    }

    /// Returns the value as a `T`, or `None` if it is null, as that of a tombstone.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError`] if it is not of this type, or is invalid base64.
    pub fn value_as<T: KafkaData>(&self) -> Result<Option<T>, ParseError> {
        self.read_value(&mut |_| Ok(()))
    }

    pub(crate) fn read_key<T: KafkaData>(
        &self,
        reserve: Reserve<'_>,
    ) -> Result<Option<T>, ParseError> {
        self.read(self.key()?, self.fields.key_schema.as_deref(), KEY_SCHEMA, reserve)
    }

    pub(crate) fn read_value<T: KafkaData>(
        &self,
        reserve: Reserve<'_>,
    ) -> Result<Option<T>, ParseError> {
        self.read(self.value()?, self.fields.value_schema.as_deref(), VALUE_SCHEMA, reserve)
    }

    /// Reads a key or a value, whose schema a header of this name may identify.
    fn read<T: KafkaData>(
        &self,
        bytes: Option<Vec<u8>>,
        metadata: Option<&RawValue>,
        header: &str,
        reserve: Reserve<'_>,
    ) -> Result<Option<T>, ParseError> {
        let Some(bytes) = bytes else { return Ok(None) };
        let (header, schemas) = (self.header(header), self.schemas.as_deref());
        T::read(Part { bytes, metadata, header, schemas }, reserve).map(Some)
    }

    /// Returns the ids of the schemas of the value and the key; those in front of keys if `has_keys`.
    fn schema_ids(&self, has_keys: bool) -> impl Iterator<Item = SchemaId> {
        let Fields { key, value, key_schema, value_schema, .. } = &*self.fields;
        let key = (key, key_schema, KEY_SCHEMA, has_keys);
        let value = (value, value_schema, VALUE_SCHEMA, true);
        [value, key].into_iter().filter_map(|(data, metadata, header, in_front)| {
            let start = data.as_deref().filter(|_| in_front).unwrap_or_default();
            let start = decode(start.get(..FRAME).unwrap_or(start)).unwrap_or_default();
            framing(metadata.as_deref(), self.header(header).as_deref(), &start).id
        })
    }

    /// Returns the value of the last header of this name. A header without a value counts as absent.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<Vec<u8>> {
        let headers: Vec<HashMap<Cow<'_, str>, &RawValue>> =
            serde_json::from_str(self.fields.headers.as_ref()?.get()).ok()?;
        let value = headers.into_iter().rev().find_map(|mut header| header.remove(name))?;
        let value: Vec<i16> = serde_json::from_str(value.get()).ok()?;
        // Bytes from 128 are written as negative numbers.
        Some(value.into_iter().map(|byte| byte as u8).collect())
    }
}

impl<'de> Deserialize<'de> for KafkaEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (event, piped) = object_or_records::<Event, Flat, Flat, D>(deserializer)?;
        if let Some(piped) = piped {
            return Ok(from_pipe(piped));
        }
        let Event { partitions, arn, servers, other_source } = event;
        let partitions = partitions.ok_or_else(|| {
            de::Error::custom("not an event of Kafka: it has no object `records`")
        })?;
        let cluster = cluster(arn, servers);
        let mut records = Vec::new();
        for (name, fields) in partitions {
            add_partition(&mut records, &name, cluster.as_ref(), fields);
        }
        Ok(Self { records, other_source, is_piped: false })
    }
}

/// Returns the cluster for the natural key.
fn cluster(arn: Option<Arc<str>>, servers: Option<Arc<str>>) -> Option<Arc<str>> {
    let is_named = |name: &Arc<str>| !name.is_empty();
    arn.filter(is_named).or(servers.filter(is_named))
}

/// Reads the records that EventBridge Pipes sends, whose partitions come in the order of their first ones.
fn from_pipe(piped: Vec<Flat>) -> KafkaEvent {
    let mut places = HashMap::new();
    let mut partitions: Vec<(Option<Arc<str>>, Partition)> = Vec::new();
    let mut other = None;
    for Flat { fields, partition, place, arn, servers, other_source } in piped {
        other = other.or(other_source);
        let name = match (&fields.topic, partition) {
            (Some(topic), Some(partition)) => format!("{topic}-{partition}"),
            // The samples of the guide have the number as a string. Without a name there is no identifier, which
            // a batch refuses.
            _ => place.unwrap_or_default().into(),
        };
        let place = *places.entry(name).or_insert_with_key(|name| {
            partitions.push((cluster(arn, servers), (name.as_str().into(), Vec::new())));
            partitions.len() - 1
        });
        partitions[place].1.1.push(Arc::new(fields));
    }
    let mut records = Vec::new();
    for (cluster, (name, fields)) in partitions {
        add_partition(&mut records, &name, cluster.as_ref(), fields);
    }
    KafkaEvent { records, other_source: other, is_piped: true }
}

/// Adds the records of a partition, by their offsets.
pub(super) fn add_partition(
    records: &mut Vec<KafkaRecord>,
    name: &str,
    cluster: Option<&Arc<str>>,
    mut fields: Vec<Arc<Fields>>,
) {
    let place = Arc::new(Place { partition: name.into(), cluster: cluster.cloned() });
    fields.sort_by_key(|fields| fields.offset);
    records.extend(fields.into_iter().map(|fields| KafkaRecord {
        place: place.clone(),
        fields,
        schemas: None,
    }));
}

/// A partition and its records.
type Partition = (Box<str>, Vec<Arc<Fields>>);

#[derive(Default)]
struct Event {
    partitions: Option<Vec<Partition>>,
    arn: Option<Arc<str>>,
    servers: Option<Arc<str>>,
    other_source: Option<Box<str>>,
}

/// A record as EventBridge Pipes sends it.
#[derive(Default)]
struct Flat {
    fields: Fields,
    partition: Option<i64>,
    /// The topic and the partition, as in a reply.
    place: Option<Box<str>>,
    arn: Option<Arc<str>>,
    servers: Option<Arc<str>>,
    other_source: Option<Box<str>>,
}

impl Object for Event {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"records" => |it, value| value.lists::<Fields, _>(&mut it.partitions),
            b"eventSourceArn" => |it, value| value.text(&mut it.arn),
            b"bootstrapServers" => |it, value| value.text(&mut it.servers),
            b"eventSource" => |it, value| value.unless(SOURCES, &mut it.other_source),
            _ => return None,
        };
        Some(read)
    }
}

impl Object for Flat {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"partition" => |it, value| value.integer(&mut it.partition),
            b"eventSourceKey" => |it, value| value.text(&mut it.place),
            b"eventSourceArn" => |it, value| value.text(&mut it.arn),
            b"bootstrapServers" => |it, value| value.text(&mut it.servers),
            b"eventSource" => |it, value| value.unless(SOURCES, &mut it.other_source),
            _ => return field(name),
        };
        Some(read)
    }
}

impl Object for Fields {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        field(name)
    }
}

/// Returns how a member is read that a record has in both shapes.
fn field<'de, T: AsMut<Fields>, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, T, A>> {
    let read: Read<'de, T, A> = match name {
        b"offset" => |it, value| value.integer(&mut it.as_mut().offset),
        b"topic" => |it, value| value.shared(&mut it.as_mut().topic),
        b"timestamp" => |it, value| value.integer(&mut it.as_mut().timestamp),
        b"key" => |it, value| value.encoded(&mut it.as_mut().key),
        b"value" => |it, value| value.encoded(&mut it.as_mut().value),
        b"headers" => |it, value| value.raw("[]", &mut it.as_mut().headers),
        b"keySchemaMetadata" => |it, value| value.raw("{}", &mut it.as_mut().key_schema),
        b"valueSchemaMetadata" => |it, value| value.raw("{}", &mut it.as_mut().value_schema),
        _ => return None,
    };
    Some(read)
}

impl AsMut<Fields> for Fields {
    fn as_mut(&mut self) -> &mut Fields {
        self
    }
}

impl AsMut<Fields> for Flat {
    fn as_mut(&mut self) -> &mut Fields {
        &mut self.fields
    }
}
