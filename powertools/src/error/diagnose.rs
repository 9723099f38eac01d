//! The name and the message under which Lambda reports an error.

use std::any::Any;
use std::error::Error as StdError;

use lambda_runtime::Diagnostic;

use super::causes::{unbox, with_causes};
use super::registry::{self, find};
use crate::json::cut::truncate;

/// The name of an error without one.
pub(crate) const UNNAMED: &str = "HandlerError";

/// The maximum size of a name in bytes, since Step Functions accepts as many characters.
const LONGEST_NAME: usize = 256;

/// The maximum size of a message in bytes.
///
/// With its name and some escapes it fits the cause of a Step Functions error, 32,768 characters. Lambda
/// accepts an error body of 1 MiB, as AWS's emulator of the Runtime API shows, and answers a larger one
/// with 413: the invocation would then end at its timeout, without the error.
const LONGEST_MESSAGE: usize = 16 * 1024;

/// Returns the diagnostic of an error: the first name among it and its causes, and all their messages.
pub(crate) fn diagnose(error: &(dyn StdError + 'static)) -> Diagnostic {
    let error_type = find(error).map_or(UNNAMED, |found| found.error_type);
    bounded(Diagnostic { error_type: error_type.to_owned(), error_message: with_causes(error) })
}

/// Returns the diagnostic of a handler's panic.
pub(crate) fn diagnose_panic(message: &str) -> Diagnostic {
    bounded(Diagnostic {
        error_type: "Powertools.Panic".to_owned(),
        error_message: format!("the handler panicked: {message}"),
    })
}

/// Truncates a name and a message that are longer than Lambda and its callers accept.
pub(crate) fn bounded(mut diagnostic: Diagnostic) -> Diagnostic {
    truncate(&mut diagnostic.error_type, LONGEST_NAME);
    truncate(&mut diagnostic.error_message, LONGEST_MESSAGE);
    diagnostic
}

/// Returns `value` as an error, if it is one of the boxes that handlers use or has a registered
/// type.
pub(crate) fn known_error(value: &dyn Any) -> Option<&(dyn StdError + 'static)> {
    unbox(value).or_else(|| registry::downcast(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_truncated_at_a_character() {
        let message = format!("x{}", "é".repeat(LONGEST_MESSAGE));
        let diagnostic = diagnose(&*lambda_runtime::Error::from(message));
        assert!(diagnostic.error_message.len() <= LONGEST_MESSAGE);
        assert!(diagnostic.error_message.len() > LONGEST_MESSAGE - 2);
        assert!(diagnostic.error_message.ends_with("é…"));
    }

    #[test]
    fn a_message_that_fits_is_left_as_it_is() {
        let message = "x".repeat(LONGEST_MESSAGE);
        let diagnostic = diagnose(&*lambda_runtime::Error::from(message.clone()));
        assert_eq!(diagnostic.error_message, message);
    }

    #[test]
    fn a_long_name_is_truncated() {
        let diagnostic = Diagnostic { error_type: "N".repeat(300), error_message: String::new() };
        assert_eq!(bounded(diagnostic).error_type, format!("{}…", "N".repeat(LONGEST_NAME - 3)));
    }
}
