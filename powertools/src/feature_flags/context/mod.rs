//! Contexts: one pass over the value that a caller has, without a copy of it.

mod fields;
mod probe;

use std::fmt;

use serde::Serialize;

use self::fields::Fields;
use super::rules::Rules;
use crate::json::Json;

/// What a condition makes of a context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Outcome {
    #[default]
    KeyAbsent,
    Unmet,
    Met,
    Incomparable,
}

/// Tests the conditions whose keys the context has. The outcomes are those of the conditions, in their
/// order.
pub(super) fn test(
    context: &(impl Serialize + ?Sized),
    rules: &Rules,
    outcomes: &mut [Outcome],
) -> Result<(), ContextError> {
    match context.serialize(Fields::new(rules, outcomes)) {
        Err(ContextError::Compound) => written(context)?.serialize(Fields::new(rules, outcomes)),
        tested => tested,
    }
}

/// Returns what only the JSON of a value shows.
fn written(value: &(impl Serialize + ?Sized)) -> Result<Json, ContextError> {
    let text = serde_json::to_string(value).ok();
    let json = text.and_then(|text| text.parse().ok());
    json.ok_or(ContextError::Invalid("one of its values cannot be written as JSON"))
}

/// Why a context cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ContextError {
    /// The value of a key is more than a scalar, or the context is a document. This never leaves the module.
    Compound,
    Invalid(&'static str),
}

impl ContextError {
    fn not_an_object() -> Self {
        Self::Invalid("it is not an object")
    }
}

impl fmt::Display for ContextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compound => f.write_str("it is a list or an object"),
            Self::Invalid(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for ContextError {}

impl serde::ser::Error for ContextError {
    /// Without the reason, which can quote a value.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Invalid("one of its values cannot be serialised")
    }
}

/// Implements the methods of a serializer that fail.
macro_rules! refuse {
    ($error:expr; $($method:ident($($of:ty),*))*) => {
        $(fn $method(self $(, _: $of)*) -> Result<Self::Ok, ContextError> {
            Err($error)
        })*
    };
}

/// Implements the methods of a serializer for lists, which fail.
macro_rules! refuse_lists {
    ($error:expr) => {
        fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, ContextError> {
            Err($error)
        }

        fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, ContextError> {
            Err($error)
        }

        fn serialize_tuple_struct(
            self,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeTupleStruct, ContextError> {
            Err($error)
        }

        fn serialize_tuple_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeTupleVariant, ContextError> {
            Err($error)
        }

        fn serialize_struct_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeStructVariant, ContextError> {
            Err($error)
        }

        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<Self::Ok, ContextError> {
            Err($error)
        }
    };
}

/// Implements the methods of a serializer for objects, which fail.
macro_rules! refuse_objects {
    ($error:expr) => {
        fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, ContextError> {
            Err($error)
        }

        fn serialize_struct(
            self,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeStruct, ContextError> {
            Err($error)
        }
    };
}

use {refuse, refuse_lists, refuse_objects};
