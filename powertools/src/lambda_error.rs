//! Fixed names for a function's own errors, and whether trying again helps.
//!
//! Lambda reports an error as `errorType` and `errorMessage`. State machines match the type
//! (`ErrorEquals`), alarms and people search for it; without a name of its own it is the path of a
//! Rust type, or that of the box that the error was returned in.
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
//! let told = lambda_runtime::Diagnostic::from(error);
//! assert_eq!(told.error_type, "OrderError.Warehouse");
//! assert_eq!(told.error_message, "the warehouse does not answer: timed out");
//! ```
//!
//! # Where the name is seen
//!
//! | a handler that returns | under [`Powertools`](crate::Powertools) | under plain `lambda_runtime::run` |
//! |---|---|---|
//! | the error type itself | its name, and its message with those of its causes | the same |
//! | it in a `lambda_runtime::Error`, an `anyhow::Error`, or as a cause of another error in one | the same | the name of the box |
//!
//! A box hides the type that is in it, and [`std::error::Error`] has no way to ask for a name. So
//! the derive also [registers](crate::register_lambda_error) the type, before `main` begins, and
//! [`find`] tries each registered type on each error of a chain. That finds the error by value, in a
//! `Box` or in an `Arc`, wherever it was boxed. It does not find
//!
//! - an error type with type parameters, which cannot be registered: return it by itself, or let a
//!   [transparent](macro@crate::LambdaError#transparent-variants) variant of another one hold it;
//! - what a `#[error(transparent)]` variant of a type *without* the derive hides, since that leaves
//!   itself out of the chain of its causes.
//!
//! # Where the class is used
//!
//! A batch takes a [permanent](LambdaError::is_permanent) error of a record for a
//! [`RecordError::permanent`](crate::batch::RecordError::permanent), without any conversion.

#[cfg(any(
    feature = "batch",
    feature = "deadline",
    feature = "idempotency",
    feature = "init",
    feature = "logging"
))]
pub(crate) mod own;

use std::any::Any;
use std::error::Error as StdError;
use std::sync::Arc;

#[doc(no_inline)]
pub use lambda_runtime::Diagnostic;

use crate::runtime::diagnostic::{causes, with_causes};

#[doc(hidden)]
pub use inventory;

/// An error with a fixed name, and a class: permanent or retryable.
///
/// [`#[derive(LambdaError)]`](macro@crate::LambdaError) implements it. By hand it takes a
/// [`register_lambda_error!`](crate::register_lambda_error), or the name is not seen in boxes.
pub trait LambdaError: StdError + 'static {
    /// The name under which Lambda reports the error. It never changes, so that a state machine or
    /// an alarm can match it.
    fn error_type(&self) -> &'static str;

    /// Returns true if the same event would have the same error, however often it is sent.
    fn is_permanent(&self) -> bool {
        false
    }
}

/// What is known of an error. Made by [`find`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Description {
    /// The name under which Lambda reports it.
    pub error_type: &'static str,
    /// True if trying again does not help. Never true for errors of this toolkit: these say what
    /// they know by their own `is_retryable`.
    pub is_permanent: bool,
}

/// What is known of the first error with a name among `error` and its causes: one of this toolkit,
/// or a [`LambdaError`] that is [registered](crate::register_lambda_error).
///
/// ```
/// use powertools::{LambdaError, lambda_error};
///
/// #[derive(Debug, thiserror::Error, LambdaError)]
/// #[error("the card was declined")]
/// #[permanent]
/// struct Declined;
///
/// let boxed = anyhow::Error::from(Declined).context("the order failed");
/// let found = lambda_error::find(boxed.as_ref()).unwrap();
/// assert_eq!(found.error_type, "Declined");
/// assert!(found.is_permanent);
/// ```
#[must_use]
pub fn find(error: &(dyn StdError + 'static)) -> Option<Description> {
    causes(error).find_map(describe)
}

/// What Lambda is told of `error`: its name, and its message with those of its causes.
#[must_use]
pub fn diagnostic<E: LambdaError>(error: &E) -> Diagnostic {
    Diagnostic { error_type: error.error_type().to_owned(), error_message: with_causes(error) }
}

/// What is known of this error, without its causes.
pub(crate) fn describe(error: &(dyn StdError + 'static)) -> Option<Description> {
    inventory::iter::<Registration>().find_map(|registration| (registration.describe)(error))
}

/// The error that `value` is, if its type is registered.
pub(crate) fn downcast(value: &dyn Any) -> Option<&(dyn StdError + 'static)> {
    inventory::iter::<Registration>().find_map(|registration| (registration.downcast)(value))
}

/// An entry in the list of error types with names. Made by
/// [`register_lambda_error!`](crate::register_lambda_error).
#[derive(Debug)]
pub struct Registration {
    describe: fn(&(dyn StdError + 'static)) -> Option<Description>,
    downcast: fn(&dyn Any) -> Option<&(dyn StdError + 'static)>,
}

impl Registration {
    /// The entry of `E`.
    #[must_use]
    pub const fn of<E: LambdaError>() -> Self {
        Self { describe: describe_as::<E>, downcast: downcast_to::<E> }
    }
}

inventory::collect!(Registration);

fn describe_as<E: LambdaError>(error: &(dyn StdError + 'static)) -> Option<Description> {
    let error = error
        .downcast_ref::<E>()
        .or_else(|| error.downcast_ref::<Box<E>>().map(AsRef::as_ref))
        .or_else(|| error.downcast_ref::<Arc<E>>().map(AsRef::as_ref))?;
    Some(Description { error_type: error.error_type(), is_permanent: error.is_permanent() })
}

fn downcast_to<E: LambdaError>(value: &dyn Any) -> Option<&(dyn StdError + 'static)> {
    value.downcast_ref::<E>().map(|error| error as _)
}

/// Adds a type that implements [`LambdaError`](trait@crate::LambdaError) to the list of those that are
/// found in boxes.
///
/// [`#[derive(LambdaError)]`](macro@crate::LambdaError) does this; here it is for an implementation
/// by hand:
///
/// ```
/// use powertools::{LambdaError, lambda_error};
///
/// #[derive(Debug, thiserror::Error)]
/// #[error("the service answered {0}")]
/// struct Status(u16);
///
/// impl LambdaError for Status {
///     fn error_type(&self) -> &'static str {
///         if self.0 == 429 { "Throttled" } else { "ServiceFailed" }
///     }
/// }
///
/// powertools::register_lambda_error!(Status);
///
/// let boxed: lambda_runtime::Error = Status(429).into();
/// assert_eq!(lambda_error::find(&*boxed).unwrap().error_type, "Throttled");
/// ```
#[macro_export]
macro_rules! register_lambda_error {
    ($error:ty $(,)?) => {
        $crate::lambda_error::inventory::submit! {
            $crate::lambda_error::Registration::of::<$error>()
        }
    };
}

/// Anything that is an error or dereferences to one, as an error without its type.
///
/// The derive uses it for the one field of a `#[error(transparent)]` variant, which may be an error
/// type or a box such as `lambda_runtime::Error` and `anyhow::Error`.
///
/// ```
/// use powertools::lambda_error::AsError as _;
///
/// let boxed = anyhow::anyhow!("no order");
/// assert_eq!(boxed.as_error().to_string(), "no order");
/// ```
pub trait AsError {
    /// The error.
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
