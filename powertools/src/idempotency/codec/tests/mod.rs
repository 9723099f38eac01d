//! The codecs, compared with slow and simple implementations and with Python and JavaScript
//! themselves.

mod absent;
mod documents;
mod native;
mod peers;
mod results;

use serde::Serialize;

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
