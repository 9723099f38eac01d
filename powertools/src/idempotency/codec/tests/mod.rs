//! What the codecs promise, against slow and simple implementations and against Python and
//! JavaScript themselves.

mod absent;
mod documents;
mod native;
mod peers;
mod results;

use serde::Serialize;

use super::canonical::Canonical;
use super::{Codec, HashFunction, KeyCodec};
use crate::idempotency::Json;

const NATIVE: Codec = Codec::of(KeyCodec::Native);
const PYTHON: Codec = Codec::of(KeyCodec::Python { hash: HashFunction::Md5 });
const TYPESCRIPT: Codec = Codec::of(KeyCodec::TypeScript);

fn json(text: &str) -> Json {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn canonical<T: Serialize + ?Sized>(value: &T) -> String {
    String::from_utf8(Canonical::text(value).unwrap()).unwrap()
}

/// Why a codec refuses a key.
fn refusal<K: Serialize + ?Sized>(codec: Codec, key: &K) -> String {
    codec.key("fn", None, key).unwrap_err().0
}
