//! JSON that `serde_json` cannot do: values without loss, one writer for keys and results, paths,
//! and JSON that is scanned, copied and truncated.

mod de;
mod number;
mod parse;
mod pointer;
mod reason;
mod ser;
mod value;

#[cfg(feature = "jmespath")]
mod jmespath;

pub(crate) mod copy;
pub(crate) mod cut;
pub(crate) mod decimal;
pub(crate) mod scan;
pub(crate) mod write;

pub(crate) use self::de::{Name, from_text, from_tree};
#[cfg(feature = "jmespath")]
pub use self::jmespath::{JmesPath, JmesPathError};
pub use self::number::Number;
pub(crate) use self::pointer::Pointer;
pub(crate) use self::reason::{reason, without_values};
pub(crate) use self::ser::{
    ABSENT, AsName, Form, NUMBER, RAW_VALUE, WriteError, Written, append, to_text,
};
pub use self::value::{Json, JsonError};

/// Containers may be nested this deep.
pub(crate) const MAX_DEPTH: usize = 128;

#[cfg(test)]
mod tests;
