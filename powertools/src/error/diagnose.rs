//! The name and the message under which Lambda reports an error.

use std::any::Any;
use std::error::Error as StdError;

use lambda_runtime::Diagnostic;

use super::causes::{messages, panic_message, unbox, with_causes};
use super::registry::{self, find};

/// What Lambda is told about a handler's error.
///
/// A boxed error hides its type, and Lambda would show the name of the box: `error_type` comes from
/// the first error with a name among the boxed one and its causes.
pub(crate) fn diagnose<E: Into<Diagnostic> + 'static>(error: E) -> Diagnostic {
    let Some(boxed) = unbox(&error) else { return error.into() };
    let error_type = find(boxed).map_or("HandlerError", |found| found.error_type);
    Diagnostic { error_type: error_type.to_owned(), error_message: with_causes(boxed) }
}

/// What Lambda is told about a handler's panic.
pub(crate) fn diagnose_panic(panic: &(dyn Any + Send)) -> Diagnostic {
    Diagnostic {
        error_type: "Powertools.Panic".to_owned(),
        error_message: format!("the handler panicked: {}", panic_message(panic)),
    }
}

/// The error that `value` is or has in it: in a box of those that handlers use, or of a type with
/// names.
pub(crate) fn known_error(value: &dyn Any) -> Option<&(dyn StdError + 'static)> {
    unbox(value).or_else(|| registry::downcast(value))
}

/// The messages of `error` and its causes, as far as they are known.
pub(crate) fn known_messages(error: &dyn Any) -> Vec<String> {
    known_error(error).map(messages).unwrap_or_default()
}
