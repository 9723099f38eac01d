use std::fmt;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue, SET_COOKIE};
use http::{HeaderMap, StatusCode, response};
use lambda_runtime::MetadataPrelude;
use percent_encoding::{AsciiSet, utf8_percent_encode};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::text::{Encoded, encode};
use crate::http::request::Front;
use crate::invocation::ReplyLimit;

/// A response in the form that the front end of its request reads.
///
/// | front end | headers |
/// |---|---|
/// | REST APIs, load balancers with multi-value headers | every value of each (`multiValueHeaders`) |
/// | HTTP APIs, function URLs | values of one name joined by a comma, and `cookies` |
/// | load balancers without, VPC Lattice, WebSocket APIs | values of one name joined by a comma; several cookies under names that differ in case |
pub struct Reply {
    front: Front,
    status: StatusCode,
    headers: HeaderMap,
    body: Encoded,
}

impl Reply {
    pub(in crate::http) fn new(front: Front, parts: response::Parts, body: Bytes) -> Self {
        let body = encode(&parts.headers, body);
        Self { front, status: parts.status, headers: parts.headers, body }
    }

    /// Returns the limit of its JSON.
    pub(crate) fn limit(&self) -> ReplyLimit {
        self.front.reply_limit(self.body.len())
    }
}

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("statusCode", &self.status.as_u16())?;
        match self.front {
            Front::RestApi | Front::LoadBalancer { has_lists: true } => {
                map.serialize_entry("multiValueHeaders", &Lists(&self.headers))?;
            }
            Front::HttpApi | Front::FunctionUrl => {
                map.serialize_entry("headers", &Joined { headers: &self.headers, cookies: false })?;
                // Also without any: `cargo lambda watch` rejects a reply that has no list.
                map.serialize_entry("cookies", &cookies(&self.headers))?;
            }
            Front::LoadBalancer { has_lists: false } | Front::VpcLattice | Front::WebSocketApi => {
                map.serialize_entry("headers", &Joined { headers: &self.headers, cookies: true })?;
            }
        }
        if matches!(self.front, Front::LoadBalancer { .. } | Front::VpcLattice) {
            let reason = self.status.canonical_reason().unwrap_or("Unknown");
            map.serialize_entry(
                "statusDescription",
                &format!("{} {reason}", self.status.as_u16()),
            )?;
        }
        let (is_base64, body) = match &self.body {
            Encoded::Text(body) => (false, body),
            Encoded::Base64(body) => (true, body),
        };
        map.serialize_entry("body", body)?;
        map.serialize_entry("isBase64Encoded", &is_base64)?;
        map.end()
    }
}

/// Returns what precedes a streamed body. It has no lists of values, and no characters beyond ASCII in them.
pub(in crate::http) fn prelude(parts: response::Parts) -> MetadataPrelude {
    let mut headers = HeaderMap::with_capacity(parts.headers.keys_len());
    for name in parts.headers.keys().filter(|name| *name != SET_COOKIE) {
        let value = joined(&parts.headers, name);
        // The runtime writes a value with other characters as an empty list.
        let value = utf8_percent_encode(&value, &AsciiSet::EMPTY).to_string();
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name.clone(), value);
        }
    }
    let cookies = cookies(&parts.headers);
    MetadataPrelude { status_code: parts.status, headers, cookies }
}

/// Every value of each header.
struct Lists<'a>(&'a HeaderMap);

impl Serialize for Lists<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.keys_len()))?;
        for name in self.0.keys() {
            let values: Vec<String> = self.0.get_all(name).iter().map(text).collect();
            map.serialize_entry(name.as_str(), &values)?;
        }
        map.end()
    }
}

/// One value for each header.
struct Joined<'a> {
    headers: &'a HeaderMap,
    /// Whether the cookies are among them.
    cookies: bool,
}

impl Serialize for Joined<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for name in self.headers.keys().filter(|name| *name != SET_COOKIE) {
            map.serialize_entry(name.as_str(), &joined(self.headers, name))?;
        }
        if self.cookies {
            for (index, cookie) in cookies(self.headers).iter().enumerate() {
                map.serialize_entry(&set_cookie(index), cookie)?;
            }
        }
        map.end()
    }
}

fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let mut values = headers.get_all(name).iter().map(text);
    let first = values.next().unwrap_or_default();
    values.fold(first, |joined, value| format!("{joined}, {value}"))
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    headers.get_all(SET_COOKIE).iter().map(text).collect()
}

/// Returns the name of the header of a cookie. Cookies cannot be joined, and a name can be there once:
/// so that of each one differs from the others in the case of its letters.
fn set_cookie(index: usize) -> String {
    let mut bits = index;
    let letter = |letter: char| {
        if !letter.is_ascii_alphabetic() {
            return letter;
        }
        let is_upper = bits & 1 == 1;
        bits >>= 1;
        if is_upper { letter.to_ascii_uppercase() } else { letter }
    };
    SET_COOKIE.as_str().chars().map(letter).collect()
}

/// Returns a value as a string. Bytes that are not UTF-8 are characters of Latin-1, as in HTTP of old.
fn text(value: &HeaderValue) -> String {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => value.as_bytes().iter().map(|byte| char::from(*byte)).collect(),
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_names_of_many_cookies_differ() {
        let names: HashSet<String> = (0..200).map(set_cookie).collect();
        assert_eq!(names.len(), 200);
        assert!(names.iter().all(|name| name.eq_ignore_ascii_case("set-cookie")));
        assert_eq!(set_cookie(0), "set-cookie");
        assert_eq!(set_cookie(1), "Set-cookie");
    }
}
