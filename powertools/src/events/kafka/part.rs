//! The key or the value of a record: its bytes, and how they name the schema of their writer.

use std::fmt;

use serde_json::value::RawValue;

use super::schemas::Resolved;
use crate::events::ParseError;
use crate::events::compression::largest;
use crate::events::de::text_in;
use crate::hex::hex;

/// What identifies the schema with which a key or value was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SchemaId {
    /// The number of a schema in a schema registry of Confluent.
    Number(u32),
    /// The UUID of a schema's version in Glue, or of a schema in a registry of Confluent that
    /// identifies it in a header of the record. In lower case, with hyphens.
    Uuid(String),
}

impl SchemaId {
    /// Reads the id as an event source mapping with a schema registry writes it.
    fn from_mapping(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Uuid(text.to_ascii_lowercase()), Self::Number)
    }

    fn from_uuid(bytes: &[u8]) -> Self {
        let [a, b, c, d, e] = [0..4, 4..6, 6..8, 8..10, 10..16].map(|range| hex(&bytes[range]));
        Self::Uuid(format!("{a}-{b}-{c}-{d}-{e}"))
    }
}

impl From<u32> for SchemaId {
    fn from(number: u32) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for SchemaId {
    /// A number or a UUID.
    fn from(text: &str) -> Self {
        Self::from_mapping(text)
    }
}

impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Uuid(uuid) => f.write_str(uuid),
        }
    }
}

/// Where the numbers are that choose a message of a Protobuf schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Indexes<'a> {
    /// Nowhere.
    Absent,
    /// In front of the data, as Confluent writes them.
    Confluent,
    /// In front of the data, as Glue writes it.
    Glue,
    /// In a header of the record, as Confluent writes them.
    Header(&'a [u8]),
}

/// The key or the value of a record.
#[derive(Debug)]
pub struct Part<'a> {
    pub(super) bytes: Vec<u8>,
    /// What the event source mapping knows about the schema.
    pub(super) metadata: Option<&'a RawValue>,
    /// The header of Confluent that identifies the schema.
    pub(super) header: Option<Vec<u8>>,
    pub(super) schemas: Option<&'a Resolved>,
}

/// How a part names the schema of its writer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Framing<'a> {
    pub(super) id: Option<SchemaId>,
    /// How many bytes are in front of the data.
    pub(super) length: usize,
    pub(super) is_compressed: bool,
    pub(super) indexes: Indexes<'a>,
}

/// Memory that reading a part may take.
#[derive(Debug)]
pub enum Need<'a> {
    /// For this JSON.
    Json(&'a [u8]),
    /// For so many values of data of so many bytes.
    Values {
        /// The size of the data in bytes.
        bytes: usize,
        /// The number of the values.
        count: usize,
    },
}

/// Reserves memory before a part is parsed.
pub(super) type Reserve<'a> = &'a mut dyn FnMut(Need<'_>) -> Result<(), ParseError>;

impl Part<'_> {
    /// Returns the bytes as they were delivered.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Returns an error if the mapping delivers another format than `expected`.
    pub(super) fn expect(&self, expected: &'static str) -> Result<(), ParseError> {
        let found = self.metadata.and_then(|metadata| text_in(metadata, "dataFormat"));
        match found.filter(|found| !found.eq_ignore_ascii_case(expected)) {
            None => Ok(()),
            Some(found) => Err(ParseError::FormatUnexpected { expected, found: found.into() }),
        }
    }

    pub(super) fn framing(&self) -> Framing<'_> {
        framing(self.metadata, self.header.as_deref(), &self.bytes)
    }

    /// Returns the data without what is in front of it.
    pub(super) fn data(&self, framing: &Framing<'_>) -> Result<Vec<u8>, ParseError> {
        let data = &self.bytes[framing.length..];
        if framing.is_compressed {
            return crate::events::compression::zlib(data, largest());
        }
        Ok(data.to_vec())
    }
}

/// Returns how the schema is named: by the event source mapping, which then removed it from the data;
/// by a header of the record; or in front of the data.
///
/// Confluent writes a zero and a number of four bytes, or a one and a GUID; see "Wire format" in the
/// documentation of its schema registry. Glue writes a three, a byte for the compression (zero, or five
/// for zlib) and a UUID; see `AWSSchemaRegistryConstants` of its library for Java.
pub(super) fn framing<'a>(
    metadata: Option<&RawValue>,
    header: Option<&'a [u8]>,
    bytes: &[u8],
) -> Framing<'a> {
    let framing =
        |id, length, is_compressed, indexes| Framing { id, length, is_compressed, indexes };
    let id = metadata.and_then(|metadata| text_in(metadata, "schemaId"));
    if let Some(id) = id.filter(|id| !id.is_empty()) {
        let id = SchemaId::from_mapping(&id);
        let indexes = match id {
            SchemaId::Number(_) => Indexes::Confluent,
            SchemaId::Uuid(_) => Indexes::Glue,
        };
        return framing(Some(id), 0, false, indexes);
    }
    if let Some((id, length)) = header.and_then(confluent) {
        let indexes = header.map_or(&[][..], |header| &header[length..]);
        let indexes = if indexes.is_empty() { Indexes::Absent } else { Indexes::Header(indexes) };
        return framing(Some(id), 0, false, indexes);
    }
    if let Some((id, length)) = confluent(bytes) {
        return framing(Some(id), length, false, Indexes::Confluent);
    }
    match bytes {
        [3, compression @ (0 | 5), rest @ ..] if rest.len() >= 16 => {
            let id = SchemaId::from_uuid(&rest[..16]);
            framing(Some(id), 18, *compression == 5, Indexes::Glue)
        }
        _ => framing(None, 0, false, Indexes::Absent),
    }
}

/// Returns the id that Confluent wrote at the start, and its length in bytes.
fn confluent(bytes: &[u8]) -> Option<(SchemaId, usize)> {
    match bytes {
        [0, a, b, c, d, ..] => Some((u32::from_be_bytes([*a, *b, *c, *d]).into(), 5)),
        [1, rest @ ..] if rest.len() >= 16 => Some((SchemaId::from_uuid(&rest[..16]), 17)),
        _ => None,
    }
}
