use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Json;

/// From the document's own text, so only where `serde_json` reads it: not inside of
/// `#[serde(flatten)]` or an untagged enum, where numbers have lost their text.
impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        text.get().parse().map_err(D::Error::custom)
    }
}

/// Reads a value from JSON text.
pub(in super::super) fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(text)
}
