use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::json::NUMBER;

/// What a value becomes, by its JSON type. Types without a method of their own become nothing.
pub(super) trait Shape<'de>: Sized {
    type Value;

    /// Returns what any other type becomes.
    fn nothing(self) -> Self::Value;

    fn null(self) -> Self::Value {
        self.nothing()
    }

    fn text(self, _: &str) -> Self::Value {
        self.nothing()
    }

    fn borrowed_text(self, text: &'de str) -> Self::Value {
        self.text(text)
    }

    fn integer(self, _: i64) -> Self::Value {
        self.nothing()
    }

    fn float(self, _: f64) -> Self::Value {
        self.nothing()
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.nothing())
    }

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self.nothing())
    }
}

/// Reads a value as its shape defines.
pub(super) struct As<S>(pub(super) S);

impl<'de, S: Shape<'de>> DeserializeSeed<'de> for As<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Shape<'de>> Visitor<'de> for As<S> {
    type Value = S::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<S::Value, E> {
        Ok(self.0.null())
    }

    fn visit_none<E>(self) -> Result<S::Value, E> {
        Ok(self.0.null())
    }

    fn visit_bool<E>(self, _: bool) -> Result<S::Value, E> {
        Ok(self.0.nothing())
    }

    fn visit_i64<E>(self, number: i64) -> Result<S::Value, E> {
        Ok(self.0.integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<S::Value, E> {
        Ok(match i64::try_from(number) {
            Ok(number) => self.0.integer(number),
            Err(_) => self.0.nothing(),
        })
    }

    fn visit_f64<E>(self, number: f64) -> Result<S::Value, E> {
        Ok(self.0.float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<S::Value, E> {
        Ok(self.0.text(text))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<S::Value, E> {
        Ok(self.0.borrowed_text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<S::Value, A::Error> {
        self.0.list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<S::Value, A::Error> {
        self.0.object(object)
    }
}

/// An owned string: `Box<str>`, `Arc<str>`.
pub(super) struct Text<T>(pub(super) PhantomData<T>);

impl<'de, T: for<'a> From<&'a str>> Shape<'de> for Text<T> {
    type Value = Option<T>;

    fn nothing(self) -> Option<T> {
        None
    }

    fn text(self, text: &str) -> Option<T> {
        Some(text.into())
    }
}

/// A string in base64, or null. Anything else becomes a string that cannot be decoded: it is damaged, and not
/// absent.
pub(super) struct Encoded;

impl Shape<'_> for Encoded {
    type Value = Option<Box<str>>;

    fn nothing(self) -> Self::Value {
        Some("not a string".into())
    }

    fn null(self) -> Self::Value {
        None
    }

    fn text(self, text: &str) -> Self::Value {
        Some(text.into())
    }
}

/// A whole number.
pub(super) struct Integer;

impl<'de> Shape<'de> for Integer {
    type Value = Option<i64>;

    fn nothing(self) -> Option<i64> {
        None
    }

    fn integer(self, number: i64) -> Option<i64> {
        Some(number)
    }

    fn object<A: MapAccess<'de>>(self, object: A) -> Result<Option<i64>, A::Error> {
        Ok(digits(object)?.and_then(|digits| digits.parse().ok()))
    }
}

/// A number.
pub(super) struct Number;

impl<'de> Shape<'de> for Number {
    type Value = Option<f64>;

    fn nothing(self) -> Option<f64> {
        None
    }

    fn integer(self, number: i64) -> Option<f64> {
        Some(number as f64)
    }

    fn float(self, number: f64) -> Option<f64> {
        Some(number)
    }

    fn object<A: MapAccess<'de>>(self, object: A) -> Result<Option<f64>, A::Error> {
        Ok(digits(object)?.and_then(|digits| digits.parse().ok()))
    }
}

/// Returns the digits of a number that is an object, as it is in a program that turns on
/// `arbitrary_precision` of `serde_json`.
fn digits<'de, A: MapAccess<'de>>(mut object: A) -> Result<Option<Box<str>>, A::Error> {
    let mut digits = None;
    while let Some(name) = object.next_key_seed(As(Text::<Box<str>>(PhantomData)))? {
        if name.as_deref() == Some(NUMBER) {
            digits = object.next_value_seed(As(Text(PhantomData)))?;
        } else {
            let _: IgnoredAny = object.next_value()?;
        }
    }
    Ok(digits)
}

/// A string that is shared with the last one if they are equal.
pub(super) struct SharedText<'a>(pub(super) &'a mut Option<Arc<str>>);

impl Shape<'_> for SharedText<'_> {
    type Value = Option<Arc<str>>;

    fn nothing(self) -> Self::Value {
        None
    }

    fn text(self, text: &str) -> Self::Value {
        if self.0.as_deref() != Some(text) {
            *self.0 = Some(text.into());
        }
        self.0.clone()
    }
}

/// A string that is none of these.
pub(super) struct OtherText<'a>(pub(super) &'a [&'a str]);

impl Shape<'_> for OtherText<'_> {
    type Value = Option<Box<str>>;

    fn nothing(self) -> Self::Value {
        None
    }

    fn text(self, text: &str) -> Self::Value {
        (!self.0.contains(&text)).then(|| text.into())
    }
}

#[cfg(test)]
mod tests {
    use serde::de::value::{Error, MapDeserializer};

    use super::*;

    #[test]
    fn a_number_of_arbitrary_precision_is_a_number() {
        let number = |text| MapDeserializer::<_, Error>::new([(NUMBER, text)].into_iter());
        assert_eq!(As(Integer).deserialize(number("-15")), Ok(Some(-15)));
        assert_eq!(As(Integer).deserialize(number("1.5")), Ok(None));
        assert_eq!(As(Number).deserialize(number("1545084650.987")), Ok(Some(1545084650.987)));
        let object = MapDeserializer::<_, Error>::new([("a", "1")].into_iter());
        assert_eq!(As(Integer).deserialize(object), Ok(None));
    }
}
