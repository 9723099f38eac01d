//! JSON that is kept as it is written, and what is read of it later.

use std::borrow::Cow;
use std::fmt;
use std::iter;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Borrowed;
use super::shape::{As, OtherText, Shape};
use crate::json::RAW_VALUE;

/// Keeps a value as JSON, unless it is null or this, which is an empty one.
///
/// `RawValue` itself asks `serde_json` for the JSON, and fails with any other deserialiser, such as
/// that of an untagged enum. From those the value is read and written as JSON.
pub(super) struct Raw<'a>(pub(super) &'a str);

impl<'de> DeserializeSeed<'de> for Raw<'_> {
    type Value = Option<Box<RawValue>>;

    /// Requests an object of one member, which has this name and the JSON: `serde_json` knows the name.
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_newtype_struct(RAW_VALUE, self)
    }
}

impl<'de> Visitor<'de> for Raw<'_> {
    type Value = Option<Box<RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        match map.next_key_seed(As(OtherText(&[RAW_VALUE])))? {
            Some(None) => map.next_value_seed(Kept(self.0)),
            Some(Some(_)) | None => Err(de::Error::custom("invalid raw value")),
        }
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        Kept(self.0).visit_str(&serde_json::Value::deserialize(deserializer)?.to_string())
    }
}

/// The JSON of a value, as a string.
struct Kept<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Kept<'_> {
    type Value = Option<Box<RawValue>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Kept<'_> {
    type Value = Option<Box<RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E: de::Error>(self, json: &str) -> Result<Self::Value, E> {
        // Most messages have no attributes, and an allocation for these would be in vain.
        if json == "null" || json == self.0 {
            return Ok(None);
        }
        let object = MapDeserializer::new(iter::once((RAW_VALUE, json)));
        Box::<RawValue>::deserialize(object).map(Some)
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
