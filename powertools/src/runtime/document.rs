use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::value::RawValue;

use crate::json::RAW_VALUE;

/// A reply as JSON.
///
/// Unlike a `RawValue` it keeps the room behind its end, since shortening it would copy it.
#[derive(Debug)]
pub(crate) struct Document(String);

impl Document {
    /// Writes a reply.
    pub(super) fn of(reply: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::to_string(reply).map(Self)
    }

    /// Returns the number of bytes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl From<Box<RawValue>> for Document {
    fn from(json: Box<RawValue>) -> Self {
        Self(Box::<str>::from(json).into())
    }
}

/// As a `RawValue` does it: `serde_json` copies the JSON as it is.
impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut raw = serializer.serialize_struct(RAW_VALUE, 1)?;
        raw.serialize_field(RAW_VALUE, &self.0)?;
        raw.end()
    }
}
