//! What an error and the errors that caused it say.

use std::any::Any;
use std::backtrace::BacktraceStatus;
use std::error::Error as StdError;
use std::fmt::{self, Write as _};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lambda_runtime::Error;

/// What a panic says.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("the panic has no message")
}

/// Returns the message of a panic that was caught, and drops its payload, whose own `Drop` may panic.
pub(crate) fn caught(panic: Box<dyn Any + Send>) -> String {
    let message = panic_message(&*panic).to_owned();
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        mem::forget(again);
    }
    message
}

/// The message of an error followed by those of its causes.
pub(crate) fn with_causes(error: &(dyn StdError + 'static)) -> String {
    messages(error).join(": ")
}

/// The messages of an error and its causes, from the outside in.
pub(crate) fn messages(error: &(dyn StdError + 'static)) -> Vec<String> {
    causes(error).map(|error| text(format_args!("{error}"))).collect()
}

/// A text as far as it can be written: `to_string` panics where a `Display` fails.
pub(crate) fn text(text: fmt::Arguments<'_>) -> String {
    let mut written = String::new();
    let _ = written.write_fmt(text);
    written
}

/// The error in a box, if `error` is one of the boxes that handlers use.
pub(crate) fn unbox(error: &dyn Any) -> Option<&(dyn StdError + 'static)> {
    if let Some(boxed) = error.downcast_ref::<Error>() {
        Some(&**boxed)
    } else if let Some(boxed) = error.downcast_ref::<Box<dyn StdError>>() {
        Some(&**boxed)
    } else {
        error.downcast_ref::<anyhow::Error>().map(AsRef::as_ref)
    }
}

/// Where an error was made, if it was captured there: `RUST_BACKTRACE=1` does that for `anyhow`.
/// Writing it takes hundreds of milliseconds the first time.
pub(crate) fn stack_trace(error: &dyn Any) -> Option<String> {
    let backtrace = error.downcast_ref::<anyhow::Error>()?.backtrace();
    (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string())
}

/// An error and its causes, from the outside in. It ends after 100 causes, for an error that is its
/// own cause has no end.
pub(crate) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source()).take(101)
}
