use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::Data;

/// How keys and results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyCodec {
    /// This toolkit's own keys.
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

impl KeyCodec {
    /// Derives the text of a key; `None` if the key is absent.
    pub(super) fn key<K: Serialize + ?Sized>(
        self,
        name: &str,
        tenant: Option<&str>,
        key: &K,
    ) -> Result<Option<String>, CodecError> {
        let text =
            serde_json::to_string(&(name, tenant, key)).map_err(|e| CodecError(e.to_string()))?;
        if text.ends_with(",null]") {
            return Ok(None);
        }
        Ok(Some(format!("{name}#n1:{}", hex(&Sha256::digest(text)))))
    }

    /// Hashes a payload for its validation.
    pub(super) fn payload<P: Serialize + ?Sized>(self, payload: &P) -> Result<String, CodecError> {
        let text = serde_json::to_string(payload).map_err(|e| CodecError(e.to_string()))?;
        Ok(hex(&Sha256::digest(text)))
    }

    /// Writes a result.
    pub(super) fn encode<R: Serialize>(self, result: &R) -> Result<Option<Data>, CodecError> {
        serde_json::to_string(result)
            .map(|text| Some(Data::Text(text)))
            .map_err(|e| CodecError(e.to_string()))
    }

    /// Reads a result.
    pub(super) fn decode<R: DeserializeOwned>(
        self,
        data: Option<&Data>,
    ) -> Result<R, serde_json::Error> {
        match data {
            Some(Data::Text(text)) => serde_json::from_str(text),
            _ => serde_json::from_str("null"),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
