//! `Debug` forms of values, in which hidden names are looked for too.

use super::redact::Redaction;

/// What replaces a value.
const REDACTED: &str = "*****";

/// Returns `text`, the `Debug` form of a value, without the values of hidden names. Returns nothing
/// where there are none.
///
/// A name is a field of a struct, as in `Login { password: "…" }`, or a key of a map, as in
/// `{"password": String("…")}`.
pub(in crate::logging) fn redact(text: &str, redaction: &Redaction) -> Option<String> {
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
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => {
                while let Some((_, char)) = chars.next() {
                    match char {
                        '\\' => drop(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' if depth == 0 => return text[..at].trim_end().len(),
            '}' | ']' | ')' => depth -= 1,
            ',' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
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
        ] {
            assert_eq!(redact(text, &redaction()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn other_debug_output_is_unchanged() {
        for text in ["", "password", "a::password::b", "Login { user: \"password\" }", "12:30"] {
            assert_eq!(redact(text, &redaction()), None);
        }
    }

    fn redaction() -> Redaction {
        let mut redaction = Redaction::default();
        ["password", "token"].into_iter().for_each(|name| redaction.add(name));
        redaction
    }
}
