use std::error::Error as StdError;

/// Anything that is an error or dereferences to one, as an error without its type.
///
/// The derive uses it for the one field of a `#[error(transparent)]` variant, which may be an error
/// type or a box such as `lambda_runtime::Error` and `anyhow::Error`.
///
/// ```
/// use powertools::macro_support::AsError as _;
///
/// let boxed = anyhow::anyhow!("no order");
/// assert_eq!(boxed.as_error().to_string(), "no order");
/// ```
pub trait AsError {
    /// Returns the error.
    fn as_error(&self) -> &(dyn StdError + 'static);
}

impl<E: StdError + 'static> AsError for E {
    fn as_error(&self) -> &(dyn StdError + 'static) {
        self
    }
}

impl AsError for dyn StdError + 'static {
    fn as_error(&self) -> &(dyn StdError + 'static) {
        self
    }
}

impl AsError for dyn StdError + Send + 'static {
    fn as_error(&self) -> &(dyn StdError + 'static) {
        self
    }
}

impl AsError for dyn StdError + Send + Sync + 'static {
    fn as_error(&self) -> &(dyn StdError + 'static) {
        self
    }
}
