use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue, SET_COOKIE};
use http::{Response, StatusCode, response};
use http_body_util::Full;
use serde::{Deserialize, Serialize};

use crate::http::Problem;
use crate::http::response::{Encoded, IntoResponse, encode};

/// A response in a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stored {
    status_code: u16,
    headers: Vec<Header>,
    /// Absent if the body is beyond the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    name: String,
    value: String,
    /// True if the value is bytes that are not UTF-8.
    is_base64_encoded: bool,
}

/// The header that marks a replay.
const MARK: HeaderName = HeaderName::from_static("idempotency-replayed");

impl Stored {
    /// Takes what is stored of a response. Without a body it is beyond the limit.
    pub(super) fn new(
        parts: &response::Parts,
        body: Option<&Bytes>,
        replayed: &[HeaderName],
        limit: usize,
    ) -> Self {
        let is_replayed = |name: &HeaderName| replayed.contains(name) && *name != SET_COOKIE;
        let headers = parts.headers.iter().filter(|(name, _)| is_replayed(name)).map(Header::new);
        let (body, is_base64_encoded) = match body.map(|body| encode(&parts.headers, body.clone()))
        {
            // Escapes count, up to the third that base64 adds to other bodies.
            Some(Encoded::Text(body)) if escaped_length(&body) > limit.saturating_mul(4) / 3 => {
                (None, false)
            }
            Some(Encoded::Text(body)) => (Some(body), false),
            Some(Encoded::Base64(body)) => (Some(body), true),
            None => (None, false),
        };
        Self {
            status_code: parts.status.as_u16(),
            headers: headers.collect(),
            body,
            is_base64_encoded,
        }
    }

    /// Returns the response once more, or `None` if this is not one.
    pub(super) fn replay(self) -> Option<Response<Full<Bytes>>> {
        let status = StatusCode::from_u16(self.status_code).ok()?;
        let mut response = match self.body {
            None => Problem::new(StatusCode::CONFLICT)
                .detail("the request was processed before, and its response is no longer available")
                .member("response_status", self.status_code)
                .into_response(),
            Some(body) => {
                let body = bytes(body, self.is_base64_encoded)?;
                let mut response = Response::new(Full::new(body.into()));
                *response.status_mut() = status;
                for Header { name, value, is_base64_encoded } in self.headers {
                    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
                    let value = HeaderValue::from_bytes(&bytes(value, is_base64_encoded)?).ok()?;
                    response.headers_mut().append(name, value);
                }
                response
            }
        };
        response.headers_mut().insert(MARK, HeaderValue::from_static("true"));
        Some(response)
    }
}

impl Header {
    fn new((name, value): (&HeaderName, &HeaderValue)) -> Self {
        let (value, is_base64_encoded) = match std::str::from_utf8(value.as_bytes()) {
            Ok(value) => (value.to_owned(), false),
            Err(_) => (BASE64_STANDARD.encode(value.as_bytes()), true),
        };
        Self { name: name.as_str().to_owned(), value, is_base64_encoded }
    }
}

/// Returns the length of a text within JSON, in bytes.
fn escaped_length(text: &str) -> usize {
    let length = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(length).sum()
}

fn bytes(text: String, is_base64: bool) -> Option<Vec<u8>> {
    if is_base64 { BASE64_STANDARD.decode(text).ok() } else { Some(text.into_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::escaped_length;

    #[test]
    fn the_length_of_a_text_is_that_of_its_json() {
        let every: String = (0..=0x2fff).filter_map(char::from_u32).collect();
        for text in ["", "plain", "a\"b\\c", "grün \u{1f600}", &every] {
            assert_eq!(escaped_length(text) + 2, serde_json::to_string(text).unwrap().len());
        }
    }
}
