//! The codecs, compared with slow and simple implementations and with Python and JavaScript
//! themselves.

mod absent;
mod documents;
mod native;
mod peers;
mod results;

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::{Derived, HashFunction, KeyCodec, Scope};
use crate::idempotency::Json;
use crate::json::{Form, WriteError, to_text};

const NATIVE: KeyCodec = KeyCodec::Native;
const PYTHON: KeyCodec = KeyCodec::Python { hash: HashFunction::Md5 };
const TYPESCRIPT: KeyCodec = KeyCodec::TypeScript;

fn json(text: &str) -> Json {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn canonical<T: Serialize + ?Sized>(value: &T) -> String {
    try_canonical(value).unwrap()
}

fn try_canonical<T: Serialize + ?Sized>(value: &T) -> Result<String, WriteError> {
    Ok(String::from_utf8(to_text(value, Form::Canonical)?.text).unwrap())
}

fn derive<K: Serialize + ?Sized>(codec: KeyCodec, key: &K) -> Derived {
    derive_for(codec, "fn", None, key).unwrap()
}

fn derive_for<K: Serialize + ?Sized>(
    codec: KeyCodec,
    name: &str,
    tenant: Option<&str>,
    key: &K,
) -> Result<Derived, WriteError> {
    codec.key(Scope { prefix: "", name, tenant }, key, false)
}

/// Derives a key that is not absent.
fn key<K: Serialize + ?Sized>(codec: KeyCodec, value: &K) -> String {
    match derive(codec, value) {
        Derived::Key(key) => key.to_string(),
        none => panic!("{none:?}"),
    }
}

/// Returns why a codec rejects a key.
fn refusal<K: Serialize + ?Sized>(codec: KeyCodec, key: &K) -> String {
    derive_for(codec, "fn", None, key).unwrap_err().0
}

/// What `serde_json::Number` is in a program with the feature `arbitrary_precision`.
#[derive(Debug, PartialEq)]
struct Exact(String);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut number = serializer.serialize_struct("$serde_json::private::Number", 1)?;
        number.serialize_field("$serde_json::private::Number", &self.0)?;
        number.end()
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;

        impl<'de> Visitor<'de> for Digits {
            type Value = Exact;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_u64<E>(self, integer: u64) -> Result<Exact, E> {
                Ok(Exact(integer.to_string()))
            }

            fn visit_i64<E>(self, integer: i64) -> Result<Exact, E> {
                Ok(Exact(integer.to_string()))
            }

            fn visit_f64<E>(self, float: f64) -> Result<Exact, E> {
                Ok(Exact(serde_json::to_string(&float).unwrap()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Exact, A::Error> {
                let number = map.next_entry::<String, String>()?;
                Ok(Exact(number.expect("a number has a text").1))
            }
        }

        deserializer.deserialize_any(Digits)
    }
}
