mod native;
mod python;
mod typescript;

use md5::Md5;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::{Data, Json, Key, Replay};
use crate::hex::hex;
use crate::json::decimal::is_exact;
use crate::json::{self, Form, WriteError, Written};

/// The format of keys and results.
///
/// The other toolkits derive their keys from the JSON of the event as it was sent. With their codecs,
/// pass that JSON as the key, as [`Json`] or `serde_json::value::RawValue`: a field of type `f64` has
/// lost the original digits, so that `10` and `10.0`, which Python writes differently, are the same.
/// These codecs reject such a float.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyCodec {
    /// This toolkit's own keys: `<name>#n1:<SHA-256>` of the canonical JSON of `[name, tenant, key]`,
    /// or of `[prefix, name, tenant, key]` if there is a [prefix](super::Builder::key_prefix).
    ///
    /// Canonical JSON is RFC 8785, but with the exact digits of integers: its numbers are doubles,
    /// so two large order numbers would share a key.
    #[default]
    Native,
    /// The keys and results of the toolkit for Python.
    Python {
        /// The hash function with which that toolkit is configured.
        hash: HashFunction,
    },
    /// The keys and results of the toolkit for TypeScript. JavaScript writes a whole number as an integer, so that
    /// a result in which that changes the type, such as the `10.0` of a `serde_json::Value`, is not stored.
    TypeScript,
}

/// A hash function of the toolkit for Python.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashFunction {
    /// The default.
    #[default]
    Md5,
    /// SHA-256.
    Sha256,
}

/// What was derived from the value of a key.
#[derive(Debug, PartialEq)]
pub(super) enum Derived {
    Key(Key),
    /// The key is absent.
    Absent,
    /// The member of the outermost list with this index is null.
    Incomplete(usize),
}

/// The operation that a key is for.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) prefix: &'a str,
    pub(super) name: &'a str,
    pub(super) tenant: Option<&'a str>,
}

impl Scope<'_> {
    /// Appends that with which all keys of the operation begin.
    fn begin(self, key: &mut String) {
        full_name(self.prefix, self.name).into_iter().for_each(|part| key.push_str(part));
        key.push('#');
    }
}

impl KeyCodec {
    /// Derives the string of a key.
    pub(super) fn key<K: Serialize + ?Sized>(
        self,
        scope: Scope<'_>,
        key: &K,
        allow_incomplete: bool,
    ) -> Result<Derived, WriteError> {
        if self == Self::Native {
            return native::key(scope, key, allow_incomplete);
        }
        let written = json::to_text(key, Form::Event)?;
        let tree = parsed(written.text)?;
        if written.is_absent || tree.is_absent() {
            return Ok(Derived::Absent);
        }
        let mut derived = String::new();
        scope.begin(&mut derived);
        derived.push_str(&self.peer_hash(&tree));
        Ok(Derived::Key(Key::from(derived)))
    }

    /// Hashes a payload for its validation.
    pub(super) fn payload<P: Serialize + ?Sized>(self, payload: &P) -> Result<String, WriteError> {
        Ok(match self {
            Self::Native => hex(&Sha256::digest(json::to_text(payload, Form::Canonical)?.text)),
            _ => self.peer_hash(&parsed(json::to_text(payload, Form::Event)?.text)?),
        })
    }

    fn peer_hash(self, value: &Json) -> String {
        match self {
            Self::Python { hash: HashFunction::Sha256 } => {
                hex(&Sha256::digest(python::dumps(value)))
            }
            Self::TypeScript => typescript::hash(value),
            Self::Native | Self::Python { .. } => hex(&Md5::digest(python::dumps(value))),
        }
    }

    /// Encodes a result, if decoding it returns the same value.
    pub(crate) fn encode<R: Replay>(self, result: &R) -> Result<Data, WriteError> {
        let Written { text, in_doubt, has_whole_float, .. } = json::to_text(result, Form::Result)?;
        // JavaScript writes such a float as an integer.
        let in_doubt = in_doubt || (self == Self::TypeScript && has_whole_float);
        let doubted = in_doubt.then(|| text.clone());
        let data = match self {
            Self::Native => Data::Text(utf8(text)?),
            Self::Python { .. } => Data::Text(python::dumps(&exact(parsed(text)?)?)),
            Self::TypeScript => typescript::result(exact(parsed(text)?)?)?,
        };
        if let Some(text) = doubted {
            self.check::<R>(&text, &data)?;
        }
        Ok(data)
    }

    /// Decodes what was written, since nothing else shows whether the type accepts it.
    #[cold]
    fn check<R: Replay>(self, text: &[u8], data: &Data) -> Result<(), WriteError> {
        let read: R = self.decode(Some(data)).map_err(|error| {
            let place = match data {
                Data::Text(text) => json::scan::pointer_to(text.as_bytes(), error.column()),
                Data::Value(_) => String::new(),
            };
            let place = if place.is_empty() { place } else { format!(" at {place}") };
            WriteError(format!("what was written cannot be read again{place}: {error}"))
        })?;
        // Sorted, since a set is written in another order each time. JavaScript writes a negative zero, which is
        // equal to zero, without its sign.
        let sorted = |text: &[u8]| {
            let mut bytes = text.to_vec();
            if self == Self::TypeScript {
                bytes.retain(|byte| *byte != b'-');
            }
            bytes.sort_unstable();
            bytes
        };
        if sorted(&json::to_text(&read, Form::Result)?.text) != sorted(text) {
            return Err(WriteError("what was written is read as another value".to_owned()));
        }
        Ok(())
    }

    /// Reads a result.
    pub(crate) fn decode<R: DeserializeOwned>(
        self,
        data: Option<&Data>,
    ) -> Result<R, serde_json::Error> {
        match data {
            Some(Data::Text(text)) if self == Self::TypeScript => {
                json::from_tree(&Json::String(text.clone()))
            }
            Some(Data::Text(text)) => json::from_text(text),
            Some(Data::Value(value)) => json::from_tree(value),
            None => json::from_tree(&Json::Null),
        }
    }
}

/// Returns the parts of the name of an operation, with which its keys begin and which messages have.
pub(super) fn full_name<'a>(prefix: &'a str, name: &'a str) -> [&'a str; 3] {
    [prefix, if prefix.is_empty() { "" } else { "." }, name]
}

fn utf8(text: Vec<u8>) -> Result<String, WriteError> {
    String::from_utf8(text).map_err(|error| WriteError(error.to_string()))
}

/// Parses the JSON of a value that was written.
fn parsed(text: Vec<u8>) -> Result<Json, WriteError> {
    utf8(text)?.parse().map_err(|error| WriteError(format!("raw JSON: {error}")))
}

/// Rejects numbers that JSON can contain, and the floats of other languages cannot.
fn exact(tree: Json) -> Result<Json, WriteError> {
    if has_inexact(&tree) {
        return Err(WriteError(
            "a number with more digits, or a larger exponent, than a float has".to_owned(),
        ));
    }
    Ok(tree)
}

fn has_inexact(tree: &Json) -> bool {
    match tree {
        Json::Null | Json::Bool(_) | Json::String(_) => false,
        Json::Number(number) => !number.is_integer() && !is_exact(number.as_str(), number.to_f64()),
        Json::Array(items) => items.iter().any(has_inexact),
        Json::Object(members) => members.iter().any(|(_, value)| has_inexact(value)),
    }
}

#[cfg(test)]
mod tests;
