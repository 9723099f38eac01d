//! The value that a datum has for its reader, from which the reader's type is deserialised.
//!
//! The conventions are those of `apache_avro::from_value`, by which types that derive `AvroSchema` are
//! read. It takes the branch of a union by its place alone, and quotes values in errors.

use std::fmt;
use std::sync::OnceLock;

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::{Schema, Uuid, types};
use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::plan::{Branch, Record};
use super::{default, walk};
use crate::json::reason;

/// How many digits and bytes a `big-decimal` has at most that is read as a string.
const MOST_DIGITS: usize = 1_000;

#[derive(Debug, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Boolean(bool),
    Int(i32),
    Long(i64),
    Float(f32),
    Double(f64),
    Bytes(&'a [u8]),
    String(&'a str),
    Decimal(&'a [u8]),
    BigDecimal(&'a [u8]),
    Uuid(Uuid),
    Enum(&'a str),
    Array(Vec<Value<'a>>),
    Map(Vec<(&'a str, Value<'a>)>),
    Record(&'a Record, Vec<Value<'a>>),
    Union(&'a Branch, Box<Value<'a>>),
}

/// Why a value is not one of the type, without the value.
#[derive(Debug)]
pub(super) struct Error(pub(super) String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self(reason(&text.to_string()).into_owned())
    }
}

impl Value<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Int(_) => "int",
            Self::Long(_) => "long",
            Self::Float(_) => "float",
            Self::Double(_) => "double",
            Self::Bytes(_) => "bytes",
            Self::String(_) => "string",
            Self::Decimal(_) => "decimal",
            Self::BigDecimal(_) => "big-decimal",
            Self::Uuid(_) => "uuid",
            Self::Enum(_) => "enum",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Record(..) => "record",
            Self::Union(..) => "union",
        }
    }

    fn expected(&self, what: &str) -> Error {
        Error(format!("invalid type: {}, expected {what}", self.kind()))
    }

    pub(super) fn deserializer(&self) -> Deserializer<'_> {
        Deserializer { value: self, is_some: false }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Deserializer<'v> {
    value: &'v Value<'v>,
    /// True inside of an `Option`: the value is a branch other than null.
    is_some: bool,
}

impl<'v> Deserializer<'v> {
    /// Returns the value inside of a union, unless only its branch says what it is.
    fn plain(self) -> Result<&'v Value<'v>, Error> {
        match self.value {
            Value::Union(branch, value) => {
                if branch.of.records > 1 && matches!(**value, Value::Record(..) | Value::Map(_)) {
                    return Err(Error(
                        "a union of several records or maps is read as an enum with a variant for each \
                         branch, which is not untagged"
                            .to_owned(),
                    ));
                }
                Ok(&**value)
            }
            value => Ok(value),
        }
    }
}

/// Returns the bytes of a value, if it has some.
fn bytes<'v>(value: &'v Value<'v>) -> Option<&'v [u8]> {
    match value {
        Value::Bytes(bytes) | Value::Decimal(bytes) | Value::BigDecimal(bytes) => Some(bytes),
        Value::String(text) => Some(text.as_bytes()),
        Value::Uuid(uuid) => Some(uuid.as_bytes()),
        _ => None,
    }
}

fn unsigned<T: TryFrom<i64>>(value: &Value<'_>) -> Option<Result<T, Error>> {
    let number = match value {
        Value::Int(number) => i64::from(*number),
        Value::Long(number) => *number,
        _ => return None,
    };
    Some(T::try_from(number).map_err(|_| Error("a number is negative".to_owned())))
}

/// Numbers that are larger than a long are a fixed of `derive(AvroSchema)`.
fn array<const N: usize>(value: &Value<'_>) -> Option<[u8; N]> {
    match value {
        Value::Bytes(bytes) => (*bytes).try_into().ok(),
        _ => None,
    }
}

impl<'de> de::Deserializer<'de> for Deserializer<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.plain()? {
            Value::Null => visitor.visit_unit(),
            Value::Boolean(value) => visitor.visit_bool(*value),
            Value::Int(number) => visitor.visit_i32(*number),
            Value::Long(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f32(*number),
            Value::Double(number) => visitor.visit_f64(*number),
            Value::Bytes(bytes) | Value::Decimal(bytes) => visitor.visit_borrowed_bytes(bytes),
            Value::String(text) | Value::Enum(text) => visitor.visit_borrowed_str(text),
            Value::BigDecimal(bytes) => visitor.visit_string(big_decimal(bytes)?),
            Value::Uuid(uuid) => visitor.visit_string(uuid.to_string()),
            Value::Array(items) => sequence(items, visitor),
            Value::Map(entries) => map(entries.iter().map(|(key, value)| (*key, value)), visitor),
            Value::Record(record, values) => map(fields(record, values), visitor),
            value @ Value::Union(..) => Err(value.expected("no union in a union")),
        }
    }

    forward_to_deserialize_any! { bool i8 i16 i32 i64 u8 u16 u32 f32 f64 }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let value = self.plain()?;
        match (unsigned(value), array(value)) {
            (Some(number), _) => visitor.visit_u64(number?),
            (None, Some(bytes)) => visitor.visit_u64(u64::from_le_bytes(bytes)),
            _ => Err(value.expected("a number")),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let value = self.plain()?;
        match (unsigned(value), array(value)) {
            (Some(number), _) => visitor.visit_u128(number?),
            (None, Some(bytes)) => visitor.visit_u128(u128::from_le_bytes(bytes)),
            _ => Err(value.expected("a number")),
        }
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let value = self.plain()?;
        match (value, array(value)) {
            (Value::Int(number), _) => visitor.visit_i128((*number).into()),
            (Value::Long(number), _) => visitor.visit_i128((*number).into()),
            (_, Some(bytes)) => visitor.visit_i128(i128::from_le_bytes(bytes)),
            _ => Err(value.expected("a number")),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let value = self.plain()?;
        let text = match value {
            Value::String(text) => Some(*text),
            Value::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        };
        let mut chars = text.unwrap_or_default().chars();
        let code = array(value).and_then(|bytes| char::from_u32(u32::from_le_bytes(bytes)));
        match (chars.next(), chars.next(), code) {
            (Some(char), None, _) | (_, _, Some(char)) => visitor.visit_char(char),
            _ => Err(value.expected("one character")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.plain()? {
            Value::String(text) | Value::Enum(text) => visitor.visit_borrowed_str(text),
            Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => visitor.visit_borrowed_str(text),
                Err(_) => Err(Error("bytes are not valid UTF-8".to_owned())),
            },
            Value::Uuid(_) | Value::BigDecimal(_) => self.deserialize_any(visitor),
            value => Err(value.expected("a string")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let value = self.plain()?;
        visitor.visit_bytes(bytes(value).ok_or_else(|| value.expected("bytes"))?)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let value = self.plain()?;
        visitor.visit_byte_buf(bytes(value).ok_or_else(|| value.expected("bytes"))?.to_vec())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_none(),
            Value::Union(_, value) if **value == Value::Null => visitor.visit_none(),
            value => visitor.visit_some(Deserializer { value, is_some: true }),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.plain()? {
            Value::Null => visitor.visit_unit(),
            value => Err(value.expected("null")),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match (self.value, self.plain()?) {
            (_, Value::Array(items)) => sequence(items, visitor),
            (Value::Union(..), Value::Null) => sequence(&[], visitor),
            (_, value) => Err(value.expected("an array")),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        match self.plain()? {
            Value::Record(_, values) => sequence(values, visitor),
            _ => self.deserialize_seq(visitor),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.plain()? {
            Value::Map(_) | Value::Record(..) => self.deserialize_any(visitor),
            value => Err(value.expected("a record or a map")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match (self.value, self.plain()?) {
            (_, Value::Record(record, values)) => map(fields(record, values), visitor),
            (Value::Union(..), Value::Null) => map(std::iter::empty(), visitor),
            (_, value) => Err(value.expected("a record")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value {
            // A branch is this type, which is no `Option`: null is none of its symbols.
            Value::Union(branch, value)
                if !self.is_some
                    && matches!(**value, Value::Enum(_) | Value::Null)
                    && branch.of.names.iter().flatten().any(|known| known == name) =>
            {
                value.deserializer().deserialize_enum(name, variants, visitor)
            }
            Value::Union(branch, value) => {
                match variant((branch, value), variants, self.is_some)? {
                    Some(name) => visitor.visit_enum(Variant { name, value: Some(value) }),
                    None => value.deserializer().deserialize_enum(name, variants, visitor),
                }
            }
            Value::Enum(name) | Value::String(name) => {
                visitor.visit_enum(Variant { name, value: None })
            }
            // The name of the variant, and what it has.
            Value::Record(record, values) => match (record.names.first(), values.first()) {
                (field, Some(Value::Enum(name) | Value::String(name))) if is_tag(field) => {
                    visitor.visit_enum(Variant { name, value: values.get(1) })
                }
                _ => Err(Error("the first field is not the string or enum `type`".to_owned())),
            },
            value => Err(value.expected("an enum")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        is_human_readable()
    }
}

/// Returns the variant for a value of a union, or `None` if the union is that of an `Option` and the value is what
/// it has.
///
/// It is the variant with the name of the branch, if all branches have one. Otherwise it is that at its
/// place, if there are as many: serde lists the aliases of variants beside their names, so that the place
/// of a variant is not known where there are more.
fn variant(
    (branch, value): (&Branch, &Value<'_>),
    variants: &'static [&'static str],
    is_some: bool,
) -> Result<Option<&'static str>, Error> {
    let of = &*branch.of;
    let null = of.null.filter(|_| is_some);
    let places: Vec<usize> = (0..of.names.len()).filter(|place| Some(*place) != null).collect();
    let named = |place: usize| {
        let name = of.names[place].as_deref()?;
        let is_one_of_several =
            of.names.iter().flatten().filter(|other| *other == name).count() > 1;
        variants.iter().find(|variant| **variant == name && !is_one_of_several).copied()
    };
    if places.iter().all(|&place| named(place).is_some()) {
        return Ok(named(branch.index));
    }
    if null.is_some() && places.len() == 1 {
        // The enum can be the value, or have one variant until there is a second branch.
        let is_tagged = matches!(value, Value::Record(record, _) if is_tag(record.names.first()));
        let is_variant = matches!(value, Value::Record(..)) && !is_tagged && variants.len() == 1;
        return Ok(is_variant.then(|| variants[0]));
    }
    if variants.len() != places.len() {
        return Err(Error(format!(
            "the enum has {} variants and aliases, and its union {} branches",
            variants.len(),
            places.len()
        )));
    }
    // A type that lists its variants in another order would take one record for another.
    for (place, name) in places.iter().zip(variants) {
        if places.iter().any(|other| other != place && named(*other) == Some(name)) {
            return Err(Error(format!("the variant {name} is not at the place of its branch")));
        }
    }
    Ok(places.iter().position(|place| *place == branch.index).map(|index| variants[index]))
}

/// True for the first field of a record that has the name of a variant and what that has.
fn is_tag(field: Option<&String>) -> bool {
    field.is_some_and(|field| field == "type")
}

fn sequence<'de, V: Visitor<'de>>(items: &'de [Value<'de>], visitor: V) -> Result<V::Value, Error> {
    let mut items = SeqDeserializer::new(items.iter());
    let value = visitor.visit_seq(&mut items)?;
    items.end()?;
    Ok(value)
}

fn map<'de, V: Visitor<'de>>(
    entries: impl Iterator<Item = (&'de str, &'de Value<'de>)>,
    visitor: V,
) -> Result<V::Value, Error> {
    visitor.visit_map(MapDeserializer::new(entries.map(|(key, value)| (Key(key), value))))
}

fn fields<'de>(
    record: &'de Record,
    values: &'de [Value<'de>],
) -> impl Iterator<Item = (&'de str, &'de Value<'de>)> {
    record.names.iter().map(String::as_str).zip(values)
}

impl<'de> IntoDeserializer<'de, Error> for &'de Value<'de> {
    type Deserializer = Deserializer<'de>;

    fn into_deserializer(self) -> Deserializer<'de> {
        self.deserializer()
    }
}

/// The key of a map or the name of a field.
struct Key<'de>(&'de str);

impl<'de> IntoDeserializer<'de, Error> for Key<'de> {
    type Deserializer = de::value::BorrowedStrDeserializer<'de, Error>;

    fn into_deserializer(self) -> Self::Deserializer {
        de::value::BorrowedStrDeserializer::new(self.0)
    }
}

/// A variant of an enum in Rust, with what it has.
struct Variant<'de> {
    name: &'de str,
    value: Option<&'de Value<'de>>,
}

impl<'de> de::EnumAccess<'de> for Variant<'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let name: StrDeserializer<'_, Error> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> Variant<'de> {
    fn value(&self) -> Result<&'de Value<'de>, Error> {
        self.value.ok_or_else(|| Error("the variant has no value".to_owned()))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.value {
            None | Some(Value::Null) => Ok(()),
            Some(Value::Record(record, _)) if record.names.is_empty() => Ok(()),
            Some(value) => Err(value.expected("a variant without a value")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        let value = self.value()?;
        match value {
            Value::Record(record, values) if record.is_variant => {
                seed.deserialize(values[0].deserializer())
            }
            _ => seed.deserialize(value.deserializer()),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_tuple(self.value()?.deserializer(), length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let value = self.value()?.deserializer();
        de::Deserializer::deserialize_struct(value, "", fields, visitor)
    }
}

/// Returns a `big-decimal` as digits. Its scale is in the data, and can stand for any number of zeros.
fn big_decimal(bytes: &[u8]) -> Result<String, Error> {
    let invalid = || Error("a big-decimal is invalid or too large for a string".to_owned());
    let (unscaled, scale) = walk::big_decimal(bytes).map_err(|_| invalid())?;
    if unscaled.len() > MOST_DIGITS || scale.unsigned_abs() > MOST_DIGITS as u64 {
        return Err(invalid());
    }
    let mut datum = Vec::new();
    default::write_bytes(&mut datum, bytes);
    let reader = GenericDatumReader::builder(&Schema::BigDecimal).build();
    match reader.and_then(|reader| reader.read_value(&mut &datum[..])) {
        Ok(types::Value::BigDecimal(number)) => Ok(number.to_plain_string()),
        _ => Err(invalid()),
    }
}

/// Returns what `apache_avro::util::set_serde_human_readable` set, which only `from_value` knows.
fn is_human_readable() -> bool {
    struct Probe(bool);

    impl<'de> de::Deserialize<'de> for Probe {
        fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Ok(Self(deserializer.is_human_readable()))
        }
    }

    static IS: OnceLock<bool> = OnceLock::new();
    *IS.get_or_init(|| {
        apache_avro::from_value::<Probe>(&types::Value::Null).is_ok_and(|probe| probe.0)
    })
}
