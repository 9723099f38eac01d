use std::any::Any;
use std::fmt;
use std::future::Future;

use lambda_runtime::Diagnostic;
use serde::Serialize;

use super::line::exception;
use super::line::json::json;
use super::watch::{Failure, Watch};
use crate::error::causes;
use crate::error::diagnose::known_error;

/// The target of a line with an event.
pub(super) const EVENT: &str = "powertools::event";

/// Runs a handler's future and logs the error that it ends with, once and with its causes.
///
/// What the [buffer](super::Logging::buffer) kept for the invocation is written when the future
/// fails, panics or is dropped.
///
/// Inside of another one, and under [`Powertools::logging`](crate::Powertools::logging), it logs the
/// error and leaves the end of the invocation to the outer one. That one does not say the same error
/// again: one with the same message or the same `Debug` form.
///
/// An error in a box has its message and its causes in the line, and so has an error type that
/// [derives `LambdaError`](macro@crate::LambdaError). Of another type nothing but its `Debug` form is
/// known here.
///
/// # Errors
///
/// Returns the error of `future` as it is.
///
/// # Examples
///
/// [`Powertools::logging`](crate::Powertools::logging) and [`LoggingLayer`](super::LoggingLayer) do
/// this. By itself it is for a handler under plain `lambda_runtime::run`:
///
/// ```
/// use lambda_runtime::{Error, LambdaEvent};
/// use powertools::{Invocation, logging};
///
/// async fn handle(event: LambdaEvent<String>) -> Result<usize, Error> {
///     let invocation = Invocation::current_or(Some(&event.context));
///     Invocation::enter(invocation, logging::observe(async move { Ok(event.payload.len()) })).await
/// }
/// ```
pub async fn observe<T, E>(future: impl Future<Output = Result<T, E>>) -> Result<T, E>
where
    E: fmt::Debug + 'static,
{
    let watch = Watch::of_current();
    let result = watch.inside(future).await;
    match &result {
        Ok(_) => watch.succeeded(),
        Err(error) => {
            let debug = causes::text(format_args!("{error:?}"));
            // The runtime's own line has this form too.
            watch.failed(&failure(error, &debug), &debug, &debug);
        }
    }
    result
}

/// Writes a line with the event of the current invocation as its message, at INFO.
///
/// The names in the [redaction list](super::Logging::redact) are hidden in it, and one that is too
/// long is [cut](super::Logging::event_limit). `POWERTOOLS_LOGGER_LOG_EVENT` has no say here.
pub fn log_event(event: &impl Serialize) {
    tracing::info!(target: EVENT, message = json(event));
}

/// Sets `correlation_id` to what `path` leads to in `event`, if there is anything.
///
/// See [`correlation`](super::correlation) for known paths.
///
/// # Errors
///
/// Returns [`Error::Setting`](super::Error::Setting) if `path` is none.
///
/// # Examples
///
/// ```
/// use powertools::logging::{self, correlation};
/// use serde_json::json;
///
/// # fn main() -> Result<(), logging::Error> {
/// let event = json!({ "id": "7bf73129", "source": "orders" });
/// logging::set_correlation_id_from(&event, correlation::EVENT_BRIDGE)
/// # }
/// ```
pub fn set_correlation_id_from(event: &impl Serialize, path: &str) -> Result<(), super::Error> {
    let path = super::correlation::Path::parse(path)?;
    let id = serde_json::to_vec(event).ok().and_then(|event| path.find(&event));
    id.into_iter().for_each(super::set_correlation_id);
    Ok(())
}

/// What the line of a handler's error says.
fn failure<E: fmt::Debug + 'static>(error: &E, debug: &str) -> Failure {
    let any: &dyn Any = error;
    if let Some(error) = known_error(any) {
        let mut causes = causes::messages(error);
        let message = causes.remove(0);
        Failure { message, name: exception::name(error).map(str::to_owned), causes }
    } else if let Some(Diagnostic { error_type, error_message }) = any.downcast_ref() {
        let name = Some(error_type.clone());
        Failure { message: error_message.clone(), name, causes: Vec::new() }
    } else {
        let name = Some(exception::short_type_name::<E>().to_owned());
        Failure { message: debug.to_owned(), name, causes: Vec::new() }
    }
}
