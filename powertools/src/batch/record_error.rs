use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::error;
use crate::error::causes::{caught, with_causes};
use crate::error::{LambdaError, own};

type BoxError = Box<dyn StdError + Send + Sync>;

/// Why the handler of a record failed, and whether another attempt can succeed.
///
/// Every error converts into one by `?`. It is retryable, unless it is a
/// [`LambdaError`](crate::LambdaError) of the class permanent:
///
/// ```
/// use powertools::batch::{Message, RecordError};
///
/// async fn charge(amount: Message<String>) -> Result<(), RecordError> {
///     let amount: u64 = amount.body.parse()?; // retryable
///     if amount == 0 {
///         return Err(RecordError::permanent("an order of nothing")); // not retryable
///     }
///     Ok(())
/// }
/// # let _ = charge;
/// ```
///
/// A handler without permanent errors can return any error type, such as `lambda_runtime::Error`. This
/// type does not implement [`std::error::Error`]: if it did, it could not be created from all of those.
#[derive(Clone)]
#[must_use = "an error that the handler does not return is lost"]
pub struct RecordError(
    // One word, since the result of every record has room for it.
    Arc<Inner>,
);

struct Inner {
    error: Arc<dyn StdError + Send + Sync>,
    permanent: bool,
    delay: Option<Duration>,
}

impl RecordError {
    /// Creates a retryable error, whatever the class of `error`.
    pub fn retry(error: impl Into<BoxError>) -> Self {
        Self::new(error.into().into(), false)
    }

    /// Creates a permanent error: another attempt would fail with it too.
    ///
    /// The record goes to the [sink](super::Batch::permanent_sink). Errors of this toolkit, also as the
    /// cause of `error`, are never permanent here; that includes records that cannot be parsed.
    /// [`permanent_if`](super::Batch::permanent_if) overrides that for errors that a retry cannot help.
    pub fn permanent(error: impl Into<BoxError>) -> Self {
        let error = error.into();
        let permanent = !own::is_of_toolkit(&*error);
        Self::new(error.into(), permanent)
    }

    /// Requests that the record is delivered again after this time, for example because a service asked
    /// for it.
    ///
    /// It takes effect for messages of SQS in a batch with
    /// [`change_visibility`](super::Batch::change_visibility). Other sources have no such delay.
    pub fn retry_after(self, delay: Duration) -> Self {
        let Inner { permanent, .. } = *self.0;
        Self(Arc::new(Inner { error: self.shared(), permanent, delay: Some(delay) }))
    }

    /// Returns the time after which the record is to be delivered again, if the error requests one.
    #[must_use]
    pub fn delay(&self) -> Option<Duration> {
        self.0.delay
    }

    /// Returns true if another attempt would fail too.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.0.permanent
    }

    /// Returns the error.
    #[must_use]
    pub fn error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.0.error
    }

    /// Converts into the error of a handler, and keeps the class and the name.
    ///
    /// Converted back by `?`, it is the same error again. There is no `From` for this, which would
    /// conflict with the conversion of every error into a `RecordError`.
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

    /// Returns the error to share it with the error of the batch.
    pub(super) fn shared(&self) -> Arc<dyn StdError + Send + Sync> {
        self.0.error.clone()
    }

    /// Returns true if the record did not fail: its work was stopped or not begun for lack of time, or another run
    /// has it.
    pub(super) fn is_interruption(&self) -> bool {
        own::is_interruption(self.error())
    }

    pub(super) fn panicked(who: &str, panic: Box<dyn Any + Send>) -> Self {
        Self::retry(format!("{who} panicked: {}", caught(panic)))
    }

    pub(super) fn into_permanent(self) -> Self {
        Self(Arc::new(Inner { error: self.shared(), permanent: true, delay: self.0.delay }))
    }

    pub(super) fn into_retryable(self) -> Self {
        Self(Arc::new(Inner { error: self.shared(), permanent: false, delay: self.0.delay }))
    }

    fn new(error: Arc<dyn StdError + Send + Sync>, permanent: bool) -> Self {
        Self(Arc::new(Inner { error, permanent, delay: None }))
    }
}

/// A [`LambdaError`](crate::LambdaError) that is permanent, also as the cause of another error,
/// becomes a [permanent](RecordError::permanent) one; any other is retryable.
impl<E: Into<BoxError>> From<E> for RecordError {
    fn from(error: E) -> Self {
        let error = match error.into().downcast::<Classified>() {
            Ok(classified) => return classified.0,
            Err(error) => error,
        };
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
    /// Returns the name of the error itself.
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
            .field("delay", &self.0.delay)
            .finish()
    }
}

/// The message of the error, followed by those of its causes.
impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An error whose message panics must not affect the other records.
        match catch_unwind(AssertUnwindSafe(|| with_causes(&*self.0.error))) {
            Ok(message) => f.write_str(&message),
            Err(_) => f.write_str("an error whose message panicked"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::ParseError;
    use crate::idempotency::{StoreError, StoreErrorKind};

    #[test]
    fn an_error_is_retryable_unless_its_class_is_permanent() {
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
            ParseError::Aggregated { problem: "" }.into(),
        ];
        for error in errors {
            let shown = error.to_string();
            assert!(!RecordError::permanent(Boxed(error)).is_permanent(), "{shown}");
        }
    }

    /// The case of a variant with `#[permanent]` and `#[from]`.
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
            assert_eq!(again.to_string(), error.to_string());
        }
        let name = |error: RecordError| error::find(&*error.into_error()).unwrap().error_type;
        assert_eq!(name(RecordError::retry(Declined)), "Declined");
        assert_eq!(name(RecordError::permanent(ParseError::Empty)), "Powertools.RecordEmpty");
    }

    #[test]
    fn an_error_keeps_its_delay() {
        let delay = Duration::from_secs(7);
        let error = RecordError::permanent("text").retry_after(delay);
        assert!(error.is_permanent());
        for error in [error.clone().into_permanent(), error.into_error().into()] {
            assert_eq!(error.delay(), Some(delay), "{error:?}");
        }
        assert_eq!(RecordError::from("text").delay(), None);
    }

    #[test]
    fn a_message_that_panics_is_replaced() {
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
    fn the_message_includes_its_causes() {
        let error = RecordError::from(anyhow::anyhow!("inner").context("outer"));
        assert_eq!(error.to_string(), "outer: inner");
    }
}
