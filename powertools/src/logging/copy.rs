//! Copies JSON that was written elsewhere so that it fits into a line.

use super::escape;
use super::redact::{REDACTED, Redaction};

/// What is nested deeper than this is left out: readers of JSON have limits, often 128.
const DEEPEST: usize = 100;

const TOO_DEEP: &[u8] = br#""[nested too deeply]""#;

/// Copies `text`, which is one valid JSON value, to the end of `out`.
///
/// The copy has no space between its tokens and thus no line break; no value under a hidden name;
/// no half of a surrogate pair and no number beyond a double, which strict readers refuse; and
/// nothing that is nested too deeply.
pub(super) fn copy(text: &str, redaction: &Redaction, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => at += 1,
            b'"' => {
                let end = string_end(bytes, at);
                let start = out.len();
                copy_string(&text[at..end], out);
                at = end;
                let Some(colon) = colon(bytes, at) else { continue };
                if !redaction.is_empty() && is_hidden(&out[start..], redaction) {
                    out.push(b':');
                    out.extend_from_slice(REDACTED);
                    at = value_end(bytes, colon + 1);
                }
            }
            b'{' | b'[' if depth == DEEPEST => {
                out.extend_from_slice(TOO_DEEP);
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
}

/// Where the string that starts at `at` ends: behind its closing quote.
pub(super) fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'\\' => end += 2,
            b'"' => return end + 1,
            _ => end += 1,
        }
    }
    bytes.len()
}

/// Where the value at or after `at` ends.
pub(super) fn value_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' => {
                at += 1;
                continue;
            }
            b'"' => string_end(bytes, at),
            b'{' | b'[' => {
                depth += 1;
                at += 1;
                continue;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at + 1
            }
            _ => scalar_end(bytes, at),
        };
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

/// Where the number or word that starts at `at` ends.
fn scalar_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let end = rest.iter().position(
        |byte| !matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z'),
    );
    // At least one byte, so that nothing that is no JSON can stop the copy.
    at + end.unwrap_or(rest.len()).max(1)
}

/// Where the colon behind a name stands. Behind a value there is none.
fn colon(bytes: &[u8], at: usize) -> Option<usize> {
    let space = bytes[at..].iter().position(|byte| !byte.is_ascii_whitespace())?;
    (bytes[at + space] == b':').then_some(at + space)
}

fn is_hidden(name: &[u8], redaction: &Redaction) -> bool {
    // Its letters may be escaped.
    serde_json::from_slice::<String>(name).is_ok_and(|name| redaction.hides(&name))
}

/// Copies a string with its quotes and puts U+FFFD in the place of half a surrogate pair.
fn copy_string(text: &str, out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = rest.find("\\") {
        let (before, escape) = rest.split_at(at);
        out.extend_from_slice(before.as_bytes());
        let (length, replacement) = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, None),
            (Some(0xd800..=0xdfff), _) => (6, Some(r"\ufffd")),
            _ => (2, None),
        };
        let (escape, behind) = escape.split_at(length);
        out.extend_from_slice(replacement.unwrap_or(escape).as_bytes());
        rest = behind;
    }
    out.extend_from_slice(rest.as_bytes());
}

/// The UTF-16 unit of the `\u` escape that `text` starts with.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix(r"\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

/// Copies a number; one beyond a double becomes a text.
fn copy_number(number: &str, out: &mut Vec<u8>) {
    let small = number.len() < 300 && !number.contains(['e', 'E']);
    if small || number.parse::<f64>().is_ok_and(f64::is_finite) {
        out.extend_from_slice(number.as_bytes());
    } else {
        escape::string(out, number);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn leaves_no_space_and_no_line_break() {
        assert_eq!(copied("{ \"a\" :\r\n [ 1 , \"b c\\n\" ] }\n"), r#"{"a":[1,"b c\n"]}"#);
    }

    #[test]
    fn hides_values_at_any_depth_whatever_they_are() {
        let text =
            r#"{"a":[{"Password":{"x":[1,"}"]},"b":1}],"pass\u0077ord" : "s]","c":"password"}"#;
        let expected =
            r#"{"a":[{"Password":"*****","b":1}],"pass\u0077ord":"*****","c":"password"}"#;
        assert_eq!(hiding("password", text), expected);
        for scalar in ["null", "-1.5e3", "true", "[]", "{}"] {
            let text = format!(r#"{{"password":{scalar},"b":2}}"#);
            assert_eq!(hiding("PASSWORD", &text), r#"{"password":"*****","b":2}"#);
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced_and_a_whole_one_stays() {
        let text =
            r#"["\ud83d\ude00","\ud83d","\ude00x","\ud83d\ud83d\ude00","\\ud83d","\ud83d\\"]"#;
        let expected =
            r#"["\ud83d\ude00","\ufffd","\ufffdx","\ufffd\ud83d\ude00","\\ud83d","\ufffd\\"]"#;
        assert_eq!(copied(text), expected);
        serde_json::from_str::<Value>(expected).unwrap();
    }

    #[test]
    fn a_number_beyond_a_double_becomes_a_text() {
        assert_eq!(copied("[1e999,-1E+400,1e5,18446744073709551616]"), {
            r#"["1e999","-1E+400",1e5,18446744073709551616]"#
        });
    }

    #[test]
    fn what_is_nested_too_deeply_is_left_out() {
        let text = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        let copy = copied(&text);
        serde_json::from_str::<Value>(&copy).unwrap();
        assert!(copy.contains("[nested too deeply]"));
    }

    proptest! {
        #[test]
        fn any_value_comes_back(text in json()) {
            let value: Value = serde_json::from_str(&text).unwrap();
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(copied(&pretty), serde_json::to_string(&value).unwrap());
        }

        #[test]
        fn any_text_at_all_ends_without_a_panic(text in "[ -~é\\\\\"\\[{}\\]:,]{0,40}") {
            // Only valid JSON is given to it; a slip there must not end the function.
            if serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok() {
                prop_assert!(serde_json::from_str::<Value>(&copied(&text)).is_ok());
            }
        }
    }

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        });
        value.prop_map(|value| value.to_string())
    }

    fn copied(text: &str) -> String {
        let mut out = Vec::new();
        copy(text, &Redaction::default(), &mut out);
        String::from_utf8(out).unwrap()
    }

    fn hiding(name: &str, text: &str) -> String {
        let mut redaction = Redaction::default();
        redaction.add(name);
        let mut out = Vec::new();
        copy(text, &redaction, &mut out);
        String::from_utf8(out).unwrap()
    }
}
