mod canonical;
mod name;
mod python;
mod tree;
mod typescript;

use std::fmt::{self, Display};

use md5::Md5;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use self::canonical::Canonical;
use super::{Data, Json};
use crate::json;

/// How keys and results are written.
///
/// The keys of the other toolkits are derived from the event as it was sent, so give them the
/// event's own JSON, as [`Json`] or `serde_json::value::RawValue`: in a field of type `f64` a `10`
/// has become a `10.0`, which Python writes differently. They refuse such floats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyCodec {
    /// This toolkit's own keys: `<name>#n1:<SHA-256>` of the canonical JSON of name, tenant and
    /// key.
    ///
    /// That is RFC 8785, but with the exact digits of integers: its numbers are doubles, so two
    /// large order numbers would share a key.
    #[default]
    Native,
    /// The keys of the Python toolkit.
    Python {
        /// The hash function of its configuration.
        hash: HashFunction,
    },
    /// The keys of the TypeScript toolkit.
    TypeScript,
}

/// A hash function that the Python toolkit can be configured with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashFunction {
    /// The default.
    #[default]
    Md5,
    /// SHA-256.
    Sha256,
}

/// Why a value cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct CodecError(pub(super) String);

impl serde::ser::Error for CodecError {
    fn custom<T: Display>(reason: T) -> Self {
        Self(reason.to_string())
    }
}

/// A [`KeyCodec`] that is in use.
#[derive(Clone, Copy, Default)]
pub(super) struct Codec {
    pub(super) is: KeyCodec,
    /// `None` for our own. The linker leaves the other toolkits' formats out of functions that never
    /// call [`Codec::of`], where alone it is named.
    peer: Option<Peer>,
}

/// How another toolkit writes.
#[derive(Clone, Copy)]
struct Peer {
    hash: fn(&Json) -> String,
    result: fn(Json) -> Result<Data, CodecError>,
}

impl Codec {
    pub(super) const fn of(is: KeyCodec) -> Self {
        let python: fn(Json) -> Result<Data, CodecError> =
            |result| Ok(Data::Text(python::dumps(&result)));
        let peer = match is {
            KeyCodec::Native => None,
            KeyCodec::Python { hash: HashFunction::Md5 } => {
                Some(Peer { hash: |json| hex(&Md5::digest(python::dumps(json))), result: python })
            }
            KeyCodec::Python { hash: HashFunction::Sha256 } => Some(Peer {
                hash: |json| hex(&Sha256::digest(python::dumps(json))),
                result: python,
            }),
            KeyCodec::TypeScript => {
                Some(Peer { hash: typescript::hash, result: typescript::result })
            }
        };
        Self { is, peer }
    }

    /// Derives the text of a key; `None` if the key is absent.
    pub(super) fn key<K: Serialize + ?Sized>(
        self,
        name: &str,
        tenant: Option<&str>,
        key: &K,
    ) -> Result<Option<String>, CodecError> {
        let hash = match self.peer {
            None => canonical::key(name, tenant, key)?
                .map(|text| ["n1:", &hex(&Sha256::digest(text))].concat()),
            Some(peer) => tree::key(key)?.map(|key| (peer.hash)(&key)),
        };
        Ok(hash.map(|hash| [name, "#", &hash].concat()))
    }

    /// Hashes a payload for its validation.
    pub(super) fn payload<P: Serialize + ?Sized>(self, payload: &P) -> Result<String, CodecError> {
        Ok(match self.peer {
            None => hex(&Sha256::digest(Canonical::text(payload)?)),
            Some(peer) => (peer.hash)(&tree::payload(payload)?),
        })
    }

    /// Writes a result.
    pub(super) fn encode<R: Serialize>(self, result: &R) -> Result<Option<Data>, CodecError> {
        let data = match self.peer {
            None => Data::Text(
                serde_json::to_string(result).map_err(|error| CodecError(error.to_string()))?,
            ),
            Some(peer) => (peer.result)(tree::result(result)?)?,
        };
        Ok(Some(data))
    }

    /// Reads a result.
    pub(super) fn decode<R: DeserializeOwned>(
        self,
        data: Option<&Data>,
    ) -> Result<R, serde_json::Error> {
        match data {
            Some(Data::Text(text)) if self.is == KeyCodec::TypeScript => {
                json::from_tree(&Json::String(text.clone()))
            }
            Some(Data::Text(text)) => json::from_text(text),
            Some(Data::Value(value)) => json::from_tree(value),
            None => json::from_tree(&Json::Null),
        }
    }
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.is.fmt(f)
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = Vec::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.extend([byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]));
    }
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests;
