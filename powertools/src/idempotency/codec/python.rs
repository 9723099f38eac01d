//! JSON as Python writes it.

use std::fmt::Write;

use super::super::Json;
use crate::json::Number;

/// Returns what `json.dumps(value, sort_keys=True)` returns.
pub(super) fn dumps(value: &Json) -> String {
    let mut out = String::new();
    write(&mut out, value);
    out
}

fn write(out: &mut String, value: &Json) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(true) => out.push_str("true"),
        Json::Bool(false) => out.push_str("false"),
        Json::Number(number) => write_number(out, number),
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
            // Python sorts by code points, which is the order of the bytes in UTF-8.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
            out.push('{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                separate(out, index);
                write_string(out, name);
                out.push_str(": ");
                write(out, value);
            }
            out.push('}');
        }
    }
}

fn separate(out: &mut String, index: usize) {
    if index > 0 {
        out.push_str(", ");
    }
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(char),
            _ => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    // Writing to a String does not fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

fn write_number(out: &mut String, number: &Number) {
    match number.as_str() {
        // Python reads it as an int, which has no negative zero.
        "-0" => out.push('0'),
        digits if number.is_integer() => out.push_str(digits),
        _ => write_float(out, number.to_f64()),
    }
}

/// Writes the `repr` of a float.
fn write_float(out: &mut String, float: f64) {
    if float.is_sign_negative() {
        out.push('-');
    }
    if float.is_infinite() {
        // Python reads `1e400` and writes this, which is not JSON.
        return out.push_str("Infinity");
    }
    let (digits, point) = shortest(float.abs());
    let count = digits.len();
    let (whole, fraction) = digits.split_at(point.clamp(0, count as i32) as usize);
    match point {
        -3..=0 => {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', point.unsigned_abs() as usize));
            out.push_str(fraction);
        }
        1..=16 => {
            out.push_str(whole);
            out.extend(std::iter::repeat_n('0', (point as usize).saturating_sub(count)));
            out.push('.');
            out.push_str(if fraction.is_empty() { "0" } else { fraction });
        }
        _ => {
            let (first, rest) = digits.split_at(1);
            out.push_str(first);
            if !rest.is_empty() {
                out.push('.');
                out.push_str(rest);
            }
            let exponent = point - 1;
            let sign = if exponent < 0 { '-' } else { '+' };
            let _ = write!(out, "e{sign}{:02}", exponent.abs());
        }
    }
}

/// Returns the fewest digits that identify a positive number, and the position of the point among
/// them.
///
/// Python and JavaScript choose the same digits; those of std can differ.
fn shortest(float: f64) -> (String, i32) {
    let mut buffer = ryu_js::Buffer::new();
    let text = buffer.format_finite(float);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    if digits.is_empty() {
        return ("0".to_owned(), 1);
    }
    let zeros = all.len() - digits.len();
    let point = whole.len() as i32 - zeros as i32 + exponent.parse::<i32>().unwrap_or(0);
    (digits.trim_end_matches('0').to_owned(), point)
}
