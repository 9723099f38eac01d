//! The registered error types, and how they are found in boxes.

use std::any::Any;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::SystemTime;

use super::causes::causes;
use super::{Http, LambdaError};

/// The name and class of an error. Created by [`find`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Description {
    /// The name under which Lambda reports it.
    pub error_type: &'static str,
    /// True if another attempt cannot succeed. Never true for errors of this toolkit, which have
    /// `is_retryable` for that.
    pub is_permanent: bool,
}

/// Returns the description of the first error with a name among `error` and its causes: one of this
/// toolkit, or a [registered](crate::register_lambda_error) [`LambdaError`].
///
/// ```
/// use powertools::{LambdaError, error};
///
/// #[derive(Debug, thiserror::Error, LambdaError)]
/// #[error("the card was declined")]
/// #[permanent]
/// struct Declined;
///
/// let boxed = anyhow::Error::from(Declined).context("the order failed");
/// let found = error::find(boxed.as_ref()).unwrap();
/// assert_eq!(found.error_type, "Declined");
/// assert!(found.is_permanent);
/// ```
#[must_use]
pub fn find(error: &(dyn StdError + 'static)) -> Option<Description> {
    causes(error).find_map(describe)
}

/// Returns the description of this error, without its causes.
pub(crate) fn describe(error: &(dyn StdError + 'static)) -> Option<Description> {
    inventory::iter::<Registration>().find_map(|registration| (registration.describe)(error))
}

/// Returns what the client is told of this error, without its causes.
pub(crate) fn http_of(error: &(dyn StdError + 'static)) -> Option<Http> {
    inventory::iter::<Registration>().find_map(|registration| (registration.http)(error))
}

/// Returns `value` as an error, if its type is registered.
pub(crate) fn downcast(value: &dyn Any) -> Option<&(dyn StdError + 'static)> {
    inventory::iter::<Registration>().find_map(|registration| (registration.downcast)(value))
}

/// Returns the error as one of this toolkit, without its causes.
pub(super) fn owned<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a dyn OwnError> {
    inventory::iter::<Registration>().find_map(|registration| (registration.own)(error))
}

/// An error of a module of this toolkit.
pub(crate) trait OwnError: StdError + 'static {
    /// Returns the other run that holds the work, if that is why it was rejected.
    fn held(&self) -> Option<Held> {
        None
    }
}

/// Another run of the same work that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// When its lease ends, if that is known.
    pub(crate) until: Option<SystemTime>,
}

/// An entry in the list of registered error types. Created by
/// [`register_lambda_error!`](crate::register_lambda_error).
#[derive(Debug)]
pub struct Registration {
    describe: fn(&(dyn StdError + 'static)) -> Option<Description>,
    downcast: fn(&dyn Any) -> Option<&(dyn StdError + 'static)>,
    http: fn(&(dyn StdError + 'static)) -> Option<Http>,
    /// Returns the error as one of this toolkit, if it is one.
    own: for<'a> fn(&'a (dyn StdError + 'static)) -> Option<&'a dyn OwnError>,
}

impl Registration {
    /// Creates the entry of `E`.
    #[must_use]
    pub const fn of<E: LambdaError>() -> Self {
        Self {
            describe: describe_as::<E>,
            downcast: downcast_to::<E>,
            http: |error| find_as::<E>(error)?.http(),
            own: |_| None,
        }
    }

    /// Creates the entry of an error of this toolkit.
    pub(crate) const fn of_own<E: OwnError + LambdaError>() -> Self {
        Self { own: |error| Some(find_as::<E>(error)?), ..Self::of::<E>() }
    }

    /// Creates the entry of an error of this toolkit without a name.
    pub(crate) const fn of_unnamed<E: OwnError>() -> Self {
        Self {
            describe: |_| None,
            downcast: |_| None,
            http: |_| None,
            own: |error| Some(find_as::<E>(error)?),
        }
    }
}

inventory::collect!(Registration);

fn describe_as<E: LambdaError>(error: &(dyn StdError + 'static)) -> Option<Description> {
    let error = find_as::<E>(error)?;
    Some(Description { error_type: error.error_type(), is_permanent: error.is_permanent() })
}

/// Returns the error as an `E`: by value, in a `Box` or in an `Arc`.
pub(crate) fn find_as<'a, E: StdError + 'static>(
    error: &'a (dyn StdError + 'static),
) -> Option<&'a E> {
    error
        .downcast_ref::<E>()
        .or_else(|| error.downcast_ref::<Box<E>>().map(AsRef::as_ref))
        .or_else(|| error.downcast_ref::<Arc<E>>().map(AsRef::as_ref))
}

fn downcast_to<E: LambdaError>(value: &dyn Any) -> Option<&(dyn StdError + 'static)> {
    value.downcast_ref::<E>().map(|error| error as _)
}

/// Registers a type that implements [`LambdaError`](trait@crate::LambdaError), so that it is found in
/// boxes.
///
/// [`#[derive(LambdaError)]`](macro@crate::LambdaError) does this. An implementation by hand calls it:
///
/// ```
/// use powertools::{LambdaError, error};
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
/// assert_eq!(error::find(&*boxed).unwrap().error_type, "Throttled");
/// ```
#[macro_export]
macro_rules! register_lambda_error {
    ($error:ty $(,)?) => {
        $crate::macro_support::inventory::submit! {
            $crate::macro_support::Registration::of::<$error>()
        }
    };
}
