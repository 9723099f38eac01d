//! How events that are batches are read: in one pass, and without copies of unused members.
//!
//! An [`Object`] lists the members that are read, and all others are skipped. A member of another
//! type than expected counts as absent, so that one odd record does not fail the event. Names of
//! members are read as bytes, since `serde_path_to_error`, which `lambda_runtime` uses, copies each
//! name that is read as a string.

mod list;
mod raw;
mod reader;
mod shape;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use self::list::{Lists, Records};
use self::raw::Raw;
use self::shape::{As, Encoded, Integer, Number, OtherText, Shape, SharedText, Text};

pub(super) use self::raw::{member_in, text_in};
pub(crate) use self::reader::from_slice;

/// What is read of a JSON object, member by member.
pub(super) trait Object: Default {
    /// Returns how the member of this name is read, or `None` if it is skipped.
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>>;
}

/// Reads the value of a member into its object.
pub(super) type Read<'de, O, A> =
    fn(&mut O, &mut Value<'_, A>) -> Result<(), <A as MapAccess<'de>>::Error>;

/// The value of a member.
pub(super) struct Value<'a, A> {
    map: &'a mut A,
    context: &'a mut Context,
}

/// What the records of an event share.
#[derive(Debug, Default)]
struct Context {
    shared: Option<Arc<str>>,
}

impl<'de, A: MapAccess<'de>> Value<'_, A> {
    /// Reads a string: `Box<str>`, `Arc<str>`.
    pub(super) fn text<T: for<'t> From<&'t str>>(
        &mut self,
        into: &mut Option<T>,
    ) -> Result<(), A::Error> {
        *into = self.map.next_value_seed(As(Text(PhantomData)))?;
        Ok(())
    }

    /// Reads a string in base64, whose absence means something: null. Anything else cannot be decoded later.
    pub(super) fn encoded(&mut self, into: &mut Option<Box<str>>) -> Result<(), A::Error> {
        *into = self.map.next_value_seed(As(Encoded))?;
        Ok(())
    }

    pub(super) fn integer(&mut self, into: &mut Option<i64>) -> Result<(), A::Error> {
        *into = self.map.next_value_seed(As(Integer))?;
        Ok(())
    }

    pub(super) fn number(&mut self, into: &mut Option<f64>) -> Result<(), A::Error> {
        *into = self.map.next_value_seed(As(Number))?;
        Ok(())
    }

    /// Keeps the value as JSON, unless it is null or what an empty one looks like.
    pub(super) fn raw(
        &mut self,
        empty: &str,
        into: &mut Option<Box<RawValue>>,
    ) -> Result<(), A::Error> {
        *into = self.map.next_value_seed(Raw(empty))?;
        Ok(())
    }

    /// Notes whether the value is anything but null.
    pub(super) fn is_present(&mut self, into: &mut bool) -> Result<(), A::Error> {
        *into = self.map.next_value::<Option<IgnoredAny>>()?.is_some();
        Ok(())
    }

    /// Reads a string that most records of an event have in common, such as an ARN.
    pub(super) fn shared(&mut self, into: &mut Option<Arc<str>>) -> Result<(), A::Error> {
        *into = self.map.next_value_seed(As(SharedText(&mut self.context.shared)))?;
        Ok(())
    }

    /// Reads the name of the source, if it is other than those `expected`.
    pub(super) fn unless(
        &mut self,
        expected: &[&str],
        into: &mut Option<Box<str>>,
    ) -> Result<(), A::Error> {
        *into = self.map.next_value_seed(As(OtherText(expected)))?;
        Ok(())
    }

    /// Reads an object that is nested in this one.
    pub(super) fn object<O: Object>(&mut self, object: &mut O) -> Result<(), A::Error> {
        self.map.next_value_seed(As(Members { object, context: self.context }))
    }

    /// Reads a list of records.
    pub(super) fn records<O: Object, R: From<O>>(
        &mut self,
        into: &mut Option<Vec<R>>,
    ) -> Result<(), A::Error> {
        *into = self.map.next_value_seed(As(Records::<O, R>::new(self.context)))?;
        Ok(())
    }

    /// Reads an object of lists, with their names.
    pub(super) fn lists<O: Object, R: From<O>>(
        &mut self,
        into: &mut Option<Vec<(Box<str>, Vec<R>)>>,
    ) -> Result<(), A::Error> {
        *into = self.map.next_value_seed(As(Lists::<O, R>::new(self.context)))?;
        Ok(())
    }
}

/// What an event is.
pub(super) struct Batch<R> {
    pub(super) records: Vec<R>,
    /// The event is that of a tumbling window.
    pub(super) has_window: bool,
    /// EventBridge Pipes sent the event.
    pub(super) is_piped: bool,
}

/// An event whose records are in its list `Records`.
pub(super) struct Event<O, R> {
    records: Option<Vec<R>>,
    has_window: bool,
    of: PhantomData<O>,
}

impl<O, R> Default for Event<O, R> {
    fn default() -> Self {
        Self { records: None, has_window: false, of: PhantomData }
    }
}

impl<O: Object, R: From<O>> Object for Event<O, R> {
    fn member<'de, A: MapAccess<'de>>(name: &[u8]) -> Option<Read<'de, Self, A>> {
        let read: Read<'de, Self, A> = match name {
            b"Records" => |it, value| value.records::<O, R>(&mut it.records),
            b"window" => |it, value| value.is_present(&mut it.has_window),
            _ => return None,
        };
        Some(read)
    }
}

impl<O: Object, R: From<O>> Event<O, R> {
    pub(super) fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        source: &str,
    ) -> Result<Batch<R>, D::Error> {
        let (event, piped) = object_or_records::<Self, O, R, D>(deserializer)?;
        let Self { records, has_window, .. } = event;
        let is_piped = piped.is_some();
        let records = piped.or(records);
        let records = records.ok_or_else(|| {
            de::Error::custom(format_args!("not an event of {source}: it has no list `Records`"))
        })?;
        Ok(Batch { records, has_window, is_piped })
    }
}

/// Reads an event as Lambda's pollers send it, or the list of records alone that EventBridge Pipes sends.
pub(super) fn object_or_records<'de, E: Object, O: Object, R: From<O>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<(E, Option<Vec<R>>), D::Error> {
    let mut event = E::default();
    let context = &mut Context::default();
    let whole = Whole { event: &mut event, context, of: PhantomData::<(O, R)> };
    let records = As(whole).deserialize(deserializer)?;
    Ok((event, records))
}

struct Whole<'a, E, O, R> {
    event: &'a mut E,
    context: &'a mut Context,
    of: PhantomData<(O, R)>,
}

impl<'de, E: Object, O: Object, R: From<O>> Shape<'de> for Whole<'_, E, O, R> {
    type Value = Option<Vec<R>>;

    fn nothing(self) -> Self::Value {
        None
    }

    fn list<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        let records = Records::<O, R>::new(self.context).list(list)?;
        // No pipe sends an empty one.
        Ok(records.filter(|records| !records.is_empty()))
    }

    fn object<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Members { object: self.event, context: self.context }.object(map)?;
        Ok(None)
    }
}

/// Reads an object with all that is nested in it.
pub(super) fn object<'de, O: Object, D: Deserializer<'de>>(deserializer: D) -> Result<O, D::Error> {
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
        while let Some(read) = map.next_key_seed(Name::<O, A>(PhantomData))? {
            match read {
                Some(read) => {
                    read(self.object, &mut Value { map: &mut map, context: self.context })?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Finds the member of a name.
struct Name<O, A>(PhantomData<(O, A)>);

impl<'de, O: Object, A: MapAccess<'de>> DeserializeSeed<'de> for Name<O, A> {
    type Value = Option<Read<'de, O, A>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl<'de, O: Object, A: MapAccess<'de>> Visitor<'de> for Name<O, A> {
    type Value = Option<Read<'de, O, A>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(O::member(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(O::member(name.as_bytes()))
    }
}

/// A string that is borrowed if it has no escapes.
struct Borrowed;

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
