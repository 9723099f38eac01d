use std::error::Error as StdError;

use super::Http;

/// An error with a fixed name, and a class: permanent or retryable.
///
/// [`#[derive(LambdaError)]`](macro@crate::LambdaError) implements it. An implementation by hand also
/// needs [`register_lambda_error!`](crate::register_lambda_error), so that the name is found in boxes.
pub trait LambdaError: StdError + 'static {
    /// Returns the name under which Lambda reports the error. It never changes, so that a state machine or
    /// an alarm can match it.
    fn error_type(&self) -> &'static str;

    /// Returns true if the same event always fails with the same error.
    fn is_permanent(&self) -> bool {
        false
    }

    /// Returns the answer of an HTTP function to the error. By default there is none, and the client
    /// receives status 500.
    fn http(&self) -> Option<Http> {
        None
    }
}
