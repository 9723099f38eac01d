//! JSON as the TypeScript toolkit writes it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use super::super::{Data, Json};
use crate::json::{Number, WriteError, write};

/// The hash of a value, as text.
pub(super) fn hash(value: &Json) -> String {
    STANDARD.encode(Md5::digest(stringify(value)))
}

/// The text of `JSON.stringify(deepSort(value))`.
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
    // JavaScript escapes what has to be escaped, and nothing else.
    let mut quoted = Vec::with_capacity(text.len() + 2);
    write::quoted(&mut quoted, text, &write::STANDARD);
    out.push_str(&String::from_utf8_lossy(&quoted));
}

/// The members in the order that the toolkit's sort and JavaScript's own rules leave them in.
fn deep_sort(members: &[(String, Json)]) -> Vec<&(String, Json)> {
    // The toolkit assigns the members to a new object, where this name is not a member.
    let mut members: Vec<_> = members.iter().filter(|(name, _)| name != "__proto__").collect();
    // Objects list their integer names first; the sort never sees two names as equal, but leaves
    // those that differ only in case as it found them.
    members.sort_by_cached_key(|(name, _)| match array_index(name) {
        Some(index) => (index, Vec::new()),
        None => (u32::MAX, lower_case(name)),
    });
    members
}

fn lower_case(name: &str) -> Vec<u16> {
    name.to_lowercase().encode_utf16().collect()
}

/// The integer that a name is the text of, if it is small enough for the index of an array.
fn array_index(name: &str) -> Option<u32> {
    let index = name.parse().ok().filter(|&index| index < u32::MAX)?;
    (name == "0" || name.starts_with(|first| matches!(first, '1'..='9'))).then_some(index)
}

/// A number as JavaScript writes it.
fn number_text(number: &Number) -> String {
    let double = number.to_f64();
    if double.is_infinite() {
        return "null".to_owned();
    }
    ryu_js::Buffer::new().format_finite(double).to_owned()
}

/// A result as the toolkit stores it.
pub(super) fn result(value: Json) -> Result<Data, WriteError> {
    Ok(match value {
        Json::String(text) => Data::Text(text),
        value => Data::Value(native(value)?),
    })
}

/// A result in the store's own types. Integers keep their digits.
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
    // What DynamoDB takes for a number: 38 digits, and exponents from -130 to 125.
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
