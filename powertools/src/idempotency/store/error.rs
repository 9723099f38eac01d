use lambda_runtime::Error as BoxError;

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    #[source]
    source: Option<BoxError>,
}

crate::error::own::without_name!(StoreError);

/// The situations that a [`StoreError`] tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The table does not exist.
    NotFound,
    /// The function's role may not do this.
    AccessDenied,
    /// The store takes no more requests just now.
    Throttled,
    /// There was no answer in time.
    Timeout,
    /// The result does not fit into a record.
    ResultTooLarge,
    /// The record cannot be understood: an attribute has a type that it should not have.
    Malformed,
    /// The store does not take requests of this form: the table has another key, for example.
    Invalid,
    /// Everything else: no connection, or a failure in the service.
    Other,
}

impl StoreError {
    /// Makes an error. `message` is lower case and does not repeat the cause.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The situation.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Returns true if the same request may succeed when it is sent again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            StoreErrorKind::Throttled | StoreErrorKind::Timeout | StoreErrorKind::Other
        )
    }

    /// Returns true if the request may have been carried out all the same.
    pub(in crate::idempotency) fn leaves_doubt(&self) -> bool {
        // A throttled or malformed answer can be the second one: the first may have been lost.
        !matches!(
            self.kind,
            StoreErrorKind::NotFound | StoreErrorKind::AccessDenied | StoreErrorKind::Invalid
        )
    }
}
