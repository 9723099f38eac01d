use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

/// A body as it is written in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) enum Encoded {
    Text(String),
    Base64(String),
}

impl Encoded {
    /// Returns the number of its bytes, without escapes.
    pub(super) fn len(&self) -> usize {
        let (Self::Text(body) | Self::Base64(body)) = self;
        body.len()
    }
}

/// Decides by the type and encoding of the content whether it is text, and never changes a byte of it.
pub(in crate::http) fn encode(headers: &HeaderMap, body: Bytes) -> Encoded {
    if is_text(headers) {
        match String::from_utf8(body.into()) {
            Ok(text) => return Encoded::Text(text),
            // It is declared as text and is not.
            Err(error) => return Encoded::Base64(BASE64_STANDARD.encode(error.as_bytes())),
        }
    }
    Encoded::Base64(BASE64_STANDARD.encode(body))
}

fn is_text(headers: &HeaderMap) -> bool {
    let identity = |encoding: &[u8]| encoding.trim_ascii().eq_ignore_ascii_case(b"identity");
    if headers.get_all(CONTENT_ENCODING).iter().any(|encoding| !identity(encoding.as_bytes())) {
        return false;
    }
    let Some(content_type) = headers.get(CONTENT_TYPE) else { return true };
    let Ok(content_type) = content_type.to_str() else { return false };
    let content_type = content_type.to_ascii_lowercase();
    let mut parts = content_type.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let charset = parts.find_map(|parameter| parameter.strip_prefix("charset="));
    if charset
        .is_some_and(|charset| !matches!(charset.trim_matches('"'), "utf-8" | "utf8" | "us-ascii"))
    {
        return false;
    }
    let subtype = media_type.rsplit_once('/').map_or("", |(_, subtype)| subtype);
    let suffix = subtype.rsplit_once('+').map_or(subtype, |(_, suffix)| suffix);
    media_type.starts_with("text/")
        || matches!(suffix, "json" | "xml" | "yaml")
        || matches!(
            subtype,
            "javascript"
                | "ecmascript"
                | "graphql"
                | "x-www-form-urlencoded"
                | "x-ndjson"
                | "jsonl"
                | "x-yaml"
                | "sql"
        )
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(content_type: Option<&'static str>, encoding: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [(CONTENT_TYPE, content_type), (CONTENT_ENCODING, encoding)] {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        headers
    }

    #[test]
    fn content_type_and_encoding_decide_what_is_text() {
        for content_type in [
            "text/html",
            "application/json",
            "APPLICATION/JSON; Charset=UTF-8",
            "application/problem+json",
            "image/svg+xml",
            "application/x-www-form-urlencoded",
            "text/plain; charset=\"utf-8\"",
        ] {
            assert!(is_text(&headers(Some(content_type), None)), "{content_type}");
            assert!(!is_text(&headers(Some(content_type), Some("gzip"))), "{content_type}");
            assert!(is_text(&headers(Some(content_type), Some("identity"))), "{content_type}");
        }
        for content_type in [
            "image/png",
            "application/octet-stream",
            "application/pdf",
            "application/cbor",
            "text/plain; charset=iso-8859-1",
            "multipart/form-data; boundary=x",
        ] {
            assert!(!is_text(&headers(Some(content_type), None)), "{content_type}");
        }
        assert!(is_text(&headers(None, None)));
        assert!(!is_text(&headers(None, Some("br"))));
    }

    #[test]
    fn text_that_is_invalid_utf_8_keeps_its_bytes() {
        let body = Bytes::from_static(b"Jos\xe9");
        let encoded = encode(&headers(Some("text/plain"), None), body);
        assert_eq!(encoded, Encoded::Base64("Sm9z6Q==".to_owned()));
    }
}
