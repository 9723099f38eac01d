//! Makes a line shorter and leaves it valid.

use std::ops::Range;

use super::copy::{string_end, value_end};
use super::keys;

const TRUNCATED: &[u8] = br#","truncated":true"#;

/// What stands at the end of a value that was cut.
pub(super) const ELLIPSIS: &str = "…";

/// A value shorter than this is left out rather than cut.
const SHORTEST: usize = 16;

/// One member of the line.
struct Member {
    /// With the quotes and the colon.
    name: Range<usize>,
    value: Range<usize>,
    /// Part of every line, and short.
    fixed: bool,
    is_message: bool,
}

impl Member {
    /// Its length with the comma.
    fn len(&self) -> usize {
        self.name.len() + self.value.len() + 1
    }
}

/// Writes `line`, which is one compact JSON object, to `out` in at most `limit` bytes.
///
/// What every line says stays. The message gets half of the rest, or more if the other members
/// leave it; those share what there is in their order. A value for which there is too little room
/// becomes a text with its beginning.
pub(super) fn json(line: &[u8], limit: usize, out: &mut Vec<u8>) {
    let members = members(line);
    let length = |of: fn(&Member) -> bool| -> usize {
        members.iter().filter(|&member| of(member)).map(Member::len).sum()
    };
    let fixed = length(|member| member.fixed) + TRUNCATED.len() + 2;
    let room = limit.saturating_sub(fixed);
    let others = length(|member| !member.fixed && !member.is_message);
    let message = room.saturating_sub(others).max(room / 2);
    let mut left = room - length(|member| member.is_message).min(message);

    out.clear();
    out.push(b'{');
    for member in &members {
        let allowed = match member {
            Member { fixed: true, .. } => usize::MAX,
            Member { is_message: true, .. } => message,
            _ => left,
        };
        let start = out.len();
        if start > 1 {
            out.push(b',');
        }
        out.extend_from_slice(&line[member.name.clone()]);
        if member.len() <= allowed {
            out.extend_from_slice(&line[member.value.clone()]);
        } else {
            let room = allowed.saturating_sub(member.name.len() + 1);
            if !shorten(&line[member.value.clone()], room, out) {
                out.truncate(start);
                continue;
            }
        }
        if !member.fixed && !member.is_message {
            left = left.saturating_sub(out.len() - start);
        }
    }
    out.extend_from_slice(TRUNCATED);
    out.push(b'}');
}

/// Cuts a line for people.
pub(super) fn text(line: &mut Vec<u8>, limit: usize) {
    if line.len() <= limit {
        return;
    }
    let mut end = limit.saturating_sub(ELLIPSIS.len());
    while end > 0 && is_inside_of_char(line[end]) {
        end -= 1;
    }
    line.truncate(end);
    line.extend_from_slice(ELLIPSIS.as_bytes());
}

/// The beginning of `text` in at most `limit` bytes.
pub(super) fn beginning(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

fn members(line: &[u8]) -> Vec<Member> {
    let mut members = Vec::new();
    let mut at = 1;
    while line.get(at) == Some(&b'"') {
        let colon = string_end(line, at);
        let name = at..colon + 1;
        let value = name.end..value_end(line, name.end);
        at = value.end + 1;
        let key = std::str::from_utf8(&line[name.start + 1..colon - 1]).unwrap_or_default();
        let is_message = key == "message";
        let fixed = !is_message && keys::is_reserved(key);
        members.push(Member { name, value, fixed, is_message });
    }
    members
}

/// Writes the beginning of a value as a text of at most `room` bytes. False if that is too little.
fn shorten(value: &[u8], room: usize, out: &mut Vec<u8>) -> bool {
    if room < SHORTEST {
        return false;
    }
    let room = room - 2 - ELLIPSIS.len();
    out.push(b'"');
    if value.first() == Some(&b'"') {
        let text = &value[1..value.len() - 1];
        let mut end = 0;
        while end < text.len() {
            let unit = unit(&text[end..]);
            if end + unit > room {
                break;
            }
            end += unit;
        }
        out.extend_from_slice(&text[..end]);
    } else {
        // Its own text, as the content of a string: only these two need an escape there.
        let mut left = room;
        let mut rest = value;
        while !rest.is_empty() {
            let escape = matches!(rest[0], b'"' | b'\\');
            let unit = if escape { 1 } else { char_length(rest) };
            if unit + usize::from(escape) > left {
                break;
            }
            left -= unit + usize::from(escape);
            if escape {
                out.push(b'\\');
            }
            out.extend_from_slice(&rest[..unit]);
            rest = &rest[unit..];
        }
    }
    out.extend_from_slice(ELLIPSIS.as_bytes());
    out.push(b'"');
    true
}

/// The length of what must not be cut in the content of a JSON string.
fn unit(text: &[u8]) -> usize {
    let length = match text {
        // Both halves of a surrogate pair.
        [b'\\', b'u', b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B', ..] => 12,
        [b'\\', b'u', ..] => 6,
        [b'\\', ..] => 2,
        _ => char_length(text),
    };
    length.min(text.len())
}

fn char_length(text: &[u8]) -> usize {
    1 + text[1..].iter().take_while(|&&byte| is_inside_of_char(byte)).count()
}

fn is_inside_of_char(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_message_is_cut_and_the_request_id_stays() {
        let line = json!({
            "level": "INFO",
            "message": "x".repeat(5_000),
            "function_request_id": "8476a536",
            "order": 7,
        });
        let cut = cut(&line, 1_000);
        assert_eq!(cut["function_request_id"], "8476a536");
        assert_eq!(cut["order"], 7);
        assert_eq!(cut["truncated"], true);
        let message = cut["message"].as_str().unwrap();
        assert!(message.ends_with("xx…") && message.len() > 850, "{}", message.len());
    }

    #[test]
    fn fields_share_the_room_in_their_order() {
        let line = json!({
            "message": "short",
            "a": [1, "\"two\"", { "three": 3 }],
            "b": "é".repeat(500),
            "c": vec![0; 500],
            "d": true,
        });
        let cut = cut(&line, 600);
        assert_eq!(cut["message"], "short");
        assert_eq!(cut["a"], line["a"]);
        assert!(cut["b"].as_str().unwrap().starts_with("éé"));
        assert_eq!(cut.get("c"), None);
    }

    #[test]
    fn what_is_no_text_is_cut_as_its_own_text() {
        let cut = cut(&json!({ "message": { "body": "\"q\"\\".repeat(100) } }), 100);
        let message = cut["message"].as_str().unwrap();
        assert!(message.starts_with(r#"{"body":"\"q\"\\\"q"#), "{message}");
    }

    #[test]
    fn text_is_cut_between_characters() {
        for limit in 10..20 {
            let mut line = "ééééééééééééé".as_bytes().to_vec();
            text(&mut line, limit);
            assert!(line.len() <= limit);
            assert!(String::from_utf8(line).unwrap().ends_with('…'));
        }
    }

    proptest! {
        #[test]
        fn any_line_is_valid_and_within_the_limit(
            message in "\\PC{0,400}",
            fields in prop::collection::btree_map("[a-z\"\\\\]{1,12}", value(), 0..12),
            limit in 60_usize..2_000,
        ) {
            let mut line = json!({ "level": "INFO", "message": message });
            for (name, value) in fields {
                line[format!("_{name}")] = value;
            }
            cut(&line, limit);
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<i64>().prop_map(Value::from),
            ".{0,300}".prop_map(Value::from),
            prop::collection::vec("\\PC{0,30}", 0..20).prop_map(Value::from),
        ]
    }

    fn cut(line: &Value, limit: usize) -> Value {
        let mut out = Vec::new();
        json(line.to_string().as_bytes(), limit, &mut out);
        assert!(out.len() <= limit, "{} of {limit}", out.len());
        serde_json::from_slice(&out).unwrap()
    }
}
