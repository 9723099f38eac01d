use serde::de::{Deserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Error;

use crate::json::Json;

/// A flag in the format of AppConfig's own flags, as it is retrieved: `enabled` and the attributes.
///
/// It is read as a `bool`, as an `Option` of its attributes that is `None` while it is disabled, or as
/// an object that includes `enabled`.
#[derive(Debug)]
pub(super) struct Native {
    pub(super) is_enabled: Json,
    pub(super) object: Json,
}

impl Native {
    pub(super) fn is_enabled(&self) -> bool {
        self.is_enabled.as_bool().unwrap_or_default()
    }
}

impl<'de> Deserializer<'de> for &'de Native {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.object.deserialize_any(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.is_enabled.deserialize_bool(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_enabled() { visitor.visit_some(self) } else { visitor.visit_none() }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name.starts_with('$') {
            // `serde_json`'s own, which it looks for in the document.
            return self.object.deserialize_newtype_struct(name, visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
