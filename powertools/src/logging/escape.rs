//! Texts and numbers as JSON.

/// What stands behind the backslash for each byte; 0 where the byte stands for itself.
const fn escapes(quotes: bool) -> [u8; 256] {
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
    if quotes {
        table[b'"' as usize] = b'"';
        table[b'\\' as usize] = b'\\';
    }
    table
}

/// How a text is written.
pub(super) type Escapes = [u8; 256];

/// Inside a JSON string.
pub(super) static JSON: Escapes = escapes(true);

/// In a line for people: control characters, which could end the line, are all that is escaped.
pub(super) static PLAIN: Escapes = escapes(false);

/// Writes `text` by `table`, without quotes around it.
pub(super) fn escaped(out: &mut Vec<u8>, text: &str, table: &Escapes) {
    let bytes = text.as_bytes();
    let mut written = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let escape = table[byte as usize];
        if escape == 0 {
            continue;
        }
        out.extend_from_slice(&bytes[written..at]);
        written = at + 1;
        if escape == b'u' {
            let digit = b"0123456789abcdef"[(byte & 0xf) as usize];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', b'0' + (byte >> 4), digit]);
        } else {
            out.extend_from_slice(&[b'\\', escape]);
        }
    }
    out.extend_from_slice(&bytes[written..]);
}

/// Writes `text` as a JSON string.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escaped(out, text, &JSON);
    out.push(b'"');
}

/// Writes an integer by its exact digits.
pub(super) fn integer(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Writes a float. JSON has no number for NaN and the infinities: those become texts.
pub(super) fn float(out: &mut Vec<u8>, number: f64) {
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
pub(super) fn boolean(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            let mut out = Vec::new();
            string(&mut out, &text);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }

        #[test]
        fn any_finite_float_comes_back(number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
            let mut out = Vec::new();
            float(&mut out, number);
            let text = std::str::from_utf8(&out).unwrap();
            serde_json::from_slice::<serde_json::Value>(&out).unwrap();
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), number.to_bits());
        }
    }

    #[test]
    fn every_control_character_is_escaped() {
        for byte in 0..0x20_u8 {
            let text = char::from(byte).to_string();
            let mut out = Vec::new();
            string(&mut out, &text);
            assert!(out.iter().all(|&byte| byte >= 0x20), "{byte}");
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn plain_text_keeps_its_quotes_and_its_line() {
        let mut out = Vec::new();
        escaped(&mut out, "a \"b\" \\ c\nd", &PLAIN);
        assert_eq!(out, br#"a "b" \ c\nd"#);
    }
}
