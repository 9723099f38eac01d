use lambda_runtime::Error as BoxError;

/// Why an operation of a store failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    #[source]
    source: Option<BoxError>,
    /// True if the store has refused every attempt of the request.
    is_refused: bool,
}

crate::error::own::without_name!(StoreError);

/// The kinds of a [`StoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The table does not exist.
    NotFound,
    /// The role of the function lacks a permission, or there are no credentials.
    AccessDenied,
    /// The store throttles requests.
    Throttled,
    /// The request timed out.
    Timeout,
    /// The result does not fit into a record.
    ResultTooLarge,
    /// The record is invalid: an attribute has an unexpected type.
    Malformed,
    /// The store rejects requests of this form, for example because the table has another key.
    Invalid,
    /// Any other failure, such as a failed connection or an internal error of the service.
    Other,
}

impl StoreError {
    /// Creates an error. `message` is lower case and does not repeat the cause.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, is_refused: false }
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Returns true if another attempt can succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            StoreErrorKind::Throttled | StoreErrorKind::Timeout | StoreErrorKind::Other
        )
    }

    /// Marks the error of a request that the store has refused, so that it was not carried out.
    pub(super) fn refused(mut self) -> Self {
        self.is_refused = true;
        self
    }

    /// Marks the error of a request that may have been carried out in an earlier attempt. Another attempt can
    /// show whether it was.
    pub(super) fn in_doubt(mut self) -> Self {
        self.is_refused = false;
        if !self.leaves_doubt() {
            self.kind = StoreErrorKind::Other;
        }
        self
    }

    /// Returns true if the request may have been carried out although it failed.
    pub(in crate::idempotency) fn leaves_doubt(&self) -> bool {
        // A throttled or malformed answer can be the second one: the first may have been lost.
        let is_final = matches!(
            self.kind,
            StoreErrorKind::NotFound | StoreErrorKind::AccessDenied | StoreErrorKind::Invalid
        );
        !self.is_refused && !is_final
    }
}
