//! Strings and numbers as JSON.

use std::fmt;

/// The first byte of U+0080 to U+009F, which terminals obey, and of 32 characters that are none of
/// those.
pub(crate) const C1: u8 = 0xc2;

/// The character after the backslash for each byte; 0 for a byte that is not escaped.
const fn escapes(quotes: bool, for_terminals: bool) -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = b'u';
        byte += 1;
    }
    table[0x08] = b'b';
    table[b'\t' as usize] = b't';
    table[b'\n' as usize] = b'n';
    table[0x0c] = b'f';
    table[b'\r' as usize] = b'r';
    if for_terminals {
        table[0x7f] = b'u';
        table[C1 as usize] = C1;
    }
    if quotes {
        table[b'"' as usize] = b'"';
        table[b'\\' as usize] = b'\\';
    }
    table
}

/// How a string is written.
pub(crate) type Escapes = [u8; 256];

/// Inside a JSON string, by RFC 8785, section 3.2.2.2: what has to be escaped, and nothing else.
pub(crate) static STANDARD: Escapes = escapes(true, false);

/// Inside a JSON string that a terminal may show: the control characters from U+007F on too.
pub(crate) static JSON: Escapes = escapes(true, true);

/// In a line for people, and where quotes are escaped already: control characters, which could end
/// the line or be obeyed by a terminal, are all that is escaped.
pub(crate) static PLAIN: Escapes = escapes(false, true);

/// Writes `text` by `table`, without quotes around it.
pub(crate) fn escaped(out: &mut Vec<u8>, text: &str, table: &Escapes) {
    let bytes = text.as_bytes();
    // Most strings have nothing to escape. Eight bytes at a time take fewer instructions.
    let (groups, _) = bytes.as_chunks::<8>();
    let is_clean =
        |group: &&[u8; 8]| group.iter().fold(0, |found, byte| found | table[*byte as usize]) == 0;
    let clean = 8 * groups.iter().take_while(is_clean).count();
    let mut written = 0;
    for (at, &byte) in bytes.iter().enumerate().skip(clean) {
        let escape = table[byte as usize];
        if escape == 0 || (escape == C1 && bytes[at + 1] >= 0xa0) {
            continue;
        }
        out.extend_from_slice(&bytes[written..at]);
        written = at + 1;
        match escape {
            b'u' => unit(out, byte),
            C1 => {
                unit(out, bytes[written]);
                written += 1;
            }
            _ => out.extend_from_slice(&[b'\\', escape]),
        }
    }
    out.extend_from_slice(&bytes[written..]);
}

/// Writes a character below U+0100 by its number.
fn unit(out: &mut Vec<u8>, number: u8) {
    let digit = |number: u8| b"0123456789abcdef"[number as usize];
    out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(number >> 4), digit(number & 0xf)]);
}

/// Writes the text of `value` as a JSON string, as far as it can be written: `to_string` panics
/// where a `Display` fails.
pub(crate) fn display(out: &mut Vec<u8>, value: &dyn fmt::Display) {
    struct Escaped<'a>(&'a mut Vec<u8>);
    impl fmt::Write for Escaped<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            escaped(self.0, text, &JSON);
            Ok(())
        }
    }
    out.push(b'"');
    let _ = fmt::Write::write_fmt(&mut Escaped(out), format_args!("{value}"));
    out.push(b'"');
}

/// Writes `text` as a JSON string for a log line.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    quoted(out, text, &JSON);
}

/// Writes `text` as a JSON string by `table`.
pub(crate) fn quoted(out: &mut Vec<u8>, text: &str, table: &Escapes) {
    out.push(b'"');
    escaped(out, text, table);
    out.push(b'"');
}

/// Writes an integer by its exact digits.
pub(crate) fn integer(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Writes a float. JSON has no number for NaN and the infinities: those become strings.
pub(crate) fn float(out: &mut Vec<u8>, number: f64) {
    if number.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(number).as_bytes());
    } else if number.is_nan() {
        out.extend_from_slice(br#""NaN""#);
    } else if number > 0.0 {
        out.extend_from_slice(br#""Infinity""#);
    } else {
        out.extend_from_slice(br#""-Infinity""#);
    }
}

/// Writes `true` or `false`.
pub(crate) fn boolean(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_string_round_trips(text in any::<String>()) {
            let mut out = Vec::new();
            string(&mut out, &text);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }

        #[test]
        fn any_finite_float_round_trips(number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
            let mut out = Vec::new();
            float(&mut out, number);
            let text = std::str::from_utf8(&out).unwrap();
            serde_json::from_slice::<serde_json::Value>(&out).unwrap();
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), number.to_bits());
        }
    }

    #[test]
    fn every_control_character_is_escaped() {
        for control in (0..0xff).map(char::from).filter(|char| char.is_control()) {
            let text = format!("é{control}\u{a0}");
            let mut out = Vec::new();
            string(&mut out, &text);
            assert!(!str::from_utf8(&out).unwrap().contains(char::is_control), "{control:?}");
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn plain_form_keeps_quotes_and_escapes_control_characters() {
        let mut out = Vec::new();
        escaped(&mut out, "a \"b\" \\ c\nd\u{7f}\u{9b}2J§", &PLAIN);
        assert_eq!(out, r#"a "b" \ c\nd\u007f\u009b2J§"#.as_bytes());
    }
}
