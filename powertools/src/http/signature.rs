//! Signatures of webhooks.

use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, Request};
use sha2::Sha256;

use crate::clock::Clock;
use crate::error::Http;
#[cfg(feature = "test-util")]
use crate::hex::hex;
use crate::invocation::Invocation;

/// Verifies that a request was sent by who has the secret: HMAC-SHA256 over the body as it was sent.
///
/// ```
/// use powertools::http::{Request, Webhook, SignatureError};
/// # fn secret() -> &'static str { "whsec_1" }
///
/// # fn main() -> Result<(), SignatureError> {
/// let stripe = Webhook::stripe(secret())?; // at start
///
/// # let request = Request::default();
/// let verified = stripe.verify(&request); // for each request, before its body is read
/// assert!(matches!(verified, Err(SignatureError::Missing)));
/// # Ok(()) }
/// ```
///
/// | scheme | header | signed |
/// |---|---|---|
/// | [`github`](Self::github), as in "Validating webhook deliveries" of GitHub's documentation | `X-Hub-Signature-256: sha256=<hex>` | the body |
/// | [`stripe`](Self::stripe), as in "Verify webhook signatures manually" of Stripe's | `Stripe-Signature: t=<seconds>,v1=<hex>` | time, a dot, the body |
/// | [`hmac_sha256`](Self::hmac_sha256) | one of your choice | the body, or [time](Self::timestamp), a dot, the body |
///
/// Signatures are compared in constant time. A signed time may differ from the clock by five minutes, so that
/// a recorded request cannot be sent again later; [`tolerance`](Self::tolerance) sets another limit. Where no
/// time is signed, only the id of the delivery tells a repeated request: make the handler idempotent.
///
/// Any change of the body invalidates its signature, so verify it before a framework parses it. A layer
/// that decompresses requests changes it too.
#[derive(Clone)]
pub struct Webhook {
    scheme: Scheme,
    secrets: Vec<Vec<u8>>,
    tolerance: Duration,
}

#[derive(Clone)]
enum Scheme {
    Stripe,
    General {
        header: HeaderName,
        prefix: String,
        encoding: Encoding,
        timestamp: Option<HeaderName>,
    },
}

#[derive(Clone, Copy)]
enum Encoding {
    Hex,
    Base64,
}

/// How far a signed time may be from the clock by default, as with Stripe's libraries.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);

impl Webhook {
    /// Verifies requests of GitHub.
    ///
    /// # Errors
    ///
    /// Returns [`SignatureError::SecretEmpty`].
    pub fn github(secret: impl AsRef<[u8]>) -> Result<Self, SignatureError> {
        let header = HeaderName::from_static("x-hub-signature-256");
        Ok(Self::hmac_sha256(header, secret)?.prefix("sha256="))
    }

    /// Verifies requests of Stripe. The secret is that of the endpoint, with `whsec_`.
    ///
    /// # Errors
    ///
    /// Returns [`SignatureError::SecretEmpty`].
    pub fn stripe(secret: impl AsRef<[u8]>) -> Result<Self, SignatureError> {
        Self::new(Scheme::Stripe, secret)
    }

    /// Verifies requests whose signature is in `header`, in hexadecimal digits.
    ///
    /// # Errors
    ///
    /// Returns [`SignatureError::SecretEmpty`].
    pub fn hmac_sha256(
        header: HeaderName,
        secret: impl AsRef<[u8]>,
    ) -> Result<Self, SignatureError> {
        let (prefix, encoding) = (String::new(), Encoding::Hex);
        Self::new(Scheme::General { header, prefix, encoding, timestamp: None }, secret)
    }

    fn new(scheme: Scheme, secret: impl AsRef<[u8]>) -> Result<Self, SignatureError> {
        Self { scheme, secrets: Vec::new(), tolerance: TOLERANCE }.or_secret(secret)
    }

    /// Accepts signatures by this secret as well, while secrets are rotated. A line break at the end of a secret,
    /// as files have it, is not part of it.
    ///
    /// # Errors
    ///
    /// Returns [`SignatureError::SecretEmpty`]: everybody could sign with that.
    pub fn or_secret(mut self, secret: impl AsRef<[u8]>) -> Result<Self, SignatureError> {
        let secret = secret.as_ref();
        let secret = secret.strip_suffix(b"\n").unwrap_or(secret);
        let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
        if secret.trim_ascii().is_empty() {
            return Err(SignatureError::SecretEmpty);
        }
        self.secrets.push(secret.to_vec());
        Ok(self)
    }

    /// Sets what precedes the signature in its header. Only for [`hmac_sha256`](Self::hmac_sha256).
    #[must_use]
    pub fn prefix(mut self, text: impl Into<String>) -> Self {
        if let Scheme::General { prefix, .. } = &mut self.scheme {
            *prefix = text.into();
        }
        self
    }

    /// Reads signatures in base64. Only for [`hmac_sha256`](Self::hmac_sha256).
    #[must_use]
    pub fn base64(mut self) -> Self {
        if let Scheme::General { encoding, .. } = &mut self.scheme {
            *encoding = Encoding::Base64;
        }
        self
    }

    /// Sets the header with the signed time, in seconds since 1970. Only for
    /// [`hmac_sha256`](Self::hmac_sha256).
    #[must_use]
    pub fn timestamp(mut self, header: HeaderName) -> Self {
        if let Scheme::General { timestamp, .. } = &mut self.scheme {
            *timestamp = Some(header);
        }
        self
    }

    /// Sets how far a signed time may be from the clock, in either direction.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Verifies a request whose body is in memory.
    ///
    /// # Errors
    ///
    /// See [`verify_parts`](Self::verify_parts).
    pub fn verify<B: AsRef<[u8]>>(&self, request: &Request<B>) -> Result<(), SignatureError> {
        self.verify_parts(request.headers(), request.body().as_ref())
    }

    /// Verifies the headers and the body of a request.
    ///
    /// # Errors
    ///
    /// Returns a [`SignatureError`] unless a signature matches and the signed time, if there is one, is
    /// within the tolerance.
    pub fn verify_parts(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), SignatureError> {
        let (signatures, time) = match &self.scheme {
            Scheme::Stripe => of_stripe(single(headers, "stripe-signature")?)?,
            Scheme::General { header, prefix, encoding, timestamp } => {
                let value = single(headers, header.as_str())?.strip_prefix(prefix.as_str());
                let value = value.ok_or(SignatureError::Malformed)?;
                let signature = encoding.decode(value).ok_or(SignatureError::Malformed)?;
                let time = timestamp.as_ref().map(|header| single(headers, header.as_str()));
                (vec![signature], time.transpose()?)
            }
        };
        let time = time.map(|text| Some((text, seconds(text)?)));
        if time == Some(None) {
            return Err(SignatureError::Malformed);
        }
        let time = time.flatten();
        let matches = |secret: &Vec<u8>| {
            // Once for all signatures: a client can send as many as fit into a header.
            let mac = mac(secret, time.map(|(text, _)| text), body);
            mac.is_some_and(|mac| {
                signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
            })
        };
        if !self.secrets.iter().any(matches) {
            return Err(SignatureError::Mismatch);
        }
        match time {
            Some((_, seconds)) if self.is_off(seconds) => Err(SignatureError::Expired),
            _ => Ok(()),
        }
    }

    fn is_off(&self, seconds: u64) -> bool {
        now().abs_diff(Duration::from_secs(seconds)) > self.tolerance
    }

    /// Returns the headers that the sender adds to a request with this body.
    #[cfg(feature = "test-util")]
    pub(crate) fn sign(&self, body: &[u8]) -> Vec<(String, String)> {
        let time = now().as_secs().to_string();
        let secret = self.secrets.first().map_or(&[][..], Vec::as_slice);
        let signed = |time| mac(secret, time, body).map(|mac| mac.finalize().into_bytes());
        match &self.scheme {
            Scheme::Stripe => {
                let signature = signed(Some(&time)).map(|bytes| hex(&bytes)).unwrap_or_default();
                vec![("stripe-signature".to_owned(), format!("t={time},v1={signature}"))]
            }
            Scheme::General { header, prefix, encoding, timestamp } => {
                let signature = signed(timestamp.as_ref().map(|_| &*time)).unwrap_or_default();
                let signature = match encoding {
                    Encoding::Hex => hex(&signature),
                    Encoding::Base64 => BASE64_STANDARD.encode(signature),
                };
                let time = timestamp.as_ref().map(|header| (header.to_string(), time.clone()));
                let signature = (header.to_string(), format!("{prefix}{signature}"));
                time.into_iter().chain([signature]).collect()
            }
        }
    }
}

/// Returns the time since 1970, by the clock of the invocation if there is one.
fn now() -> Duration {
    let clock = Invocation::current().map_or_else(Clock::system, |current| current.clock().clone());
    clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, SignatureError> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(SignatureError::Missing)?;
    match values.next() {
        None => value.to_str().map(str::trim).map_err(|_| SignatureError::Malformed),
        Some(_) => Err(SignatureError::Malformed),
    }
}

/// Reads `t=1492774577,v1=5257a8…,v0=…`: the signatures of version 1, and the time.
fn of_stripe(value: &str) -> Result<(Vec<Vec<u8>>, Option<&str>), SignatureError> {
    let (mut signatures, mut time) = (Vec::new(), None);
    for part in value.split(',') {
        match part.trim().split_once('=') {
            Some(("t", text)) if time.is_none() => time = Some(text),
            Some(("t", _)) | None => return Err(SignatureError::Malformed),
            Some(("v1", hex)) => {
                signatures.push(Encoding::Hex.decode(hex).ok_or(SignatureError::Malformed)?);
            }
            Some(_) => {}
        }
    }
    if time.is_none() || signatures.is_empty() {
        return Err(SignatureError::Malformed);
    }
    Ok((signatures, time))
}

fn seconds(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// Returns what a signature is compared with, in constant time.
fn mac(secret: &[u8], time: Option<&str>, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    if let Some(time) = time {
        mac.update(time.as_bytes());
        mac.update(b".");
    }
    mac.update(body);
    Some(mac)
}

impl Encoding {
    fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Base64 => BASE64_STANDARD.decode(text).ok(),
            Self::Hex => {
                let digit = |digit: u8| char::from(digit).to_digit(16).map(|digit| digit as u8);
                let (pairs, rest) = text.as_bytes().as_chunks::<2>();
                let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
                if rest.is_empty() { bytes.collect() } else { None }
            }
        }
    }
}

impl fmt::Debug for Webhook {
    // Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match &self.scheme {
            Scheme::Stripe => "stripe",
            Scheme::General { header, .. } => header.as_str(),
        };
        f.debug_struct("Webhook")
            .field("scheme", &scheme)
            .field("secrets", &self.secrets.len())
            .field("tolerance", &self.tolerance)
            .finish()
    }
}

/// Why the signature of a request was not accepted.
///
/// [`Powertools::http`](crate::Powertools::http) answers with 400 where it is malformed, else with 403.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The secret is empty, so that everybody could sign. It is a mistake in the configuration.
    #[error("the secret of a webhook is empty")]
    SecretEmpty,
    /// The request has no signature, or no signed time.
    #[error("the request has no signature")]
    Missing,
    /// The signature or the signed time cannot be read, or there are several.
    #[error("the signature of the request cannot be read")]
    Malformed,
    /// The signature is not that of this body, this time and this secret.
    #[error("the signature of the request does not match")]
    Mismatch,
    /// The signature matches, but its time is too far from the clock.
    #[error("the signature of the request has expired")]
    Expired,
}

impl SignatureError {
    /// Returns the name under which Lambda reports the error. It never changes, so that an alarm can
    /// match it.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::SecretEmpty => "Powertools.HttpSecretEmpty",
            Self::Missing => "Powertools.HttpSignatureMissing",
            Self::Malformed => "Powertools.HttpSignatureMalformed",
            Self::Mismatch => "Powertools.HttpSignatureMismatch",
            Self::Expired => "Powertools.HttpSignatureExpired",
        }
    }

    /// Returns true if another attempt with the same request can succeed: never.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        false
    }

    fn http(&self) -> Option<Http> {
        let status = match self {
            Self::SecretEmpty => 500,
            Self::Malformed => 400,
            Self::Missing | Self::Mismatch | Self::Expired => 403,
        };
        Some(Http::new(status).with_message_of(self))
    }
}

crate::error::own::name_in_lambda!(SignatureError, http = SignatureError::http);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex::hex;

    const BODY: &[u8] = b"Hello, World!";

    fn signed(secret: &str, parts: &[&[u8]]) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().to_vec()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    /// At this second since 1970.
    fn at<T>(seconds: u64, f: impl FnOnce() -> T) -> T {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let context = lambda_runtime::Context::default();
        Invocation::with_clock(&context, Clock::from_fn(move || now)).sync_scope(f)
    }

    #[test]
    fn the_example_of_github_is_accepted() {
        // From GitHub's page "Validating webhook deliveries".
        let webhook = Webhook::github("It's a Secret to Everybody").unwrap();
        let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let headers = headers(&[("x-hub-signature-256", signature)]);
        assert_eq!(webhook.verify_parts(&headers, BODY), Ok(()));
        assert_eq!(webhook.verify_parts(&headers, b"hello"), Err(SignatureError::Mismatch));
        let other = Webhook::github("another").unwrap();
        assert_eq!(other.verify_parts(&headers, BODY), Err(SignatureError::Mismatch));
        let rotated = other.or_secret("It's a Secret to Everybody").unwrap();
        assert_eq!(rotated.verify_parts(&headers, BODY), Ok(()));
    }

    #[test]
    fn signatures_of_stripe_are_accepted_within_the_tolerance() {
        let webhook = Webhook::stripe("whsec_1").unwrap();
        let good = hex(&signed("whsec_1", &[b"1000.", BODY]));
        let bad = "0".repeat(64);
        let verify = |value: &str, now| {
            at(now, || webhook.verify_parts(&headers(&[("stripe-signature", value)]), BODY))
        };
        let value = format!("t=1000,v1={bad},v1={good},v0=zz");
        for now in [700, 1000, 1300] {
            assert_eq!(verify(&value, now), Ok(()));
        }
        assert_eq!(verify(&value, 1301), Err(SignatureError::Expired));
        assert_eq!(verify(&value, 699), Err(SignatureError::Expired));
        // Another time is not signed, and a signature of another version does not count.
        assert_eq!(verify(&format!("t=1001,v1={good}"), 1000), Err(SignatureError::Mismatch));
        assert_eq!(
            verify(&format!("t=1000,v1={bad},v0={good}"), 1000),
            Err(SignatureError::Mismatch)
        );
        for value in [
            "",
            "t=1000",
            &format!("v1={good}"),
            &format!("t=1000,t=1000,v1={good}"),
            "t=1000,v1=xyz",
            "t=1000,v1=abc",
            &format!("t=-1,v1={good}"),
            &format!("t=,v1={good}"),
            "nonsense",
        ] {
            assert_eq!(verify(value, 1000), Err(SignatureError::Malformed), "{value}");
        }
    }

    #[test]
    fn other_schemes_are_described() {
        let (signature, time) =
            (HeaderName::from_static("x-signature"), HeaderName::from_static("x-time"));
        let webhook =
            Webhook::hmac_sha256(signature, "s").unwrap().base64().prefix("v1,").timestamp(time);
        let value = BASE64_STANDARD.encode(signed("s", &[b"1000.", BODY]));
        let value = format!("v1,{value}");
        let verify = |pairs: &[(&'static str, &str)]| {
            at(1000, || webhook.verify_parts(&headers(pairs), BODY))
        };
        assert_eq!(verify(&[("x-signature", &value), ("x-time", "1000")]), Ok(()));
        assert_eq!(verify(&[("x-signature", &value)]), Err(SignatureError::Missing));
        assert_eq!(verify(&[("x-time", "1000")]), Err(SignatureError::Missing));
        let twice = [("x-signature", &*value), ("x-signature", &*value), ("x-time", "1000")];
        assert_eq!(verify(&twice), Err(SignatureError::Malformed));
        assert_eq!(
            verify(&[("x-signature", &value[3..]), ("x-time", "1000")]),
            Err(SignatureError::Malformed)
        );
        assert_eq!(
            verify(&[("x-signature", &value), ("x-time", "1e3")]),
            Err(SignatureError::Malformed)
        );
    }

    #[test]
    fn a_secret_is_neither_empty_nor_shown() {
        for secret in ["", " ", "\n"] {
            assert_eq!(Webhook::stripe(secret).unwrap_err(), SignatureError::SecretEmpty);
        }
        assert!(!format!("{:?}", Webhook::stripe("whsec_1").unwrap()).contains("whsec"));
    }
}
