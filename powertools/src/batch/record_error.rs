use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::ParseError;
use crate::error;
use crate::error::causes::{caught, causes, with_causes};
use crate::error::own;

type BoxError = Box<dyn StdError + Send + Sync>;

/// Why the handler of a record failed, and whether it makes sense to try again.
///
/// Every error becomes one by `?`. That asks for another try, unless it is a
/// [`LambdaError`](crate::LambdaError) that says of itself that it is permanent:
///
/// ```
/// use powertools::batch::{Message, RecordError};
///
/// async fn charge(amount: Message<String>) -> Result<(), RecordError> {
///     let amount: u64 = amount.body.parse()?; // is tried again
///     if amount == 0 {
///         return Err(RecordError::permanent("an order of nothing")); // is not
///     }
///     Ok(())
/// }
/// # let _ = charge;
/// ```
///
/// A handler that has no permanent errors can return any error type, `lambda_runtime::Error` for
/// one. This type is no [`std::error::Error`] itself, or it could not be made of all of those.
#[derive(Clone)]
pub struct RecordError(
    // One word, since every record that succeeds passes on the room for it.
    Arc<Inner>,
);

struct Inner {
    error: Arc<dyn StdError + Send + Sync>,
    permanent: bool,
}

impl RecordError {
    /// An error that another try may not have, whatever its own class.
    pub fn retry(error: impl Into<BoxError>) -> Self {
        Self::new(error.into().into(), false)
    }

    /// An error that every further try would have too.
    ///
    /// A record with one goes to the [sink](super::Batch::permanent_sink). Errors of this toolkit,
    /// also as the cause of `error`, and records that cannot be parsed are not permanent whatever
    /// is said here: [`permanent_if`](super::Batch::permanent_if) can make them so.
    pub fn permanent(error: impl Into<BoxError>) -> Self {
        let error = error.into();
        let permanent = !is_of_the_toolkit(&*error);
        Self::new(error.into(), permanent)
    }

    /// Returns true if another try would have the same error.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.0.permanent
    }

    /// The error.
    #[must_use]
    pub fn error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.0.error
    }

    /// The error, for one that says how a batch ended.
    pub(super) fn shared(&self) -> Arc<dyn StdError + Send + Sync> {
        self.0.error.clone()
    }

    pub(super) fn panicked(who: &str, panic: Box<dyn Any + Send>) -> Self {
        Self::retry(format!("{who} panicked: {}", caught(panic)))
    }

    pub(super) fn into_permanent(self) -> Self {
        Self::new(self.shared(), true)
    }

    fn new(error: Arc<dyn StdError + Send + Sync>, permanent: bool) -> Self {
        Self(Arc::new(Inner { error, permanent }))
    }
}

fn is_of_the_toolkit(error: &(dyn StdError + 'static)) -> bool {
    own::is_of_toolkit(error) || causes(error).any(|error| error.is::<ParseError>())
}

/// A [`LambdaError`](crate::LambdaError) that is permanent, also as the cause of another error,
/// becomes a [permanent](RecordError::permanent) one; any other asks for another try.
impl<E: Into<BoxError>> From<E> for RecordError {
    fn from(error: E) -> Self {
        let error = error.into();
        match error::find(&*error) {
            Some(found) if found.is_permanent => Self::permanent(error),
            _ => Self::retry(error),
        }
    }
}

impl fmt::Debug for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordError")
            .field("error", &self.0.error)
            .field("permanent", &self.0.permanent)
            .finish()
    }
}

/// The message of the error, followed by those of its causes.
impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A message that panics must not take the other records along.
        match catch_unwind(AssertUnwindSafe(|| with_causes(&*self.0.error))) {
            Ok(message) => f.write_str(&message),
            Err(_) => f.write_str("an error whose message panicked"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_asks_for_another_try_unless_it_says_otherwise() {
        fn fails() -> Result<(), RecordError> {
            Err(std::io::Error::other("down"))?
        }
        assert!(!fails().unwrap_err().is_permanent());
        assert!(!RecordError::from("text").is_permanent());
        assert!(!RecordError::from(anyhow::anyhow!("text")).is_permanent());
        assert!(RecordError::permanent("text").is_permanent());
    }

    #[test]
    fn errors_of_this_toolkit_are_never_permanent() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] ParseError);

        assert!(!RecordError::permanent(ParseError::Empty).is_permanent());
        assert!(!RecordError::permanent(Outer(ParseError::Empty)).is_permanent());
        assert!(!RecordError::permanent(super::super::Error::TumblingWindow).is_permanent());
    }

    #[test]
    fn a_message_that_panics_is_no_message() {
        #[derive(Debug)]
        struct Panics;
        impl StdError for Panics {}
        impl fmt::Display for Panics {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("as it is written")
            }
        }
        assert_eq!(RecordError::from(Panics).to_string(), "an error whose message panicked");
    }

    #[test]
    fn the_message_has_its_causes() {
        let error = RecordError::from(anyhow::anyhow!("inner").context("outer"));
        assert_eq!(error.to_string(), "outer: inner");
    }
}
