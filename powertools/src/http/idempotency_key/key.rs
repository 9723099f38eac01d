use http::HeaderMap;
use sfv::{Item, Parser};

/// The header, as draft-ietf-httpapi-idempotency-key-header-06 names it.
const HEADER: &str = "idempotency-key";

/// The longest key, in characters.
const LONGEST: usize = 255;

/// Returns the key of a request; `None` without the header, and an error for people if it is invalid.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, &'static str> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err("the request has several idempotency keys");
    }
    let value = value.as_bytes().trim_ascii();
    let key = if value.starts_with(b"\"") { quoted(value)? } else { bare(value)? };
    match key.chars().count() {
        0 => Err("the idempotency key is empty"),
        1..=LONGEST => Ok(Some(key)),
        _ => Err("the idempotency key has more than 255 characters"),
    }
}

/// Reads a string of a structured field. Its parameters mean nothing.
fn quoted(value: &[u8]) -> Result<String, &'static str> {
    let item = Parser::new(value).parse::<Item>().ok();
    let key = item.as_ref().and_then(|item| item.bare_item.as_string());
    let key = key.ok_or("the idempotency key is not a string of a structured field (RFC 9651)")?;
    Ok(key.as_str().to_owned())
}

/// Reads a key without quotes. A comma would separate several of them.
fn bare(value: &[u8]) -> Result<String, &'static str> {
    let is_valid = |byte: &u8| byte.is_ascii_graphic() && !b"\",;".contains(byte);
    match std::str::from_utf8(value) {
        Ok(key) if value.iter().all(is_valid) => Ok(key.to_owned()),
        _ if value.contains(&b',') => Err("the request has several idempotency keys"),
        _ => Err("the idempotency key has invalid characters"),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(values: &[&[u8]]) -> Result<Option<String>, &'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_bytes(value).unwrap());
        }
        key(&headers)
    }

    #[test]
    fn quoted_and_bare_keys_are_read() {
        let uuid = "8e03978e-40d5-43e8-bc93-6894a57f9324";
        for (value, key) in [
            (format!("\"{uuid}\""), uuid),
            (uuid.to_owned(), uuid),
            (format!("  {uuid} "), uuid),
            (r#""a b, c; d""#.to_owned(), "a b, c; d"),
            (r#""a\"b\\c""#.to_owned(), r#"a"b\c"#),
            (r#""k-1";version=2"#.to_owned(), "k-1"),
            ("k_1.=+/~:".to_owned(), "k_1.=+/~:"),
        ] {
            assert_eq!(of(&[value.as_bytes()]), Ok(Some(key.to_owned())), "{value}");
        }
        assert_eq!(of(&[]), Ok(None));
    }

    #[test]
    fn invalid_keys_are_rejected() {
        let long = "k".repeat(256);
        for value in [
            r#""unbalanced"#,
            r#"unbalanced""#,
            r#""a" "b""#,
            r#""a","b""#,
            "a,b",
            "a;b",
            "a b",
            "\"\"",
            "",
            "\"a\tb\"",
            "a\tb",
            "\"ä\"",
            "ä",
            r#""a\nb""#,
            &long,
            &format!("\"{long}\""),
        ] {
            assert!(of(&[value.as_bytes()]).is_err(), "{value}");
        }
        assert!(of(&[b"a", b"b"]).is_err() && of(&[b"a", b"a"]).is_err());
        assert_eq!(of(&[&long.as_bytes()[..255]]), Ok(Some("k".repeat(255))));
    }
}
