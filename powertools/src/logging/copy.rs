//! Copies JSON that was written elsewhere so that it fits into a line.

use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::escape;
use super::redact::{REDACTED, Redaction};
use super::scan::{colon, scalar_end, string_end, value_end};

/// What is nested deeper than this is left out: readers of JSON have limits, often 128.
const DEEPEST: usize = 100;

const TOO_DEEP: &[u8] = br#""[nested too deeply]""#;

/// What each text around it would make longer again.
const TOO_LONG: &[u8] = br#""[too much to escape]""#;

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
pub(super) fn copy(text: &str, redaction: &Redaction, out: &mut Vec<u8>) {
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
pub(super) fn string(out: &mut Vec<u8>, text: &str, redaction: &Redaction) {
    if redaction.is_empty() || !copy_json_in(text, redaction, TEXTS, out) {
        escape::string(out, text);
    }
}

/// Copies a text that is JSON into a string, if something must be hidden in it. True if so.
fn copy_json_in(text: &str, redaction: &Redaction, texts: usize, out: &mut Vec<u8>) -> bool {
    if !is_json(text) {
        return false;
    }
    let Some(texts) = texts.checked_sub(1) else {
        out.extend_from_slice(TOO_DEEP);
        return true;
    };
    let mut copied = Vec::new();
    if !copy_values(text, redaction, texts, &mut copied) {
        return false;
    }
    if copied.len() > LONGER * text.len() {
        out.extend_from_slice(TOO_LONG);
    } else {
        escape::string(out, &String::from_utf8_lossy(&copied));
    }
    true
}

/// True for one JSON value or several, the first of which is no bare number or word.
fn is_json(text: &str) -> bool {
    let mut values = Deserializer::from_str(text).into_iter::<&RawValue>();
    text.trim_start().starts_with(['{', '[', '"']) && values.all(|value| value.is_ok())
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

/// Copies a string with its quotes and puts U+FFFD in the place of half a surrogate pair.
fn copy_string(text: &str, out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = rest.find("\\") {
        let (before, escape) = rest.split_at(at);
        copy_characters(before, out);
        let (length, replacement) = match (unit(escape), escape.get(6..).and_then(unit)) {
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
    let some = |found: bool, &byte: &u8| found | (byte == 0x7f) | (byte == escape::C1);
    if text.as_bytes().iter().fold(false, some) {
        escape::escaped(out, text, &escape::PLAIN);
    } else {
        out.extend_from_slice(text.as_bytes());
    }
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

    #[test]
    fn nothing_hidden_is_in_a_text_that_is_nested_too_deeply() {
        let deep = format!("{}{{\"hidden\":\"secret\"}}{}", "[".repeat(101), "]".repeat(101));
        let copy = hiding("hidden", &serde_json::json!({ "body": deep }).to_string());
        assert!(!copy.contains("secret"), "{copy}");
        assert!(copy.contains("[nested too deeply]"), "{copy}");
    }

    #[test]
    fn a_copy_is_not_much_longer_than_its_source() {
        let raw = ["\u{7f}".repeat(1000), "\u{85}".repeat(1000)].map(|text| format!("\"{text}\""));
        for filling in raw.into_iter().chain(["1e999,".repeat(1000) + "1"]) {
            let mut text = format!("[{filling},{{\"hidden\":1}}]");
            for depth in 0..TEXTS + 2 {
                let copy = hiding("hidden", &text);
                assert!(copy.len() < 7 * text.len(), "{depth}: {} of {}", copy.len(), text.len());
                serde_json::from_str::<Value>(&copy).unwrap();
                text = serde_json::to_string(&[text]).unwrap();
            }
        }
    }

    #[test]
    fn values_one_after_the_other_stay_apart() {
        let text = r#"{"hidden":1} 2 true[ 3 ]  "a"{} "#;
        let copy = hiding("hidden", &serde_json::json!([text]).to_string());
        let inner = r#"{"hidden":"*****"} 2 true[3] "a"{}"#;
        assert_eq!(copy, serde_json::json!([inner]).to_string());
    }

    #[test]
    fn json_in_a_text_is_looked_into_and_stays_if_there_is_nothing() {
        let inner = r#"{\"password\": \"s\\u0065cret\", \"n\": 1}"#;
        let text = format!(r#"{{"body":"{inner}","other":" [1, {{\"a\": 2}}]"}}"#);
        let expected = r#"{"body":"{\"password\":\"*****\",\"n\":1}","other":" [1, {\"a\": 2}]"}"#;
        assert_eq!(hiding("password", &text), expected);
        // Half a surrogate pair does not keep it from being read.
        let half = r#"["{\"a\":\"\ud83d\",\"password\":1}"]"#;
        assert_eq!(
            hiding("password", half),
            r#"["{\"a\":\"\ufffd\",\"password\":\"*****\"}"]"#.replace("\\ufffd", "\u{fffd}")
        );
        // Without hidden names nobody looks.
        assert_eq!(copied(&text), text);
    }

    proptest! {
        #[test]
        fn any_value_comes_back(text in json()) {
            let value: Value = serde_json::from_str(&text).unwrap();
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            let value: Value = serde_json::from_str(&pretty).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(&copied(&pretty)).unwrap(), value);
        }

        #[test]
        fn any_valid_text_is_copied_into_valid_json(
            mut text in json(),
            spaces in any::<bool>(),
            changes in prop::collection::vec((any::<usize>(), "[0e\\-\"\\\\{}\\[\\]:, \\tud8]"), 0..4),
        ) {
            if spaces {
                let value: Value = serde_json::from_str(&text).unwrap();
                text = serde_json::to_string_pretty(&value).unwrap();
            }
            for (at, change) in changes {
                let at = text.floor_char_boundary(at % text.len());
                let end = text.ceil_char_boundary(at + 1);
                text.replace_range(at..end, &change);
            }
            let mut redaction = Redaction::default();
            redaction.add("hidden");
            let mut out = Vec::new();
            // Only valid JSON is given to it.
            if serde_json::from_str::<&RawValue>(&text).is_ok() {
                copy(&text, &redaction, &mut out);
                let copy = String::from_utf8(out).unwrap();
                prop_assert!(serde_json::from_str::<Value>(&copy).is_ok(), "{} of {}", copy, text);
                prop_assert!(!copy.contains(|c: char| c.is_control()), "{:?}", copy);
            }
        }

        #[test]
        fn no_hidden_value_comes_through(value in with_secrets(), texts in 0..4) {
            let mut value = value;
            for _ in 0..texts {
                value = serde_json::json!({ "body": value.to_string() });
            }
            let copy = hiding("hidden", &value.to_string());
            prop_assert!(!copy.contains("secret"), "{}", copy);
            serde_json::from_str::<Value>(&copy).unwrap();
        }
    }

    /// Values in which "secret" stands under "hidden" alone.
    fn with_secrets() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![any::<i64>().prop_map(Value::from), "[^s]{0,9}".prop_map(Value::from)];
        leaf.prop_recursive(4, 32, 6, |inner| {
            let secret = prop_oneof![
                Just(Value::from("secret")),
                Just(serde_json::json!({ "a": ["secret", "}"] })),
            ];
            let members = prop::collection::btree_map("[^s]{0,4}", inner.clone(), 0..4);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                inner.prop_map(|value| value.to_string().into()),
                (members, secret, any::<bool>()).prop_map(|(members, secret, upper)| {
                    let mut members: serde_json::Map<_, _> = members.into_iter().collect();
                    members.insert(if upper { "HIDDEN" } else { "hidden" }.to_owned(), secret);
                    Value::Object(members)
                }),
            ]
        })
    }

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            r#"[{}\[\]":,\\ \x7f-\xa0ud]{0,12}"#.prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                inner.clone().prop_map(|value| value.to_string().into()),
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
