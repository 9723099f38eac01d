use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// What identifies a record: a message id, a sequence number. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RecordId(Arc<str>);

impl RecordId {
    /// Returns the identifier as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for RecordId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
