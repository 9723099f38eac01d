//! Runs a function.

use std::error::Error;

/// The Powertools.
#[derive(Clone, Debug)]
pub struct Powertools<S>(S);

/// How often this process was restored from a snapshot.
pub(crate) fn restores() -> u64 {
    0
}

/// The message of an error followed by those of its causes.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message.push_str(": ");
        message.push_str(&error.to_string());
        cause = error.source();
    }
    message
}
