//! Fixed names for a function's own errors, and whether they are permanent or retryable.
//!
//! Lambda reports an error as `errorType` and `errorMessage`. State machines match the type
//! (`ErrorEquals`), and alarms and people search for it. Without a name, it is the path of a Rust
//! type: that of the error, or of the box in which it was returned.
//! [`#[derive(LambdaError)]`](macro@crate::LambdaError) gives an error type its names:
//!
//! ```
//! use powertools::LambdaError;
//!
//! #[derive(Debug, thiserror::Error, LambdaError)]
//! enum OrderError {
//!     #[error("the card was declined")]
//!     #[error_type = "CardDeclined"]
//!     #[permanent]
//!     Declined,
//!     #[error("the warehouse does not answer")]
//!     Warehouse(#[from] std::io::Error),
//! }
//!
//! assert_eq!(OrderError::Declined.error_type(), "CardDeclined");
//! assert!(OrderError::Declined.is_permanent());
//!
//! let error = OrderError::Warehouse(std::io::Error::other("timed out"));
//! assert_eq!(error.error_type(), "OrderError.Warehouse");
//! assert!(!error.is_permanent());
//!
//! let diagnostic = lambda_runtime::Diagnostic::from(error);
//! assert_eq!(diagnostic.error_type, "OrderError.Warehouse");
//! assert_eq!(diagnostic.error_message, "the warehouse does not answer: timed out");
//! ```
//!
//! # Where the name appears
//!
//! | a handler that returns | under [`Powertools`](crate::Powertools) | under plain `lambda_runtime::run` |
//! |---|---|---|
//! | the error type itself | its name, and its message with those of its causes | the same |
//! | it in a `lambda_runtime::Error` or an `anyhow::Error`, or as the cause of an error in one | the same | the name of the box |
//!
//! A box hides the type of its error, and [`std::error::Error`] has no method for a name. So the
//! derive also [registers](crate::register_lambda_error) the type before `main` starts, and [`find`]
//! tries each registered type on each error of a chain. It finds the error by value, in a `Box` or in
//! an `Arc`, wherever it was boxed. It does not find
//!
//! - an error type with type parameters, which cannot be registered: return it unboxed, or put it in
//!   a [transparent](macro@crate::LambdaError#transparent-variants) variant of another type;
//! - the error in a `#[error(transparent)]` variant of a type *without* the derive, since that error
//!   is not among the causes;
//! - the error in a box from which an `anyhow::Error` was created, as by `anyhow!(boxed)` and
//!   `anyhow::Error::from_boxed`, once that has a context or was converted into a
//!   `lambda_runtime::Error`: a private type of `anyhow` is around the box. The causes of the error
//!   are found. Use `?` on the error itself before it is boxed, or `anyhow::Error::new`.
//!
//! # Where the class and the status are used
//!
//! An HTTP function answers an error with `#[http(status = 402)]` with that status: see [`Http`].
//!
//! A batch treats a [permanent](crate::LambdaError::is_permanent) error of a record as
//! [`RecordError::permanent`](crate::batch::RecordError::permanent), without any conversion.

pub(crate) mod causes;
pub(crate) mod diagnose;
mod http;
pub(crate) mod lambda_error;
pub(crate) mod own;
pub(crate) mod panic;
pub(crate) mod registry;

#[doc(no_inline)]
pub use lambda_runtime::Diagnostic;

pub(crate) use self::causes::with_causes;
use self::diagnose::bounded;
pub(crate) use self::http::AT_ONCE;
pub use self::http::{Http, http};
pub(crate) use self::lambda_error::LambdaError;
pub(crate) use self::registry::describe;
pub use self::registry::{Description, find};

/// An error that can be reported to Lambda: any with `Into<Diagnostic>`.
///
/// `lambda_runtime::Error`, `anyhow::Error`, this toolkit's errors and those with
/// [`#[derive(LambdaError)]`](macro@crate::LambdaError) implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be reported to Lambda",
    label = "this error type has no name for Lambda",
    note = "put `#[derive(LambdaError)]` on it, or return `lambda_runtime::Error` or `anyhow::Error`"
)]
pub trait Reported: Into<Diagnostic> {}

#[diagnostic::do_not_recommend]
impl<E: Into<Diagnostic>> Reported for E {}

/// Returns the diagnostic of an error whose type is not known: the first name among it and its causes,
/// or `HandlerError`, and all their messages. A message is truncated at 16 KiB.
#[must_use]
pub fn diagnose(error: &(dyn std::error::Error + 'static)) -> Diagnostic {
    self::diagnose::diagnose(error)
}

/// Returns the diagnostic of `error`: its name, and its message with those of its causes. A message is
/// truncated at 16 KiB, so that Lambda and Step Functions accept it.
#[must_use]
pub fn diagnostic<E: LambdaError>(error: &E) -> Diagnostic {
    bounded(Diagnostic {
        error_type: error.error_type().to_owned(),
        error_message: with_causes(error),
    })
}
