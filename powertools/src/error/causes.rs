//! The messages and causes of an error.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::error::Error as StdError;
use std::fmt::{self, Write as _};
use std::ptr;
use std::sync::Arc;

use lambda_runtime::Error;

use super::panic::catch;
pub(crate) use super::panic::caught;

/// Returns the message of an error followed by those of its causes.
pub(crate) fn with_causes(error: &(dyn StdError + 'static)) -> String {
    messages(error).join(": ")
}

/// Returns the messages of an error and its causes, the outermost first.
pub(crate) fn messages(error: &(dyn StdError + 'static)) -> Vec<String> {
    causes(error).map(|error| text(format_args!("{error}"))).collect()
}

/// Returns as much of `text` as can be written. `to_string` panics if a `Display` fails, and a
/// `Display` can panic itself.
pub(crate) fn text(text: fmt::Arguments<'_>) -> String {
    let mut written = String::new();
    match catch(|| written.write_fmt(text)) {
        Ok(_) => written,
        Err(_) => "an error whose message panicked".to_owned(),
    }
}

/// Returns the error in a box, if `error` is one of the boxes that handlers use.
pub(crate) fn unbox(error: &dyn Any) -> Option<&(dyn StdError + 'static)> {
    if let Some(boxed) = error.downcast_ref::<Error>() {
        Some(&**boxed)
    } else if let Some(boxed) = error.downcast_ref::<Box<dyn StdError>>() {
        Some(&**boxed)
    } else {
        error.downcast_ref::<anyhow::Error>().map(in_anyhow)
    }
}

/// Returns the error in an `anyhow::Error`.
///
/// If that was created from a box, a private type of `anyhow` is around the box and hides it.
fn in_anyhow(error: &anyhow::Error) -> &(dyn StdError + 'static) {
    let outermost: &(dyn StdError + 'static) = error.as_ref();
    match error.downcast_ref::<Error>() {
        // Under a context the box is at another address, and the context is the outermost error.
        Some(boxed) if ptr::addr_eq(outermost, boxed) => &**boxed,
        _ => outermost,
    }
}

/// Returns the backtrace of an error, if one was captured: `anyhow` captures it with
/// `RUST_BACKTRACE=1`. The first formatting takes hundreds of milliseconds.
pub(crate) fn backtrace(error: &dyn Any) -> Option<&Backtrace> {
    let backtrace = error.downcast_ref::<anyhow::Error>()?.backtrace();
    (backtrace.status() == BacktraceStatus::Captured).then_some(backtrace)
}

/// Returns the [`backtrace`] as a string.
pub(crate) fn stack_trace(error: &dyn Any) -> Option<String> {
    backtrace(error).map(ToString::to_string)
}

/// Returns an error and its causes, the outermost first, with the error inside each `Arc` in place
/// of the `Arc`.
///
/// It ends after 100 causes, since an error can be its own cause, and at an error whose `source`
/// panics.
pub(crate) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(shared(error)), |&error| {
        catch(|| error.source()).ok().flatten().map(shared)
    })
    .take(101)
}

/// Returns the error in an `Arc`, which hides its type, or the error itself if it is not in one.
fn shared<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    if let Some(shared) = error.downcast_ref::<Arc<dyn StdError + Send + Sync>>() {
        &**shared
    } else if let Some(shared) = error.downcast_ref::<Arc<dyn StdError>>() {
        &**shared
    } else {
        error
    }
}

/// A copy of the messages of an error and its causes.
#[derive(Debug)]
pub(crate) struct Copied {
    message: String,
    source: Option<Box<Self>>,
}

impl Copied {
    pub(crate) fn of(error: &(dyn StdError + 'static)) -> Option<Self> {
        let innermost_first = messages(error).into_iter().rev();
        innermost_first
            .fold(None, |source, message| Some(Self { message, source: source.map(Box::new) }))
    }
}

impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Copied {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("inner")]
    struct Inner;

    /// An error whose methods panic.
    #[derive(Debug)]
    struct Panics {
        in_message: bool,
    }

    impl StdError for Panics {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            panic!("no cause")
        }
    }

    impl fmt::Display for Panics {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            assert!(!self.in_message, "no message");
            f.write_str("outer")
        }
    }

    #[test]
    fn messages_of_an_error_that_panics_are_replaced() {
        assert_eq!(with_causes(&Panics { in_message: false }), "outer");
        assert_eq!(with_causes(&Panics { in_message: true }), "an error whose message panicked");
    }

    /// An error that is its own cause.
    #[derive(Debug)]
    struct Endless(Cell<u32>);

    impl StdError for Endless {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(self)
        }
    }

    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.set(self.0.get() + 1);
            write!(f, "{}", self.0.get())
        }
    }

    #[test]
    fn the_causes_of_an_error_that_is_its_own_have_an_end() {
        let text = with_causes(&Endless(Cell::new(0)));
        assert!(text.starts_with("1: 2: ") && text.ends_with(": 101"), "{text}");
    }

    #[test]
    fn the_error_in_a_box_in_anyhow_is_found() {
        let boxed: Error = Inner.into();
        let boxed = anyhow::Error::from_boxed(boxed);
        assert!(unbox(&boxed).is_some_and(|error| error.is::<Inner>()));
        let with_context = boxed.context("outer");
        assert_eq!(unbox(&with_context).map(with_causes).as_deref(), Some("outer: inner"));
    }

    #[test]
    fn the_error_in_an_arc_is_found() {
        let error: Arc<dyn StdError + Send + Sync> = Arc::new(Inner);
        let boxed: Error = error.into();
        assert!(causes(&*boxed).any(|error| error.is::<Inner>()));
        assert_eq!(with_causes(&*boxed), "inner");
    }
}
