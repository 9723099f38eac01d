use std::fmt;
use std::time::Duration;

use futures_util::future::{BoxFuture, ready};
use lambda_runtime::Error as BoxError;

use super::{Content, Request};
use crate::error::causes::messages;

/// A place from which values come.
///
/// It fetches, and nothing else: caching, the sharing of concurrent fetches and timeouts are those of
/// [`Parameters`](super::Parameters), which calls it.
///
/// ```
/// use futures_util::future::BoxFuture;
/// use powertools::parameters::{Fetched, Request, Source, SourceError, SourceErrorKind};
///
/// #[derive(Debug)]
/// struct Upper;
///
/// impl Source for Upper {
///     fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>> {
///         Box::pin(async { Ok(Fetched::new(request.name.to_uppercase())) })
///     }
/// }
/// ```
pub trait Source: fmt::Debug + Send + Sync + 'static {
    /// Returns the value that `request` identifies.
    ///
    /// # Errors
    ///
    /// Returns [`SourceError`] if there is no such value or it cannot be read. An error must not
    /// contain a part of a value.
    fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>>;

    /// Writes a new version of the value that `request` identifies, and creates it if it does not
    /// exist.
    ///
    /// # Errors
    ///
    /// Returns [`SourceErrorKind::Unsupported`] unless the source implements it.
    fn set<'a>(
        &'a self,
        request: &'a Request,
        content: Content,
    ) -> BoxFuture<'a, Result<(), SourceError>> {
        let _ = (request, content);
        let error = SourceError::new(SourceErrorKind::Unsupported, "this source is read only");
        Box::pin(ready(Err(error)))
    }
}

/// A value that a [`Source`] returned.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fetched {
    /// The value.
    pub content: Content,
    /// The version of it, if the source has versions.
    pub version: Option<String>,
    /// The time before which the source must not be asked again.
    pub min_age: Option<Duration>,
    /// How long ago the value was read, if not just now.
    pub(super) age: Duration,
}

impl Fetched {
    /// Creates a value without a version.
    pub fn new(content: impl Into<Content>) -> Self {
        Self { content: content.into(), version: None, min_age: None, age: Duration::ZERO }
    }

    /// Sets the version.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Sets the time before which the source must not be asked again.
    #[must_use]
    pub fn min_age(mut self, age: Duration) -> Self {
        self.min_age = Some(age);
        self
    }
}

/// Why a [`Source`] returned no value.
///
/// Its `Debug` form has the messages of its causes and not their fields: the fields of an SDK's error contain the
/// response.
#[derive(thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    kind: SourceErrorKind,
    message: String,
    #[source]
    source: Option<BoxError>,
}

crate::error::own::without_name!(SourceError);

impl fmt::Debug for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let causes = self.source.as_deref().map(|source| messages(source)).unwrap_or_default();
        f.debug_struct("SourceError")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("causes", &causes)
            .finish()
    }
}

/// The kinds of a [`SourceError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceErrorKind {
    /// The value or this version of it does not exist.
    NotFound,
    /// The role of the function lacks a permission, or there are no credentials.
    AccessDenied,
    /// The source throttles requests.
    Throttled,
    /// The source did not respond in time.
    Timeout,
    /// The value is encrypted, and the request does not ask for it to be decrypted.
    Encrypted,
    /// The source does not have this kind of value, or is read only.
    Unsupported,
    /// The source could not be reached, or is not ready; or the credentials for it could not be fetched, or
    /// have expired.
    Unavailable,
    /// Any other failure.
    Other,
}

impl SourceError {
    /// Creates an error. `message` is lower case, and contains neither the cause nor a value.
    pub fn new(kind: SourceErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> SourceErrorKind {
        self.kind
    }

    /// Returns true if another attempt may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        use SourceErrorKind::{Other, Throttled, Timeout, Unavailable};
        matches!(self.kind, Throttled | Timeout | Unavailable | Other)
    }
}
