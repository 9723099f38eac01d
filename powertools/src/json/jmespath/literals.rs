//! Literals, read from the expression itself.
//!
//! The library keeps its numbers as `serde_json` reads them: it loses digits of large integers, and takes some
//! floats for a neighbour, unless a feature of that crate is on somewhere in the program.

use std::collections::BTreeMap;

use jmespath::Variable;

use crate::json::Json;

/// The literals of an expression, by their places in it.
pub(super) type Literals = BTreeMap<usize, Json>;

/// Reads a literal, of which the library has made `value`.
pub(super) fn read(expression: &str, place: usize, value: &Variable) -> Result<Json, String> {
    if let Variable::String(text) = value {
        // It can be in single quotes, which are not those of JSON.
        return Ok(Json::String(text.clone()));
    }
    let text = expression.get(place..).and_then(between_backticks);
    let text = text.ok_or("a literal is not where the library found it")?;
    text.parse().map_err(|error| format!("a literal: {error}"))
}

fn between_backticks(text: &str) -> Option<String> {
    let text = text.strip_prefix('`')?;
    let mut is_escaped = false;
    let end = text.find(|char| {
        let is_end = char == '`' && !is_escaped;
        is_escaped = char == '\\' && !is_escaped;
        is_end
    })?;
    Some(text[..end].replace("\\`", "`"))
}
