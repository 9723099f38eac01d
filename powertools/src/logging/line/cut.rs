//! Makes a line shorter and leaves it valid.

use std::ops::Range;

use super::keys;
use crate::json::cut::{ELLIPSIS, char_boundary, shorten};
use crate::json::scan::{string_end, value_end};

const TRUNCATED: &[u8] = br#","truncated":true"#;

/// As much of a value is left wherever there is room for it, however many share it.
const LEAST: usize = 64;

/// One member of the line.
struct Member {
    /// With the quotes and the colon.
    name: Range<usize>,
    value: Range<usize>,
    rank: Rank,
}

/// Who takes room first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rank {
    /// What the line says of itself and of its invocation.
    Own,
    /// The message, and what is known of an error.
    Message,
    Field,
}

impl Member {
    /// Its length with the comma.
    fn len(&self) -> usize {
        self.name.len() + self.value.len() + 1
    }
}

/// Writes `line`, which is one compact JSON object, to `out` in at most `limit` bytes.
///
/// The members of a rank get what those of the ranks behind it do not need, and at least three
/// quarters (what the line says of its own) or half (the message and the error) of what is there.
/// Among those of one rank the longest are cut: such a value becomes a text with its beginning.
/// Where there are too many for that, the last ones are left out.
pub(in crate::logging) fn json(line: &[u8], limit: usize, out: &mut Vec<u8>) {
    let members = members(line);
    let lengths = |rank: Rank| -> Vec<usize> {
        members.iter().filter(|member| member.rank == rank).map(Member::len).collect()
    };
    let (own, messages, fields) =
        (lengths(Rank::Own), lengths(Rank::Message), lengths(Rank::Field));
    let total = |lengths: &[usize]| lengths.iter().sum::<usize>();

    let room = limit.saturating_sub(TRUNCATED.len() + 2);
    let behind = total(&messages) + total(&fields);
    let for_own = room.saturating_sub(behind).max(room / 4 * 3);
    let room = room - total(&own).min(for_own);
    let for_messages = room.saturating_sub(total(&fields)).max(room / 2);
    let for_fields = room - total(&messages).min(for_messages);
    let longest = [
        longest(own, for_own),
        longest(messages, for_messages),
        longest(fields, for_fields).max(LEAST),
    ];
    let mut left = [for_own, for_messages, for_fields];

    out.clear();
    out.push(b'{');
    for member in &members {
        let start = out.len();
        if start > 1 {
            out.push(b',');
        }
        out.extend_from_slice(&line[member.name.clone()]);
        let rank = member.rank as usize;
        let allowed = longest[rank].min(left[rank]);
        if member.len() <= allowed {
            out.extend_from_slice(&line[member.value.clone()]);
        } else {
            let room = allowed.saturating_sub(member.name.len() + 1);
            if !shorten(&line[member.value.clone()], room, out) {
                out.truncate(start);
                continue;
            }
        }
        left[rank] = left[rank].saturating_sub(out.len() - start);
    }
    // Without its comma where nothing precedes it.
    out.extend_from_slice(&TRUNCATED[usize::from(out.len() == 1)..]);
    out.push(b'}');
}

/// How long each of those may be so that all of them fit into `room`.
fn longest(mut lengths: Vec<usize>, mut room: usize) -> usize {
    lengths.sort_unstable();
    let count = lengths.len();
    for (at, length) in lengths.into_iter().enumerate() {
        let share = room / (count - at);
        if length > share {
            return share;
        }
        room -= length;
    }
    usize::MAX
}

/// Cuts a line for people: its message, its fields from `fields` on, and what it says of its
/// invocation from `tail` on. The longest are cut at their ends.
pub(in crate::logging) fn text(line: &mut Vec<u8>, fields: usize, tail: usize, limit: usize) {
    const TRUNCATED: &[u8] = b" truncated=true";
    if line.len() <= limit {
        return;
    }
    let parts = [0..fields, fields..tail, tail..line.len()];
    let lengths = parts.iter().map(Range::len).collect();
    let longest = longest(lengths, limit - TRUNCATED.len());
    let mut end = 0;
    for part in parts {
        let cut = part.len() > longest;
        let length = if cut { longest.saturating_sub(ELLIPSIS.len()) } else { part.len() };
        let length = char_boundary(&line[part.clone()], length);
        line.copy_within(part.start..part.start + length, end);
        end += length;
        if cut {
            line[end..end + ELLIPSIS.len()].copy_from_slice(ELLIPSIS.as_bytes());
            end += ELLIPSIS.len();
        }
    }
    line.truncate(end);
    line.extend_from_slice(TRUNCATED);
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
        let rank = match key {
            "message" => Rank::Message,
            _ if keys::is_reserved(key) => Rank::Own,
            _ if keys::is_exception(key) => Rank::Message,
            _ => Rank::Field,
        };
        members.push(Member { name, value, rank });
    }
    members
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_message_is_truncated_and_the_request_id_is_kept() {
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
    fn the_longest_fields_are_truncated() {
        let line = json!({
            "message": "short",
            "a": [1, "\"two\"", { "three": 3 }],
            "b": "é".repeat(500),
            "c": vec![0; 500],
            "d": true,
        });
        let cut = cut(&line, 600);
        for whole in ["message", "a", "d"] {
            assert_eq!(cut[whole], line[whole]);
        }
        let [b, c] = ["b", "c"].map(|name| cut[name].as_str().unwrap());
        assert!(b.starts_with("éé") && c.starts_with("[0,0,"), "{cut}");
        assert!(b.len().abs_diff(c.len()) < 4, "{cut}");
    }

    #[test]
    fn the_last_of_too_many_fields_are_omitted() {
        let mut line = json!({ "message": "short", "exception": "x".repeat(200) });
        for number in 0..1_000 {
            line[format!("key_{number:03}")] = "y".repeat(100).into();
        }
        let cut = cut(&line, 2_000);
        assert_eq!((&cut["message"], &cut["exception"]), (&line["message"], &line["exception"]));
        assert!(cut["key_000"].as_str().unwrap().starts_with("yyy"), "{cut}");
        assert_eq!((cut.get("key_100"), cut.get("key_999")), (None, None));
        assert!(cut.to_string().len() > 1_900, "{cut}");
    }

    #[test]
    fn fields_share_the_available_bytes() {
        assert_eq!(longest(vec![], 0), usize::MAX);
        assert_eq!(longest(vec![5, 5], 10), usize::MAX);
        assert_eq!(longest(vec![5, 6], 10), 5);
        assert_eq!(longest(vec![100, 1, 100, 3], 20), 8);
        assert_eq!(longest(vec![1, 1], 1), 0);
    }

    #[test]
    fn other_values_are_truncated_as_strings() {
        let cut = cut(&json!({ "message": { "body": "\"q\"\\".repeat(100) } }), 100);
        let message = cut["message"].as_str().unwrap();
        assert!(message.starts_with(r#"{"body":"\"q\"\\\"q"#), "{message}");
    }

    #[test]
    fn strings_are_truncated_between_characters() {
        for limit in 40..64 {
            let mut line = "ééééééééééééé a=éééééééééééé id=1".as_bytes().to_vec();
            let fields = line.iter().position(|&byte| byte == b' ').unwrap();
            let tail = line.len() - " id=1".len();
            line.splice(0..0, *b"0");
            text(&mut line, fields + 1, tail + 1, limit);
            assert!(line.len() <= limit);
            let line = String::from_utf8(line).unwrap();
            assert!(line.ends_with(" id=1 truncated=true") || line.len() < 64, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_valid_and_within_the_limit(
            message in "\\PC{0,400}",
            fields in prop::collection::btree_map(name(), value(), 0..12),
            limit in 60_usize..2_000,
        ) {
            let mut line = json!({ "level": "INFO", "message": message });
            for (name, value) in fields {
                line[name] = value;
            }
            cut(&line, limit);
        }
    }

    fn name() -> impl Strategy<Value = String> {
        let known = vec!["exception", "exception_chain", "service", "correlation_id"];
        prop_oneof!["_[a-z\"\\\\]{1,12}", prop::sample::select(known).prop_map(str::to_owned)]
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
