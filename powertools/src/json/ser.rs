use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use super::{Json, Number};

/// The struct that `serde_json` takes for text to be copied as it is.
pub(crate) const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// The struct that `serde_json::Number` becomes when a program turns on `arbitrary_precision`.
pub(crate) const NUMBER: &str = "$serde_json::private::Number";

/// Marks a float that stood in a document with this very text. To other serializers it is the
/// float; the codecs need to tell it from one whose text was lost.
pub(crate) const FLOAT: &str = "$powertools::private::Float";

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

/// Without loss: as a number of Rust where one has this very text, else as raw JSON.
impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.as_str();
        if !self.is_integer() {
            let float = self.to_f64();
            if serde_json::to_string(&float).is_ok_and(|its_text| its_text == text) {
                return serializer.serialize_newtype_struct(FLOAT, &float);
            }
        } else if text == "-0" {
            // Integers have no negative zero.
        } else if let Ok(integer) = text.parse() {
            return serializer.serialize_i64(integer);
        } else if let Ok(integer) = text.parse() {
            return serializer.serialize_u64(integer);
        } else if let Ok(integer) = text.parse() {
            return serializer.serialize_i128(integer);
        } else if let Ok(integer) = text.parse() {
            return serializer.serialize_u128(integer);
        }
        let mut raw = serializer.serialize_struct(RAW_VALUE, 1)?;
        raw.serialize_field(RAW_VALUE, text)?;
        raw.end()
    }
}
