//! Values as the tree that the codecs of the other toolkits write.

mod compound;
mod serializer;

use serde::Serialize;

use super::super::Json;
use super::CodecError;
use crate::json::MAX_DEPTH;

/// The tree of a key; `None` if the key is absent.
pub(super) fn key<K: Serialize + ?Sized>(key: &K) -> Result<Option<Json>, CodecError> {
    let tree = payload(key)?;
    Ok(if tree.is_absent() { None } else { Some(tree) })
}

/// The tree of a value that is hashed, so has to be what was in the event.
pub(super) fn payload<P: Serialize + ?Sized>(payload: &P) -> Result<Json, CodecError> {
    payload.serialize(Tree { floats: Floats::Refused, depth: 0 })
}

/// The tree of a result.
pub(super) fn result<R: Serialize + ?Sized>(result: &R) -> Result<Json, CodecError> {
    let tree = result.serialize(Tree { floats: Floats::Taken, depth: 0 })?;
    if has_infinity(&tree) { Err(infinite()) } else { Ok(tree) }
}

/// What becomes of a float that did not come with its text.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Floats {
    Refused,
    Taken,
}

/// Turns values into trees.
#[derive(Clone, Copy)]
pub(super) struct Tree {
    floats: Floats,
    depth: usize,
}

impl Tree {
    fn deeper(self) -> Result<Self, CodecError> {
        if self.depth == MAX_DEPTH {
            return Err(CodecError(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn float(self, float: impl Serialize + Into<f64> + Copy) -> Result<Json, CodecError> {
        if self.floats == Floats::Refused {
            let reason = "a float, which has lost the text that it had in the event: \
                          take the value from the event's own JSON (`Json` or `RawValue`)";
            return Err(CodecError(reason.to_owned()));
        }
        if !float.into().is_finite() {
            return Err(infinite());
        }
        // This text has a fraction or an exponent, so it is read as a float again.
        number(float)
    }
}

/// A number of Rust, whose text `serde_json` writes as JSON has it.
fn number(number: impl Serialize) -> Result<Json, CodecError> {
    let text = serde_json::to_string(&number).map_err(|error| CodecError(error.to_string()))?;
    raw(&text)
}

/// A document that is part of the value.
fn raw(text: &str) -> Result<Json, CodecError> {
    text.parse().map_err(|error| CodecError(format!("raw JSON: {error}")))
}

fn infinite() -> CodecError {
    CodecError("a number that is infinite or not a number".to_owned())
}

fn has_infinity(tree: &Json) -> bool {
    match tree {
        Json::Null | Json::Bool(_) | Json::String(_) => false,
        Json::Number(number) => !number.is_integer() && !number.to_f64().is_finite(),
        Json::Array(items) => items.iter().any(has_infinity),
        Json::Object(members) => members.iter().any(|(_, value)| has_infinity(value)),
    }
}
