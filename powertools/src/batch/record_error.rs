use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::LambdaError;
use crate::error;
use crate::error::causes::{caught, with_causes};
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
        let permanent = !own::is_of_toolkit(&*error);
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

    /// Converts into the error of a handler, such as `lambda_runtime::Error`. It keeps its class: as
    /// the error of a record it becomes the same one again.
    ///
    /// There is no `From` for this, since every error that converts into a box converts into a
    /// `RecordError`, and one that did both ways would convert into itself twice.
    ///
    /// ```
    /// use powertools::batch::RecordError;
    ///
    /// fn check(amount: u64) -> Result<(), RecordError> {
    ///     if amount == 0 { Err(RecordError::permanent("an order of nothing")) } else { Ok(()) }
    /// }
    ///
    /// async fn charge(amount: u64) -> Result<(), lambda_runtime::Error> {
    ///     check(amount).map_err(RecordError::into_error)?;
    ///     Ok(())
    /// }
    /// # let error = futures_util::FutureExt::now_or_never(charge(0)).unwrap().unwrap_err();
    /// # assert!(RecordError::from(error).is_permanent());
    /// ```
    #[must_use]
    pub fn into_error(self) -> lambda_runtime::Error {
        Box::new(Classified(self))
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

/// A [`RecordError`] as an error with a class.
#[derive(Debug)]
struct Classified(RecordError);

impl StdError for Classified {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.0.error())
    }
}

impl fmt::Display for Classified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = if self.0.is_permanent() { "permanent" } else { "retryable" };
        write!(f, "the record failed with a {class} error")
    }
}

impl LambdaError for Classified {
    /// The name of the error itself.
    fn error_type(&self) -> &'static str {
        error::find(self.0.error()).map_or("HandlerError", |found| found.error_type)
    }

    fn is_permanent(&self) -> bool {
        self.0.is_permanent()
    }
}

crate::register_lambda_error!(Classified);

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
    use crate::batch::ParseError;
    use crate::idempotency::{StoreError, StoreErrorKind};

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

        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Boxed(#[source] BoxError);

        assert!(!RecordError::permanent(ParseError::Empty).is_permanent());
        assert!(!RecordError::permanent(Outer(ParseError::Empty)).is_permanent());
        assert!(!RecordError::permanent(super::super::Error::TumblingWindow).is_permanent());

        let errors: [BoxError; 4] = [
            crate::deadline::Error::OutOfTime { remaining: std::time::Duration::ZERO }.into(),
            StoreError::new(StoreErrorKind::Timeout, "down").into(),
            "{".parse::<crate::idempotency::Json>().unwrap_err().into(),
            ParseError::Aggregated.into(),
        ];
        for error in errors {
            let shown = error.to_string();
            assert!(!RecordError::permanent(Boxed(error)).is_permanent(), "{shown}");
        }
    }

    /// What `#[permanent]` around `#[from]` is.
    #[test]
    fn a_permanent_error_that_an_error_of_this_toolkit_caused_is_not_permanent() {
        #[derive(Debug, thiserror::Error)]
        enum Failed {
            #[error("out of time")]
            Time(#[from] crate::deadline::Error),
            #[error("declined")]
            Declined,
        }
        impl LambdaError for Failed {
            fn error_type(&self) -> &'static str {
                "Failed"
            }
            fn is_permanent(&self) -> bool {
                true
            }
        }
        crate::register_lambda_error!(Failed);

        let time = crate::deadline::Error::OutOfTime { remaining: std::time::Duration::ZERO };
        assert!(!RecordError::from(Failed::from(time)).is_permanent());
        assert!(RecordError::from(Failed::Declined).is_permanent());
    }

    #[test]
    fn an_error_keeps_its_class_and_its_name_as_that_of_a_handler() {
        #[derive(Debug, thiserror::Error)]
        #[error("the card was declined")]
        struct Declined;
        impl LambdaError for Declined {
            fn error_type(&self) -> &'static str {
                "Declined"
            }
            fn is_permanent(&self) -> bool {
                true
            }
        }
        crate::register_lambda_error!(Declined);

        for error in [
            RecordError::permanent("text"),
            RecordError::retry("text"),
            RecordError::from(Declined),
            RecordError::retry(Declined),
            RecordError::permanent(ParseError::Empty),
        ] {
            let boxed = error.clone().into_error();
            let again = RecordError::from(boxed);
            assert_eq!(again.is_permanent(), error.is_permanent(), "{error}");
            assert!(again.to_string().ends_with(&error.to_string()), "{again}");
        }
        let name = |error: RecordError| error::find(&*error.into_error()).unwrap().error_type;
        assert_eq!(name(RecordError::retry(Declined)), "Declined");
        assert_eq!(name(RecordError::permanent(ParseError::Empty)), "Powertools.RecordEmpty");
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
