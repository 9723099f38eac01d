use std::any::Any;
use std::convert::Infallible;
use std::error::Error as StdError;

use lambda_runtime::{Diagnostic, Error};

#[cfg(feature = "deadline")]
use crate::deadline::Error as DeadlineError;
#[cfg(not(feature = "deadline"))]
use std::convert::Infallible as DeadlineError;

#[cfg(feature = "init")]
use crate::init::Error as InitError;
#[cfg(not(feature = "init"))]
use std::convert::Infallible as InitError;

#[cfg(feature = "idempotency")]
use crate::idempotency::Error as IdempotencyError;
#[cfg(not(feature = "idempotency"))]
use std::convert::Infallible as IdempotencyError;

/// An error that Lambda reports under a name of its own.
pub(crate) trait Named: StdError + 'static {
    /// The name.
    fn error_type(&self) -> &'static str;
}

/// Stands for the error of a module that is not there.
impl Named for Infallible {
    fn error_type(&self) -> &'static str {
        match *self {}
    }
}

/// What Lambda is told about a handler's error.
///
/// A boxed error hides its type, and Lambda would show the name of the box: `error_type` comes from
/// the first error with a name among the boxed one and its causes.
pub(super) fn diagnose<E: Into<Diagnostic> + 'static>(error: E) -> Diagnostic {
    let Some(boxed) = unbox(&error) else { return error.into() };
    let named = causes(boxed).find_map(|error| {
        name::<IdempotencyError>(error)
            .or_else(|| name::<DeadlineError>(error))
            .or_else(|| name::<InitError>(error))
    });
    Diagnostic {
        error_type: named.unwrap_or("HandlerError").to_owned(),
        error_message: with_causes(boxed),
    }
}

/// What Lambda is told about a handler's panic.
pub(super) fn diagnose_panic(panic: &(dyn Any + Send)) -> Diagnostic {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("the panic has no message");
    Diagnostic {
        error_type: "Powertools.Panic".to_owned(),
        error_message: format!("the handler panicked: {message}"),
    }
}

/// The message of an error followed by those of its causes.
pub(crate) fn with_causes(error: &(dyn StdError + 'static)) -> String {
    let messages: Vec<_> = causes(error).map(ToString::to_string).collect();
    messages.join(": ")
}

/// The error in a box, if `error` is one of the boxes that handlers use.
fn unbox(error: &dyn Any) -> Option<&(dyn StdError + 'static)> {
    if let Some(boxed) = error.downcast_ref::<Error>() {
        Some(&**boxed)
    } else if let Some(boxed) = error.downcast_ref::<Box<dyn StdError>>() {
        Some(&**boxed)
    } else {
        error.downcast_ref::<anyhow::Error>().map(AsRef::as_ref)
    }
}

/// An error and its causes, from the outside in.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn name<E: Named>(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    error.downcast_ref::<E>().map(Named::error_type)
}
