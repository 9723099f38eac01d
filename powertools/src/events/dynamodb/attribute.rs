//! How the attributes of an item are read.
//!
//! As `serde_dynamo` does, but for numbers: DynamoDB keeps 38 digits of them, and that crate rounds
//! what is read as a value of any type.

use std::str::FromStr;

use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use serde_dynamo::{AttributeValue, Error};

use crate::json::Name;
use crate::json::decimal::is_exact;

/// An attribute as a deserialiser.
///
/// A number is read as any integer type up to 128 bits, as a string with all of its digits, or as a
/// float, which is rounded. A type that takes any value, such as `serde_json::Value`, gets a number
/// only if that is exact.
pub(super) struct Attribute(pub(super) AttributeValue);

impl Attribute {
    fn unexpected<'de, V: Visitor<'de>>(&self, visitor: &V) -> Error {
        let found = match &self.0 {
            AttributeValue::N(_) => Unexpected::Other("a number"),
            AttributeValue::S(text) => Unexpected::Str(text),
            AttributeValue::Bool(bool) => Unexpected::Bool(*bool),
            AttributeValue::B(bytes) => Unexpected::Bytes(bytes),
            AttributeValue::Null(_) => Unexpected::Unit,
            AttributeValue::M(_) => Unexpected::Map,
            _ => Unexpected::Seq,
        };
        Error::invalid_type(found, visitor)
    }
}

fn parse<T: FromStr>(number: &str) -> Result<T, Error> {
    number.parse().map_err(|_| {
        let kind = std::any::type_name::<T>();
        Error::custom(format_args!("the number does not fit the type {kind}"))
    })
}

/// Reads a number for a type that takes any value.
fn any_number<'de, V: Visitor<'de>>(number: &str, visitor: V) -> Result<V::Value, Error> {
    if let Ok(integer) = number.parse::<i64>() {
        return visitor.visit_i64(integer);
    }
    if let Ok(integer) = number.parse::<u64>() {
        return visitor.visit_u64(integer);
    }
    let float = parse(number)?;
    if !is_exact(number, float) {
        return Err(Error::custom(
            "the number has more digits than a float: read it as a string or as a u128",
        ));
    }
    visitor.visit_f64(float)
}

macro_rules! numbers {
    ($($method:ident => $visit:ident,)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
                match &self.0 {
                    AttributeValue::N(number) => visitor.$visit(parse(number)?),
                    _ => Err(self.unexpected(&visitor)),
                }
            }
        )*
    };
}

impl<'de> Deserializer<'de> for Attribute {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let each = |set: Vec<String>, kind: fn(String) -> AttributeValue| {
            set.into_iter().map(move |value| Attribute(kind(value)))
        };
        match self.0 {
            AttributeValue::N(number) => any_number(&number, visitor),
            AttributeValue::S(text) => visitor.visit_string(text),
            AttributeValue::Bool(bool) => visitor.visit_bool(bool),
            AttributeValue::B(bytes) => visitor.visit_byte_buf(bytes),
            AttributeValue::Null(_) => visitor.visit_unit(),
            AttributeValue::M(map) => {
                let entries =
                    map.into_iter().map(|(name, value)| (Name::new(name), Attribute(value)));
                visitor.visit_map(MapDeserializer::new(entries))
            }
            AttributeValue::L(list) => {
                visitor.visit_seq(SeqDeserializer::new(list.into_iter().map(Attribute)))
            }
            AttributeValue::Ss(set) => {
                visitor.visit_seq(SeqDeserializer::new(each(set, AttributeValue::S)))
            }
            AttributeValue::Ns(set) => {
                visitor.visit_seq(SeqDeserializer::new(each(set, AttributeValue::N)))
            }
            AttributeValue::Bs(set) => {
                let set = set.into_iter().map(|bytes| Attribute(AttributeValue::B(bytes)));
                visitor.visit_seq(SeqDeserializer::new(set))
            }
        }
    }

    numbers! {
        deserialize_i8 => visit_i8,
        deserialize_i16 => visit_i16,
        deserialize_i32 => visit_i32,
        deserialize_i64 => visit_i64,
        deserialize_i128 => visit_i128,
        deserialize_u8 => visit_u8,
        deserialize_u16 => visit_u16,
        deserialize_u32 => visit_u32,
        deserialize_u64 => visit_u64,
        deserialize_u128 => visit_u128,
        deserialize_f32 => visit_f32,
        deserialize_f64 => visit_f64,
    }

    /// A number is read with all of its digits.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            AttributeValue::S(text) | AttributeValue::N(text) => visitor.visit_string(text),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            AttributeValue::Null(true) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            AttributeValue::S(name) => visitor.visit_enum(name.into_deserializer()),
            AttributeValue::M(map) if map.len() == 1 => {
                let entry =
                    map.into_iter().map(|(name, value)| (Name::new(name), Attribute(value)));
                visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(entry)))
            }
            _ => Err(self.unexpected(&visitor)),
        }
    }

    /// A number that is not read may have any number of digits.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool char bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
    }
}

impl IntoDeserializer<'_, Error> for Attribute {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
