//! Values as JSON text.

mod compound;
mod document;
mod member;
mod members;
mod name;
mod serializer;
mod writer;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

pub(crate) use self::name::AsName;
pub(crate) use self::writer::{Form, WriteError, Written, append, to_text};
use super::Json;

/// The struct whose content `serde_json` copies as raw JSON.
pub(crate) const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// The struct that `serde_json::Number` becomes when a program turns on `arbitrary_precision`.
pub(crate) const NUMBER: &str = "$serde_json::private::Number";

/// Marks a float whose text in the document was the one that Rust writes. Other serializers see
/// the float; the keys of other toolkits need to distinguish it from one whose digits were lost.
pub(super) const FLOAT: &str = "$powertools::private::Float";

/// Marks an identifier that an event does not have. Other serializers see null; a key with it
/// anywhere is absent.
pub(crate) const ABSENT: &str = "$powertools::private::Absent";

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}
