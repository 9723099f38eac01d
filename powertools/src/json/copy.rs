//! Copies strings and numbers that were written elsewhere so that strict readers take them.

use super::scan::unit;
use super::write;

/// Copies a string with its quotes and puts U+FFFD in the place of half a surrogate pair.
pub(crate) fn copy_string(text: &str, out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = rest.find("\\") {
        let (before, escape) = rest.split_at(at);
        copy_characters(before, out);
        let (length, replacement) =
            match (unit(escape.as_bytes()), escape.as_bytes().get(6..).and_then(unit)) {
                (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, None),
                (Some(0xd800..=0xdfff), _) => (6, Some(r"\ufffd")),
                _ => (2, None),
            };
        let (escape, behind) = escape.split_at(length);
        out.extend_from_slice(replacement.unwrap_or(escape).as_bytes());
        rest = behind;
    }
    copy_characters(rest, out);
}

/// Copies what has no escape in it. JSON takes the control characters from U+007F on as they are,
/// and a terminal obeys them.
fn copy_characters(text: &str, out: &mut Vec<u8>) {
    // Without an early end, so that many bytes are looked at in one step.
    let some = |found: bool, &byte: &u8| found | (byte == 0x7f) | (byte == write::C1);
    if text.as_bytes().iter().fold(false, some) {
        write::escaped(out, text, &write::PLAIN);
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

/// Copies a number; one beyond a double becomes a string.
pub(crate) fn copy_number(number: &str, out: &mut Vec<u8>) {
    let small = number.len() < 300 && !number.contains(['e', 'E']);
    if small || number.parse::<f64>().is_ok_and(f64::is_finite) {
        out.extend_from_slice(number.as_bytes());
    } else {
        write::string(out, number);
    }
}
