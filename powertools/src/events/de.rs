//! One pass over an event: what every record has is read, the rest is kept as it is written.
//!
//! Names of members are read as bytes, since what `lambda_runtime` puts around the deserialiser to
//! know the path of an error copies every name that is read as text. A member of another type than
//! expected is as good as absent, so that one odd record does not fail the event.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// What a value becomes, by its JSON type. By default: nothing.
pub(super) trait Shape<'de>: Sized {
    type Value;

    /// What any other type becomes.
    fn nothing(self) -> Self::Value;

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

/// Reads a value as `S` says.
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
        Ok(self.0.nothing())
    }

    fn visit_none<E>(self) -> Result<S::Value, E> {
        Ok(self.0.nothing())
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

/// A text of its own: `Box<str>`, `Arc<str>`.
pub(super) struct Text<T>(PhantomData<T>);

impl<'de, T: for<'a> From<&'a str>> Shape<'de> for Text<T> {
    type Value = Option<T>;

    fn nothing(self) -> Option<T> {
        None
    }

    fn text(self, text: &str) -> Option<T> {
        Some(text.into())
    }
}

/// Text that is borrowed if it has no escapes.
pub(super) struct Borrowed;

impl<'de> Shape<'de> for Borrowed {
    type Value = Option<Cow<'de, str>>;

    fn nothing(self) -> Self::Value {
        None
    }

    fn text(self, text: &str) -> Self::Value {
        Some(text.to_owned().into())
    }

    fn borrowed_text(self, text: &'de str) -> Self::Value {
        Some(text.into())
    }
}

/// A whole number.
pub(super) struct Integer;

impl Shape<'_> for Integer {
    type Value = Option<i64>;

    fn nothing(self) -> Option<i64> {
        None
    }

    fn integer(self, number: i64) -> Option<i64> {
        Some(number)
    }
}

/// A number.
pub(super) struct Number;

impl Shape<'_> for Number {
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
}

/// What is read of an object, member by member.
pub(super) trait Object: Default {
    /// The members that are read.
    type Member;

    /// The member of this name.
    fn named(name: &[u8]) -> Option<Self::Member>;

    /// Reads a member.
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        member: Self::Member,
        value: &mut Value<'_, A>,
    ) -> Result<(), A::Error>;
}

/// The value of a member.
pub(super) struct Value<'a, A> {
    map: &'a mut A,
    context: &'a mut Context,
}

/// What the records of an event share.
#[derive(Debug, Default)]
pub(super) struct Context {
    arn: Option<Arc<str>>,
}

impl<'de, A: MapAccess<'de>> Value<'_, A> {
    pub(super) fn text<T: for<'t> From<&'t str>>(&mut self) -> Result<Option<T>, A::Error> {
        self.map.next_value_seed(As(Text(PhantomData)))
    }

    pub(super) fn integer(&mut self) -> Result<Option<i64>, A::Error> {
        self.map.next_value_seed(As(Integer))
    }

    pub(super) fn number(&mut self) -> Result<Option<f64>, A::Error> {
        self.map.next_value_seed(As(Number))
    }

    /// The JSON text of the value; `None` if it is null.
    pub(super) fn raw(&mut self) -> Result<Option<Box<RawValue>>, A::Error> {
        let raw: Box<RawValue> = self.map.next_value()?;
        Ok(Some(raw).filter(|raw| raw.get() != "null"))
    }

    /// An ARN that other records have too, most likely.
    pub(super) fn arn(&mut self) -> Result<Option<Arc<str>>, A::Error> {
        let last = &mut self.context.arn;
        let arn = self.map.next_value_seed(As(SharedText(last)))?;
        Ok(arn)
    }

    /// The name of the source, if it is another than `expected`.
    pub(super) fn unless(&mut self, expected: &[&str]) -> Result<Option<Box<str>>, A::Error> {
        self.map.next_value_seed(As(OtherText(expected)))
    }

    /// An object inside.
    pub(super) fn object<O: Object>(&mut self, object: &mut O) -> Result<(), A::Error> {
        self.map.next_value_seed(As(Members { object, context: self.context }))
    }

    /// The records of a list.
    pub(super) fn records<O: Object, R: From<O>>(&mut self) -> Result<Option<Vec<R>>, A::Error> {
        self.map.next_value_seed(As(Records::<O, R> { context: self.context, of: PhantomData }))
    }

    /// Calls `each` with the name and the records of each list in an object.
    pub(super) fn lists<O: Object>(
        &mut self,
        each: impl FnMut(Cow<'_, str>, Vec<O>),
    ) -> Result<bool, A::Error> {
        self.map.next_value_seed(As(Lists { context: self.context, each, of: PhantomData }))
    }
}

/// Reads an event.
pub(super) fn event<'de, O: Object, D: Deserializer<'de>>(deserializer: D) -> Result<O, D::Error> {
    let mut object = O::default();
    let context = &mut Context::default();
    As(Members { object: &mut object, context }).deserialize(deserializer)?;
    Ok(object)
}

struct Members<'a, O> {
    object: &'a mut O,
    context: &'a mut Context,
}

impl<'de, O: Object> Shape<'de> for Members<'_, O> {
    type Value = ();

    fn nothing(self) {}

    fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name::<O>(PhantomData))? {
            match name {
                Some(member) => {
                    let mut value = Value { map: &mut map, context: self.context };
                    self.object.read(member, &mut value)?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

struct Name<O>(PhantomData<O>);

impl<'de, O: Object> DeserializeSeed<'de> for Name<O> {
    type Value = Option<O::Member>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl<O: Object> Visitor<'_> for Name<O> {
    type Value = Option<O::Member>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(O::named(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(O::named(name.as_bytes()))
    }
}

struct Records<'a, O, R> {
    context: &'a mut Context,
    of: PhantomData<(O, R)>,
}

impl<'de, O: Object, R: From<O>> Shape<'de> for Records<'_, O, R> {
    type Value = Option<Vec<R>>;

    fn nothing(self) -> Self::Value {
        None
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut records = Vec::new();
        loop {
            let mut object = O::default();
            let record = Members { object: &mut object, context: self.context };
            match list.next_element_seed(As(record))? {
                Some(()) => records.push(object.into()),
                None => return Ok(Some(records)),
            }
        }
    }
}

struct Lists<'a, F, O> {
    context: &'a mut Context,
    each: F,
    of: PhantomData<O>,
}

impl<'de, F: FnMut(Cow<'_, str>, Vec<O>), O: Object> Shape<'de> for Lists<'_, F, O> {
    type Value = bool;

    fn nothing(self) -> bool {
        false
    }

    fn object<A: MapAccess<'de>>(mut self, mut map: A) -> Result<bool, A::Error> {
        while let Some(name) = map.next_key_seed(As(Borrowed))? {
            let records = Records::<O, O> { context: self.context, of: PhantomData };
            let records = map.next_value_seed(As(records))?;
            let name = name.unwrap_or_default();
            // To take it for an empty list would lose its records.
            let records = records.ok_or_else(|| {
                de::Error::custom(format_args!("`{name}` has no list of records"))
            })?;
            (self.each)(name, records);
        }
        Ok(true)
    }
}

struct SharedText<'a>(&'a mut Option<Arc<str>>);

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

struct OtherText<'a>(&'a [&'a str]);

impl Shape<'_> for OtherText<'_> {
    type Value = Option<Box<str>>;

    fn nothing(self) -> Self::Value {
        None
    }

    fn text(self, text: &str) -> Self::Value {
        (!self.0.contains(&text)).then(|| text.into())
    }
}

/// Finds the text of the member `name` in an object that was kept as it is written.
pub(super) fn text_in<'a>(object: &'a RawValue, name: &str) -> Option<Cow<'a, str>> {
    let mut deserializer = serde_json::Deserializer::from_str(object.get());
    As(Find { name, value: As(Borrowed) }).deserialize(&mut deserializer).ok()?.flatten()
}

/// Finds the member `name` in an object that was kept as it is written.
pub(super) fn member_in<'a, T: Deserialize<'a>>(object: &'a RawValue, name: &str) -> Option<T> {
    let mut deserializer = serde_json::Deserializer::from_str(object.get());
    As(Find { name, value: PhantomData::<T> }).deserialize(&mut deserializer).ok()?
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
