//! Copies JSON that was written elsewhere so that it fits into a line.

use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::redact::{REDACTED, Redaction};
use crate::json::copy::{copy_number, copy_string};
use crate::json::scan::{colon, scalar_end, string_end, value_end};
use crate::json::write;

/// What is nested deeper than this is left out: readers of JSON have limits, often 128.
const DEEPEST: usize = 100;

const TOO_DEEP: &str = "[nested too deeply]";

/// What each text around it would make longer again.
const TOO_LONG: &str = "[too much to escape]";

/// A copy can be this many times as long as what it is of: a number can get quotes and a control
/// character an escape, which the next text around it escapes again.
const LONGER: usize = 3;

/// JSON in a text in JSON in a text, this many times, is looked into.
const TEXTS: usize = 8;

/// Copies `text`, which is one valid JSON value, to the end of `out`.
///
/// The copy has no space between its tokens and thus no line break; no value under a hidden name,
/// not even in JSON that is the whole of a text; no half of a surrogate pair and no number beyond a
/// double, which strict readers refuse; and nothing that is nested too deeply.
pub(in crate::logging) fn copy(text: &str, redaction: &Redaction, out: &mut Vec<u8>) {
    copy_values(text, redaction, TEXTS, out);
}

/// Copies JSON. True if something is hidden in the copy.
fn copy_values(text: &str, redaction: &Redaction, texts: usize, out: &mut Vec<u8>) -> bool {
    let bytes = text.as_bytes();
    let begin = out.len();
    let mut hidden = false;
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                // One space stays between two values.
                let ends = bytes.get(at).is_none_or(u8::is_ascii_whitespace);
                if depth == 0 && out.len() > begin && !ends {
                    out.push(b' ');
                }
            }
            b'"' => {
                let end = string_end(bytes, at);
                let string = &text[at..end];
                at = end;
                let Some(colon) = colon(bytes, at) else {
                    hidden |= copy_text(string, redaction, texts, out);
                    continue;
                };
                let start = out.len();
                copy_string(string, out);
                if !redaction.is_empty() && is_hidden(&out[start..], redaction) {
                    hidden = true;
                    out.push(b':');
                    out.extend_from_slice(REDACTED);
                    at = value_end(bytes, colon + 1);
                }
            }
            b'{' | b'[' if depth == DEEPEST => {
                // A name that hides its value can be in there.
                hidden = true;
                write::string(out, TOO_DEEP);
                at = value_end(bytes, at);
            }
            b'{' | b'[' => {
                depth += 1;
                out.push(byte);
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                out.push(byte);
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let end = scalar_end(bytes, at);
                copy_number(&text[at..end], out);
                at = end;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    hidden
}

/// Copies a string that is a value. True if something is hidden in the copy.
fn copy_text(text: &str, redaction: &Redaction, texts: usize, out: &mut Vec<u8>) -> bool {
    if !redaction.is_empty()
        && let Some(inner) = unquoted(text)
        && copy_json_in(&inner, redaction, texts, out)
    {
        return true;
    }
    copy_string(text, out);
    false
}

/// Writes `text` as a JSON string. Where it is JSON, no value under a hidden name is in it.
pub(in crate::logging) fn string(out: &mut Vec<u8>, text: &str, redaction: &Redaction) {
    if redaction.is_empty() || !copy_json_in(text, redaction, TEXTS, out) {
        write::string(out, text);
    }
}

/// Returns `text` without the values of hidden names, if it is JSON and has some.
pub(in crate::logging) fn redact(text: &str, redaction: &Redaction) -> Option<String> {
    redact_in(text, redaction, TEXTS)
}

/// Copies a text that is JSON into a string, if something must be hidden in it. True if so.
fn copy_json_in(text: &str, redaction: &Redaction, texts: usize, out: &mut Vec<u8>) -> bool {
    let redacted = redact_in(text, redaction, texts);
    redacted.as_deref().inspect(|redacted| write::string(out, redacted)).is_some()
}

fn redact_in(text: &str, redaction: &Redaction, texts: usize) -> Option<String> {
    if !is_json(text) {
        return None;
    }
    let Some(texts) = texts.checked_sub(1) else { return Some(TOO_DEEP.to_owned()) };
    let mut copied = Vec::new();
    if !copy_values(text, redaction, texts, &mut copied) {
        return None;
    }
    match copied.len() > LONGER * text.len() {
        true => Some(TOO_LONG.to_owned()),
        false => Some(String::from_utf8_lossy(&copied).into_owned()),
    }
}

/// True for one JSON value or several, the first of which is no bare number or word.
fn is_json(text: &str) -> bool {
    begins_json(text) && values(text).all(|value| value.is_ok())
}

/// True for JSON whose end is missing.
pub(in crate::logging) fn is_cut_json(text: &str) -> bool {
    let is_cut = |value: Result<&RawValue, serde_json::Error>| value.is_err_and(|it| it.is_eof());
    begins_json(text) && values(text).any(is_cut)
}

fn begins_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[', '"'])
}

fn values(text: &str) -> impl Iterator<Item = Result<&RawValue, serde_json::Error>> {
    Deserializer::from_str(text).into_iter::<&RawValue>()
}

/// What a string holds, if that can be JSON.
fn unquoted(text: &str) -> Option<String> {
    let begins = text.as_bytes().get(1)?;
    if !matches!(begins, b'{' | b'[' | b'\\' | b' ') {
        return None;
    }
    let mut whole = Vec::new();
    copy_string(text, &mut whole);
    serde_json::from_slice(&whole).ok()
}

fn is_hidden(name: &[u8], redaction: &Redaction) -> bool {
    // Its letters may be escaped.
    serde_json::from_slice::<String>(name).is_ok_and(|name| redaction.hides(&name))
}

#[cfg(test)]
mod tests;
