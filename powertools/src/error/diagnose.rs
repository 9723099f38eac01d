//! The name and the message under which Lambda reports an error.

use std::any::Any;
use std::error::Error as StdError;

use lambda_runtime::Diagnostic;

use super::causes::{unbox, with_causes};
use super::registry::{self, find};

/// The name of an error without one.
pub(crate) const UNNAMED: &str = "HandlerError";

/// Returns the diagnostic of an error: the first name among it and its causes, and all their messages.
pub(crate) fn diagnose(error: &(dyn StdError + 'static)) -> Diagnostic {
    let error_type = find(error).map_or(UNNAMED, |found| found.error_type);
    Diagnostic { error_type: error_type.to_owned(), error_message: with_causes(error) }
}

/// Returns the diagnostic of a handler's panic.
pub(crate) fn diagnose_panic(message: &str) -> Diagnostic {
    Diagnostic {
        error_type: "Powertools.Panic".to_owned(),
        error_message: format!("the handler panicked: {message}"),
    }
}

/// Returns `value` as an error, if it is a box of those that handlers use or has a registered type.
pub(crate) fn known_error(value: &dyn Any) -> Option<&(dyn StdError + 'static)> {
    unbox(value).or_else(|| registry::downcast(value))
}
