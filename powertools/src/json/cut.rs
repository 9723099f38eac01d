//! The beginnings of strings and values, truncated at safe positions.

/// The end of a truncated value.
pub(crate) const ELLIPSIS: &str = "…";

/// A value shorter than this is omitted rather than truncated.
const SHORTEST: usize = 16;

/// The last end of a character in the first `length` bytes of `text`.
pub(crate) fn char_boundary(text: &[u8], mut length: usize) -> usize {
    while length > 0 && text.get(length).is_some_and(|&byte| is_inside_of_char(byte)) {
        length -= 1;
    }
    length
}

/// The beginning of `text` in at most `limit` bytes.
pub(crate) fn beginning(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// Truncates `text` to at most `limit` bytes, the ellipsis included.
pub(crate) fn truncate(text: &mut String, limit: usize) {
    if text.len() > limit {
        text.truncate(beginning(text, limit - ELLIPSIS.len()).len());
        text.push_str(ELLIPSIS);
    }
}

/// Writes the beginning of a value as a string of at most `room` bytes. Returns false if that is too little.
pub(crate) fn shorten(value: &[u8], room: usize, out: &mut Vec<u8>) -> bool {
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

/// Returns the length of the next unit of a JSON string that must not be split.
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
