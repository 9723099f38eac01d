use std::sync::Arc;

use serde::de::{self, DeserializeOwned, MapAccess};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::de::{Object, Read, object};
use super::error::from_json_str;
use super::{HasNaturalKey, NaturalKey, ParseError, RecordId};

pub(crate) const SOURCES: &[&str] = &["aws:docdb"];

/// The event of a change stream of DocumentDB.
///
/// Documents are kept as JSON until the handler of their change reads them.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DocumentDbEvent {
    /// The changes, in the order of the stream.
    pub records: Vec<DocumentDbRecord>,
    /// The source of the event, if that is not DocumentDB.
    pub(crate) other_source: Option<Box<str>>,
}

/// A change of a document. Cloning is cheap.
///
/// Documents are in MongoDB's Extended JSON: an ObjectId is `{"$oid": "…"}`.
#[derive(Clone, Debug)]
pub struct DocumentDbRecord {
    /// The ARN of the cluster, for the natural key.
    cluster: Option<Arc<str>>,
    change: Arc<Change>,
}

#[derive(Debug, Default)]
struct Fields {
    change: Change,
}

#[derive(Debug, Default)]
struct Change {
    id: Token,
    operation: Option<Box<str>>,
    key: Option<Box<RawValue>>,
    document: Option<Box<RawValue>>,
    update: Option<Box<RawValue>>,
    namespace: Namespace,
}

#[derive(Debug, Default)]
struct Token {
    data: Option<RecordId>,
}

#[derive(Debug, Default)]
struct Namespace {
    database: Option<Box<str>>,
    collection: Option<Box<str>>,
}

/// The cluster, the database and the collection, where the change has them, and its resume token, which is little
/// more than a time: changes of other clusters can have the same one.
impl HasNaturalKey for DocumentDbRecord {
    fn natural_key(&self) -> NaturalKey {
        let namespace = [self.database(), self.collection()].into_iter().filter(Option::is_some);
        NaturalKey::new([self.cluster.as_deref()].into_iter().chain(namespace).chain([self.id()]))
    }
}

impl DocumentDbRecord {
    /// Returns what identifies the change in messages of errors.
    pub(crate) fn record_id(&self) -> Option<&RecordId> {
        self.change.id.data.as_ref()
    }

    /// Returns the key of the document as JSON.
    pub(crate) fn raw_key(&self) -> Option<&RawValue> {
        self.change.key.as_deref()
    }

    /// Returns the resume token, which identifies the change in its stream.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.record_id().map(RecordId::as_str)
    }

    /// Returns what happened: `insert`, `update`, `replace`, `delete`, or a change of the collection such as
    /// `drop`.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        self.change.operation.as_deref()
    }

    /// Returns the name of the database.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.change.namespace.database.as_deref()
    }

    /// Returns the name of the collection.
    #[must_use]
    pub fn collection(&self) -> Option<&str> {
        self.change.namespace.collection.as_deref()
    }

    /// Reads the key of the document, such as `{"_id": {"$oid": "…"}}`, as a `T`.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Json`] if it is not of the type `T`.
    pub fn document_key<T: DeserializeOwned>(&self) -> Result<Option<T>, ParseError> {
        read(self.change.key.as_deref())
    }

    /// Reads the document after the change as a `T`, if the event has it: for an insert or a
    /// replacement, and for an update if the mapping looks documents up.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Json`] if it is not of the type `T`.
    pub fn full_document<T: DeserializeOwned>(&self) -> Result<Option<T>, ParseError> {
        read(self.change.document.as_deref())
    }

    /// Reads what an update changed as a `T`: `updatedFields` and `removedFields`.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Json`] if it is not of the type `T`.
    pub fn update_description<T: DeserializeOwned>(&self) -> Result<Option<T>, ParseError> {
        read(self.change.update.as_deref())
    }
}

fn read<T: DeserializeOwned>(json: Option<&RawValue>) -> Result<Option<T>, ParseError> {
    json.map(|json| from_json_str(json.get())).transpose()
}

impl<'de> Deserialize<'de> for DocumentDbEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Event { records, cluster, other_source } = object(deserializer)?;
        let records = records.ok_or_else(|| {
            de::Error::custom("not an event of DocumentDB: it has no list `events`")
        })?;
        let of_cluster = |change| DocumentDbRecord { cluster: cluster.clone(), change };
        Ok(Self { records: records.into_iter().map(of_cluster).collect(), other_source })
    }
}

impl From<Fields> for Arc<Change> {
    fn from(fields: Fields) -> Self {
        Self::new(fields.change)
    }
}

#[derive(Default)]
struct Event {
    records: Option<Vec<Arc<Change>>>,
    cluster: Option<Arc<str>>,
    other_source: Option<Box<str>>,
}

impl Object for Event {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"events" => |it, value| value.records::<Fields, _>(&mut it.records),
            b"eventSourceArn" => |it, value| value.text(&mut it.cluster),
            b"eventSource" => |it, value| value.unless(SOURCES, &mut it.other_source),
            _ => return None,
        };
        Some(read)
    }
}

impl Object for Fields {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        match name {
            b"event" => Some(|it, value| value.object(&mut it.change)),
            _ => None,
        }
    }
}

impl Object for Change {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"_id" => |it, value| value.object(&mut it.id),
            b"operationType" => |it, value| value.text(&mut it.operation),
            b"documentKey" => |it, value| value.raw("{}", &mut it.key),
            b"fullDocument" => |it, value| value.raw("", &mut it.document),
            b"updateDescription" => |it, value| value.raw("", &mut it.update),
            b"ns" => |it, value| value.object(&mut it.namespace),
            _ => return None,
        };
        Some(read)
    }
}

impl Object for Token {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        match name {
            b"_data" => Some(|it, value| value.text(&mut it.data)),
            _ => None,
        }
    }
}

impl Object for Namespace {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"db" => |it, value| value.text(&mut it.database),
            b"coll" => |it, value| value.text(&mut it.collection),
            _ => return None,
        };
        Some(read)
    }
}
