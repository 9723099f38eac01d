//! JSON as the TypeScript toolkit writes it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use super::super::{Data, Json};
use crate::json::{Number, WriteError, write};

/// Returns the hash of a value in base64.
pub(super) fn hash(value: &Json) -> String {
    STANDARD.encode(Md5::digest(stringify(value)))
}

/// Returns what `JSON.stringify(deepSort(value))` returns.
pub(super) fn stringify(value: &Json) -> String {
    let mut out = String::new();
    write(&mut out, value);
    out
}

fn write(out: &mut String, value: &Json) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(true) => out.push_str("true"),
        Json::Bool(false) => out.push_str("false"),
        Json::Number(number) => out.push_str(&number_text(number)),
        Json::String(text) => write_string(out, text),
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(out, index);
                write(out, item);
            }
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            for (index, (name, value)) in deep_sort(members).into_iter().enumerate() {
                separate(out, index);
                write_string(out, name);
                out.push(':');
                write(out, value);
            }
            out.push('}');
        }
    }
}

fn separate(out: &mut String, index: usize) {
    if index > 0 {
        out.push(',');
    }
}

fn write_string(out: &mut String, text: &str) {
    // JavaScript escapes only what must be escaped.
    let mut quoted = Vec::with_capacity(text.len() + 2);
    write::quoted(&mut quoted, text, &write::STANDARD);
    out.push_str(&String::from_utf8_lossy(&quoted));
}

/// Returns the members in the order that results from the toolkit's sort and JavaScript's own
/// rules.
fn deep_sort(members: &[(String, Json)]) -> Vec<&(String, Json)> {
    // The toolkit assigns the members to a new object, where this name sets the prototype.
    let mut members: Vec<_> = members.iter().filter(|(name, _)| name != "__proto__").collect();
    // Objects list integer names first. The toolkit's comparison never returns 0, but keeps the
    // order of names that differ only in case.
    members.sort_by_cached_key(|(name, _)| match array_index(name) {
        Some(index) => (index, Vec::new()),
        None => (u32::MAX, lower_case(name)),
    });
    members
}

fn lower_case(name: &str) -> Vec<u16> {
    name.to_lowercase().encode_utf16().collect()
}

/// Returns the index of an array that a name spells, if it spells one.
fn array_index(name: &str) -> Option<u32> {
    let index = name.parse().ok().filter(|&index| index < u32::MAX)?;
    (name == "0" || name.starts_with(|first| matches!(first, '1'..='9'))).then_some(index)
}

/// Returns a number as JavaScript writes it.
fn number_text(number: &Number) -> String {
    let double = number.to_f64();
    if double.is_infinite() {
        return "null".to_owned();
    }
    ryu_js::Buffer::new().format_finite(double).to_owned()
}

/// Returns a result as the toolkit stores it.
pub(super) fn result(value: Json) -> Result<Data, WriteError> {
    Ok(match value {
        Json::String(text) => Data::Text(text),
        value => Data::Value(native(value)?),
    })
}

/// Returns a result in the store's own types. Integers keep their digits.
fn native(value: Json) -> Result<Json, WriteError> {
    Ok(match value {
        Json::Number(number) => Json::Number(native_number(&number)?),
        Json::Array(items) => Json::Array(items.into_iter().map(native).collect::<Result<_, _>>()?),
        Json::Object(members) => Json::Object(
            members
                .into_iter()
                .map(|(name, value)| Ok((name, native(value)?)))
                .collect::<Result<_, WriteError>>()?,
        ),
        other => other,
    })
}

fn native_number(number: &Number) -> Result<Number, WriteError> {
    // DynamoDB accepts numbers of 38 digits, with exponents from -130 to 125.
    const DIGITS: usize = 38;
    const RANGE: std::ops::Range<f64> = 1e-130..1e126;

    let text = if number.is_integer() && number.as_str() != "-0" {
        number.as_str().to_owned()
    } else {
        number_text(number)
    };
    let size = number.to_f64().abs();
    let digits = text.trim_start_matches('-').trim_end_matches('0').len();
    if (number.is_integer() && digits > DIGITS) || (size != 0.0 && !RANGE.contains(&size)) {
        return Err(WriteError("a number is out of the range of the store".to_owned()));
    }
    text.parse().map_err(|error| WriteError(format!("a number: {error}")))
}
