//! Signatures of requests: [Signature Version 4](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::credentials::Credentials;
use crate::clock::date;
use crate::hex::push_hex;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How much of `20261128T074441Z` is the date.
const DATE: usize = 8;
const SECONDS_OF_DAY: u64 = 86_400;

/// Signs requests to one service in one region.
///
/// The key of a signature is derived from the credentials and the day, by four hashes. The last one is
/// kept.
pub(crate) struct Signer {
    region: String,
    service: &'static str,
    kept: Mutex<Option<Kept>>,
}

/// A request to sign.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unsigned<'a> {
    pub(crate) method: &'a str,
    /// The path as it is sent, without empty segments, `.` and `..`.
    pub(crate) path: &'a str,
    /// The query as it is sent, with everything escaped that is no letter, digit, `-`, `.`, `_` or
    /// `~`. Empty if there is none.
    pub(crate) query: &'a str,
    /// The headers, with `host`. Each has a name of its own, in lower case.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a [u8],
}

/// The headers that a signature adds, beside `x-amz-security-token` where there is a token.
pub(crate) struct Signature {
    /// `x-amz-date`.
    pub(crate) date: String,
    /// `authorization`.
    pub(crate) authorization: String,
}

struct Kept {
    day: u64,
    secret: String,
    key: Hmac<Sha256>,
}

impl Signer {
    pub(crate) fn new(region: impl Into<String>, service: &'static str) -> Self {
        Self { region: region.into(), service, kept: Mutex::default() }
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// Signs a request for a service whose clock shows `now`.
    pub(crate) fn sign(
        &self,
        request: Unsigned<'_>,
        credentials: &Credentials,
        now: SystemTime,
    ) -> Signature {
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let time = time(since);
        let date = &time[..DATE];

        let mut headers = Vec::with_capacity(request.headers.len() + 2);
        headers.extend_from_slice(request.headers);
        headers.push(("x-amz-date", &time));
        headers.extend(credentials.session_token().map(|token| ("x-amz-security-token", token)));
        headers.sort_unstable();
        let mut names = String::with_capacity(80);
        for (name, _) in &headers {
            if !names.is_empty() {
                names.push(';');
            }
            names.push_str(name);
        }

        let canonical = canonical(request, &headers, &names);
        let scope = [date, &self.region, self.service, "aws4_request"].join("/");
        let mut text = String::with_capacity(160);
        for part in [ALGORITHM, &time, &scope] {
            text.push_str(part);
            text.push('\n');
        }
        push_hex(&mut text, &Sha256::digest(canonical));

        let mut mac = self.key(credentials, since / SECONDS_OF_DAY, date);
        mac.update(text.as_bytes());
        let mut authorization = String::with_capacity(280);
        for part in [ALGORITHM, " Credential=", credentials.access_key_id(), "/", &scope] {
            authorization.push_str(part);
        }
        for part in [", SignedHeaders=", &names, ", Signature="] {
            authorization.push_str(part);
        }
        push_hex(&mut authorization, &mac.finalize().into_bytes());
        Signature { date: time, authorization }
    }

    /// Returns the key of `day`, without a text yet.
    fn key(&self, credentials: &Credentials, day: u64, date: &str) -> Hmac<Sha256> {
        let secret = credentials.secret_access_key();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(kept) if kept.day == day && kept.secret == secret => kept.key.clone(),
            _ => {
                let key = derive(secret, [date, &self.region, self.service, "aws4_request"]);
                *kept = Some(Kept { day, secret: secret.to_owned(), key: key.clone() });
                key
            }
        }
    }
}

/// Shows nothing of the key that is kept.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, service, .. } = self;
        f.debug_struct("Signer")
            .field("region", region)
            .field("service", service)
            .finish_non_exhaustive()
    }
}

fn derive(secret: &str, parts: [&str; 4]) -> Hmac<Sha256> {
    let mut mac = keyed(format!("AWS4{secret}").as_bytes());
    for part in parts {
        mac.update(part.as_bytes());
        mac = keyed(&mac.finalize().into_bytes());
    }
    mac
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("a key of HMAC has any length")
}

/// The text that stands for a request.
fn canonical(request: Unsigned<'_>, headers: &[(&str, &str)], names: &str) -> String {
    let mut text = String::with_capacity(512);
    text.push_str(request.method);
    text.push('\n');
    push_path(&mut text, request.path);
    text.push('\n');
    push_query(&mut text, request.query);
    text.push('\n');
    for (name, value) in headers {
        text.push_str(name);
        text.push(':');
        push_value(&mut text, value);
        text.push('\n');
    }
    text.push('\n');
    text.push_str(names);
    text.push('\n');
    push_hex(&mut text, &Sha256::digest(request.body));
    text
}

/// Writes a path that is escaped already, which is then escaped once more.
fn push_path(text: &mut String, path: &str) {
    if path.is_empty() {
        text.push('/');
    }
    for &byte in path.as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(char::from(byte));
            }
            _ => {
                text.push('%');
                text.push(char::from(HEX_IN_CAPITALS[usize::from(byte >> 4)]));
                text.push(char::from(HEX_IN_CAPITALS[usize::from(byte & 15)]));
            }
        }
    }
}

/// Writes the parts of a query, sorted.
fn push_query(text: &mut String, query: &str) {
    if query.is_empty() {
        return;
    }
    let parts = query.split('&').map(|part| part.split_once('=').unwrap_or((part, "")));
    let mut parts: Vec<_> = parts.collect();
    parts.sort_unstable();
    for (index, (name, value)) in parts.into_iter().enumerate() {
        for part in [if index == 0 { "" } else { "&" }, name, "=", value] {
            text.push_str(part);
        }
    }
}

/// Writes the value of a header: without spaces around it, and with one for several.
fn push_value(text: &mut String, value: &str) {
    let value = value.trim_matches(' ');
    if !value.contains("  ") {
        return text.push_str(value);
    }
    let mut last = ' ';
    for character in value.chars() {
        if character != ' ' || last != ' ' {
            text.push(character);
        }
        last = character;
    }
}

const HEX_IN_CAPITALS: &[u8; 16] = b"0123456789ABCDEF";

/// Writes a number of seconds since 1970 as `20261128T074441Z`.
fn time(since: u64) -> String {
    let (year, month, day) = date(since / SECONDS_OF_DAY);
    let of_day = since % SECONDS_OF_DAY;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests;
