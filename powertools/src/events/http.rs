use ::http::{HeaderMap, Request};

use super::{HasNaturalKey, NaturalKey};

/// The header by which a client identifies a request that it repeats.
///
/// See the draft of the IETF's HTTPAPI working group, "The Idempotency-Key HTTP Header Field".
const HEADER: &str = "idempotency-key";

/// The requests of `lambda_http` and axum.
impl<B> HasNaturalKey for Request<B> {
    fn natural_key(&self) -> NaturalKey {
        of_headers([self.headers()])
    }
}

/// The key in the first of these maps that contains the header.
pub(super) fn of_headers<'a>(maps: impl IntoIterator<Item = &'a HeaderMap>) -> NaturalKey {
    let key = maps.into_iter().find_map(|headers| headers.get(HEADER)?.to_str().ok());
    NaturalKey::new([key])
}
