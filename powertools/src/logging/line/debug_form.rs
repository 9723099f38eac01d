//! `Debug` forms of values, in which hidden names are looked for too.

use super::copy;
use super::redact::Redaction;
use crate::json::write;

/// What replaces a value.
const REDACTED: &str = "*****";

/// Returns what was recorded as `text`, in which JSON may be the whole and a `Debug` form too, without the
/// values of hidden names. Returns nothing where there are none.
pub(in crate::logging) fn redact_any(text: &str, redaction: &Redaction) -> Option<String> {
    if copy::is_cut_json(text) {
        return Some(REDACTED.to_owned());
    }
    copy::redact(text, redaction).or_else(|| redact(text, redaction))
}

/// Returns `text`, the `Debug` form of a value, without the values of hidden names. Returns nothing
/// where there are none.
///
/// A name is a field of a struct, as in `Login { password: "…" }`, a key of a map, as in
/// `{"password": String("…")}`, or one in a string that is JSON, as in `Some("{\"password\":…}")`.
pub(in crate::logging) fn redact(text: &str, redaction: &Redaction) -> Option<String> {
    let strings = redact_strings(text, redaction);
    redact_values(strings.as_deref().unwrap_or(text), redaction).or(strings)
}

/// Redacts the strings in `text` that are JSON.
fn redact_strings(text: &str, redaction: &Redaction) -> Option<String> {
    let mut redacted = String::new();
    let mut written = 0;
    let mut next = text.find('"');
    while let Some(start) = next {
        let inner = &text[start + 1..];
        let length = quote_in(inner);
        let string = match length {
            Some(length) => redact_string(&inner[..length], redaction),
            None => redact_cut(inner, redaction),
        };
        let end = length.map(|length| start + 1 + length);
        // Where this is no string, a character such as '"' can have been before it, and its end be the
        // beginning of one.
        next = end;
        if let Some(string) = string {
            redacted.push_str(&text[written..start]);
            redacted.push_str(&string);
            written = end.map_or(text.len(), |end| end + 1);
            next = text[written..].find('"').map(|found| written + found);
        }
    }
    (written > 0).then(|| redacted + &text[written..])
}

/// Redacts what is between two quotes, if it is JSON. Returns it with its quotes.
fn redact_string(escaped: &str, redaction: &Redaction) -> Option<String> {
    let mut string = Vec::new();
    write::string(&mut string, &copy::redact(&unescape(escaped)?, redaction)?);
    String::from_utf8(string).ok()
}

/// Redacts what is behind the last quote. JSON that is cut cannot be searched.
fn redact_cut(escaped: &str, redaction: &Redaction) -> Option<String> {
    redact_string(escaped, redaction)
        .or_else(|| copy::is_cut_json(&unescape(escaped)?).then(|| REDACTED.to_owned()))
}

/// What a string holds, if that can be JSON.
fn unescape(escaped: &str) -> Option<String> {
    if !escaped.starts_with(['{', '[', '\\', ' ']) {
        return None;
    }
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((before, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let mut chars = escape.chars();
        match chars.next() {
            Some('n') => bytes.push(b'\n'),
            Some('r') => bytes.push(b'\r'),
            Some('t') => bytes.push(b'\t'),
            Some('0') => bytes.push(0),
            // A byte of what is no `str`.
            Some('x') => {
                let digits = chars.as_str().get(..2)?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                chars = chars.as_str()[2..].chars();
            }
            Some('u') => {
                let (digits, behind) = chars.as_str().strip_prefix('{')?.split_once('}')?;
                let char = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
                bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                chars = behind.chars();
            }
            Some(char) => bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            None => {}
        }
        rest = chars.as_str();
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Redacts the values of fields and keys.
fn redact_values(text: &str, redaction: &Redaction) -> Option<String> {
    let mut redacted = String::new();
    let mut written = 0;
    let mut at = 0;
    while let Some(colon) = text[at..].find(':').map(|found| at + found) {
        at = colon + 1;
        let value = text[at..].strip_prefix(' ').or_else(|| text[at..].strip_prefix('\n'));
        if value.is_some() && redaction.hides(name_before(&text[..colon])) {
            redacted.push_str(&text[written..=at]);
            redacted.push_str(REDACTED);
            written = at + 1 + value_length(&text[at + 1..]);
            at = written;
        }
    }
    (written > 0).then(|| redacted + &text[written..])
}

/// The name that `text` ends with: a word, or what is in quotes.
fn name_before(text: &str) -> &str {
    if let Some(quoted) = text.strip_suffix('"') {
        return &quoted[quoted.rfind('"').map_or(0, |quote| quote + 1)..];
    }
    let is_of_name = |char: char| char.is_alphanumeric() || matches!(char, '_' | '-' | '.' | '#');
    let word = &text[text.trim_end_matches(is_of_name).len()..];
    word.strip_prefix("r#").unwrap_or(word)
}

/// The length of the value that `text` begins with: up to the comma or bracket behind it.
fn value_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(char) = text[at..].chars().next() {
        match char {
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' if depth == 0 => return text[..at].trim_end().len(),
            '}' | ']' | ')' => depth -= 1,
            ',' if depth == 0 => return at,
            _ => {}
        }
        at += match char {
            '"' => quote_in(&text[at + 1..]).map_or(text.len() - at, |length| length + 2),
            '\'' => character_length(&text[at..]).unwrap_or(1),
            _ => char.len_utf8(),
        };
    }
    text.len()
}

/// Where the string ends that `text` is behind the first quote of.
fn quote_in(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })
}

/// The length of the character in quotes, such as `')'`, that `text` begins with. An apostrophe is none.
fn character_length(text: &str) -> Option<usize> {
    /// The most characters of an escape, as `u{10ffff}`.
    const ESCAPE: usize = 10;

    let mut chars = text.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        // What it escapes can be a quote.
        chars.next()?;
    }
    let most = if first == '\\' { ESCAPE } else { 1 };
    chars.take(most).find(|(_, char)| *char == '\'').map(|(end, _)| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_hidden_names_are_gone_and_the_rest_stays() {
        for (text, expected) in [
            (
                r#"Login { user: "Ada", password: "a, \"b\" }" }"#,
                r#"Login { user: "Ada", password: ***** }"#,
            ),
            (r#"{"password": String("x"), "n": 1}"#, r#"{"password": *****, "n": 1}"#),
            (r#"[Login { Password: Some(["x", "y"]) }, 2]"#, "[Login { Password: ***** }, 2]"),
            (r"A { r#token: 7, password: B { c: 1 } }", "A { r#token: *****, password: ***** }"),
            ("Login {\n    password: \"x\",\n}", "Login {\n    password: *****,\n}"),
            (r#"password: "cut in the mid"#, "password: *****"),
            (r#"{"card.token": 1}"#, r#"{"card.token": *****}"#),
            (r#"A { token: Sep(')', '"', '\'', "x"), n: 1 }"#, "A { token: *****, n: 1 }"),
            (
                r#"A { token: Sep { c: '}', pin: "12" }, d: '\u{1f}' }"#,
                r"A { token: *****, d: '\u{1f}' }",
            ),
            (r#"A { token: it's, n: "'" }"#, r#"A { token: *****, n: "'" }"#),
        ] {
            assert_eq!(redact(text, &redaction()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn json_in_a_string_is_searched_however_it_is_escaped() {
        let compact = r#"{"user":"Ada\n","password":"hunter2"}"#.to_owned();
        let hidden = r#"{"user":"Ada\n","password":"*****"}"#.to_owned();
        let pretty = "{\n\t\"user\" : \"Ada\\n\",\r\n\t\"password\" : \"hunter2\"\n}".to_owned();
        let twice = |text: &str| serde_json::to_string(text).unwrap();
        for (body, expected) in [
            (&compact, &hidden),
            (&pretty, &hidden),
            (&twice(&compact), &twice(&hidden)),
            (&format!("[{pretty}]"), &format!("[{hidden}]")),
            (&format!(" {compact}\n{compact}"), &format!("{hidden} {hidden}")),
        ] {
            let redacted = |form: String| redact(&form, &redaction()).unwrap();
            assert_eq!(redacted(format!("{:?}", Some(body))), format!("{:?}", Some(expected)));
            let bytes = bytes::Bytes::from(body.clone());
            assert_eq!(redacted(format!("{bytes:?}")), format!("b{expected:?}"));
            let nested = [("'", '"', body, "é")];
            let without = [("'", '"', expected, "é")];
            assert_eq!(redacted(format!("{nested:?}")), format!("{without:?}"));
            assert_eq!(redacted(format!("{nested:#?}")), format!("{without:#?}"));
        }
    }

    #[test]
    fn json_in_a_string_that_is_cut_is_hidden_wherever_that_is() {
        let body = r#"{"user":"Ada","nested":"{\"password\":\"hunter2\"}","password":"hunter2"}"#;
        let form = format!("Request {{ body: Some({body:?}) }}");
        let start = form.find('"').unwrap();
        for end in start + 2..form.len() {
            let redacted = redact(&form[..end], &redaction()).unwrap();
            assert!(!redacted.contains("hunter2"), "{redacted}");
            assert!(redacted.starts_with("Request { body: Some("), "{redacted}");
        }
    }

    #[test]
    fn other_debug_output_is_unchanged() {
        for text in [
            "",
            "password",
            "a::password::b",
            "Login { user: \"password\" }",
            "12:30",
            r#"Some("{\"user\":\"password\"}")"#,
            r#"["a", "{", "[no JSON", "\u{zz}"#,
            "5\" [x",
        ] {
            assert_eq!(redact(text, &redaction()), None);
        }
    }

    fn redaction() -> Redaction {
        let mut redaction = Redaction::default();
        ["password", "token"].into_iter().for_each(|name| redaction.add(name));
        redaction
    }
}
