//! Finds the ends of values in valid JSON.

/// Returns the end of the string that starts at `at`: the position after its closing quote.
pub(crate) fn string_end(bytes: &[u8], at: usize) -> usize {
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
pub(crate) fn value_end(bytes: &[u8], mut at: usize) -> usize {
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
pub(crate) fn scalar_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let end = rest.iter().position(
        |byte| !matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z'),
    );
    // At least one byte, so that invalid JSON cannot stop the copy.
    at + end.unwrap_or(rest.len()).max(1)
}

/// Returns the position of the colon after a name, or `None` after a value.
pub(crate) fn colon(bytes: &[u8], at: usize) -> Option<usize> {
    let space = bytes[at..].iter().position(|byte| !byte.is_ascii_whitespace())?;
    (bytes[at + space] == b':').then_some(at + space)
}

/// The UTF-16 code unit of the `\uXXXX` that `text` begins with.
pub(crate) fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    digits
        .iter()
        .try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)? as u16))
}

/// The JSON pointer (RFC 6901) to what is being written, or read, at `end`: text before it is valid.
pub(crate) fn pointer_to(text: &[u8], end: usize) -> String {
    enum Step {
        Name(String),
        Index(usize),
    }
    let mut steps = Vec::new();
    let mut at = 0;
    while at < end.min(text.len()) {
        let byte = text[at];
        at += 1;
        match byte {
            b'{' => steps.push(Step::Name(String::new())),
            b'[' => steps.push(Step::Index(0)),
            b'}' | b']' => _ = steps.pop(),
            b',' => match steps.last_mut() {
                Some(Step::Index(index)) => *index += 1,
                Some(Step::Name(name)) => name.clear(),
                None => {}
            },
            b'"' => {
                let start = at - 1;
                at = string_end(text, start);
                if let Some(Step::Name(name)) = steps.last_mut()
                    && colon(text, at).is_some()
                {
                    *name = serde_json::from_slice(&text[start..at]).unwrap_or_default();
                }
            }
            _ => {}
        }
    }
    let mut pointer = String::new();
    for step in steps {
        pointer.push('/');
        match step {
            Step::Name(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
            Step::Index(index) => pointer.push_str(&index.to_string()),
        }
    }
    pointer
}
