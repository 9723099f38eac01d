mod name;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    self, DeserializeOwned, EnumAccess, Error as _, IntoDeserializer, Unexpected, VariantAccess,
    Visitor,
};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use serde_json::Error;
use serde_json::value::RawValue;

use super::ser::RAW_VALUE;
use super::{Json, without_values};

pub(crate) use self::name::Name;

/// From the document's own text, so only where `serde_json` reads it: not inside of
/// `#[serde(flatten)]` or an untagged enum, where numbers have lost their text.
impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        text.get().parse().map_err(D::Error::custom)
    }
}

/// Reads a value from JSON text. An error does not quote it.
///
/// Every float comes back as the one that was written. `serde_json` reads some of those with many
/// digits or an exponent as a neighbour of it, so these take the longer way through a tree. JavaScript
/// also writes them as integers.
pub(crate) fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    if may_have_a_hard_float(text)
        && let Ok(tree) = text.parse()
    {
        return from_tree(&tree);
    }
    serde_json::from_str(text).map_err(without_values)
}

/// Reads a value from a tree. An error does not quote it.
pub(crate) fn from_tree<T: DeserializeOwned>(tree: &Json) -> Result<T, Error> {
    T::deserialize(tree).map_err(without_values)
}

/// Whether a digit comes before a point or an `e`, as in every float. Without an early end, since
/// that is compiled to instructions for many bytes at once.
fn may_have_a_float(text: &str) -> bool {
    let bytes = text.as_bytes();
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    pairs.fold(false, |found, (digit, next)| {
        found | (digit.is_ascii_digit() & ((*next == b'.') | (next | 0x20 == b'e')))
    })
}

/// Whether there are ten digits without a break, as in every integer of twenty. Only every tenth place is looked at.
fn may_have_a_long_integer(text: &str) -> bool {
    text.as_bytes().chunks_exact(10).any(|part| part.iter().all(u8::is_ascii_digit))
}

/// Whether a float has an exponent, or so many digits that they may be more than 2^53; or an integer so many that it
/// is read as a float.
fn may_have_a_hard_float(text: &str) -> bool {
    if !may_have_a_float(text) && !may_have_a_long_integer(text) {
        return false;
    }
    // Every second part between quotes is outside of strings, if no quote is escaped.
    let step = if text.contains('\\') { 1 } else { 2 };
    text.split('"').step_by(step).any(|part| part.split([',', ':', ']', '}']).any(is_hard_float))
}

fn is_hard_float(number: &str) -> bool {
    let has_exponent = || number.contains(['e', 'E']);
    let has_many_digits = || match number.contains('.') {
        true => number.len() > 15,
        // Up to here, it fits into 64 bits.
        false => number.trim_ascii().len() > 19,
    };
    number.contains(|char: char| char.is_ascii_digit()) && (has_exponent() || has_many_digits())
}

impl<'de> Deserializer<'de> for &'de Json {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(*value),
            Json::Number(number) => number.visit(visitor),
            Json::String(text) => visitor.visit_borrowed_str(text),
            Json::Array(items) => {
                let mut items = SeqDeserializer::new(items.iter());
                let value = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(value)
            }
            Json::Object(members) => {
                let members = members.iter().map(|(name, value)| (Name::new(name.as_str()), value));
                let mut members = MapDeserializer::new(members);
                let value = visitor.visit_map(&mut members)?;
                members.end()?;
                Ok(value)
            }
        }
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.as_number().map(|number| number.as_str().parse()) {
            Some(Ok(integer)) => visitor.visit_i128(integer),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.as_number().map(|number| number.as_str().parse()) {
            Some(Ok(integer)) => visitor.visit_u128(integer),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Json::String(text) => visitor.visit_bytes(text.as_bytes()),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Json::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == RAW_VALUE {
            let text = [(RAW_VALUE, self.to_string())];
            return visitor.visit_map(MapDeserializer::new(text.into_iter()));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Json::String(variant) => visitor.visit_enum(Variant { variant, data: &Json::Null }),
            Json::Object(members) => match members.as_slice() {
                [(variant, data)] => visitor.visit_enum(Variant { variant, data }),
                _ => Err(Error::custom("expected a map with one member, the variant")),
            },
            _ => Err(Error::custom("expected the name of a variant, or a map with one member")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for &'de Json {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A variant of an enum, and the data that it has.
struct Variant<'de> {
    variant: &'de str,
    data: &'de Json,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: de::DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        Ok((seed.deserialize(self.variant.into_deserializer())?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Deserialize::deserialize(self.data)
    }

    fn newtype_variant_seed<S: de::DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.data)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        match self.data {
            Json::Array(_) => self.data.deserialize_any(visitor),
            _ => Err(Error::invalid_type(Unexpected::Other("no list"), &"a tuple variant")),
        }
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.data {
            Json::Object(_) => self.data.deserialize_any(visitor),
            _ => Err(Error::invalid_type(Unexpected::Other("no map"), &"a struct variant")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only the choice is tested here: with another of its features on, as in the tests of all features, `serde_json`
    /// reads all of them right.
    #[test]
    fn what_serde_json_may_take_for_a_neighbour_is_read_by_the_tree() {
        let long = 123_456_789_012_345_680_000.0;
        for spaces in 0..10 {
            let number = format!("{}123456789012345680000", " ".repeat(spaces));
            assert!(may_have_a_hard_float(&number), "{number}");
            assert_eq!(from_text::<f64>(&number).unwrap(), long);
        }
        for hard in [
            "97.45424510282939",
            "1e3",
            "-1E-3",
            "[1, -123456789012345680000]",
            r#"{"id": "1", "n": 123456789012345680000}"#,
            r#"{"id": "\"", "n": 123456789012345680000}"#,
        ] {
            assert!(may_have_a_hard_float(hard), "{hard}");
        }
        for easy in [
            "1.5",
            "1234567890123456789",
            r#"{"id": "123456789012345680000", "n": 97.4}"#,
            r#"{"id": "97.45424510282939", "n": true}"#,
            "[123456789012345678,                     1]",
        ] {
            assert!(!may_have_a_hard_float(easy), "{easy}");
        }
        assert_eq!(
            from_text::<u128>("123456789012345680001").unwrap(),
            123_456_789_012_345_680_001
        );
    }
}
