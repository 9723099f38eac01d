//! JSON that is kept as it is written, and what is read of it later.

use std::borrow::Cow;
use std::fmt;
use std::iter;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::value::RawValue;

use super::Borrowed;
use super::shape::{As, Shape};

/// Keeps a value as JSON.
///
/// `RawValue` itself asks `serde_json` for the JSON, and fails with any other deserialiser, such as
/// that of an untagged enum. From those the value is read and written as JSON.
pub(super) struct Raw;

impl<'de> DeserializeSeed<'de> for Raw {
    type Value = Box<RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Box::<RawValue>::deserialize(FromAny(deserializer))
    }
}

/// A deserialiser from which `RawValue` can be read.
struct FromAny<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for FromAny<D> {
    type Error = D::Error;

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, Request { name, visitor })
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// What `RawValue` asks for: an object of one member, which has this name and the JSON.
struct Request<V> {
    name: &'static str,
    visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Request<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    /// `serde_json` knows the name.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(map)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<V::Value, D::Error> {
        let json = serde_json::Value::deserialize(deserializer)?.to_string();
        self.visitor.visit_map(MapDeserializer::new(iter::once((self.name, json))))
    }
}

/// Returns the string value of the member `name` of an object that was kept as JSON.
pub(in crate::events) fn text_in<'a>(object: &'a RawValue, name: &str) -> Option<Cow<'a, str>> {
    find(object, name, As(Borrowed)).ok()?.flatten()
}

/// Returns the member `name` of an object that was kept as JSON.
pub(in crate::events) fn member_in<'a, T: Deserialize<'a>>(
    object: &'a RawValue,
    name: &str,
) -> Option<T> {
    find(object, name, PhantomData::<T>).ok()?
}

fn find<'a, V: DeserializeSeed<'a>>(
    object: &'a RawValue,
    name: &str,
    value: V,
) -> Result<Option<V::Value>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(object.get());
    As(Find { name, value }).deserialize(&mut deserializer)
}

struct Find<'n, V> {
    name: &'n str,
    value: V,
}

impl<'de, V: DeserializeSeed<'de>> Shape<'de> for Find<'_, V> {
    type Value = Option<V::Value>;

    fn nothing(self) -> Self::Value {
        None
    }

    fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while let Some(name) = map.next_key_seed(As(Borrowed))? {
            if name.as_deref() == Some(self.name) {
                let value = map.next_value_seed(self.value)?;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(Some(value));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(None)
    }
}
