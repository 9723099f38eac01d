use std::error::Error as StdError;

/// An error with a fixed name, and a class: permanent or retryable.
///
/// [`#[derive(LambdaError)]`](macro@crate::LambdaError) implements it. By hand it takes a
/// [`register_lambda_error!`](crate::register_lambda_error), or the name is not seen in boxes.
pub trait LambdaError: StdError + 'static {
    /// The name under which Lambda reports the error. It never changes, so that a state machine or
    /// an alarm can match it.
    fn error_type(&self) -> &'static str;

    /// Returns true if the same event would have the same error, however often it is sent.
    fn is_permanent(&self) -> bool {
        false
    }
}
