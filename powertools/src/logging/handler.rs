use std::any::Any;
use std::fmt;
use std::future::Future;

use lambda_runtime::Diagnostic;
use serde::Serialize;

use super::correlation::Source;
use super::line::exception;
use super::line::json::json;
use super::state::ending::debug_beginning;
use super::watch::{Failure, Watch};
use crate::error::causes;
use crate::error::diagnose::known_error;

/// The target of a line with an event.
pub(super) const EVENT: &str = "powertools::event";

/// Runs a handler's future and logs the error that it ends with, once and with its causes.
///
/// The lines that the [buffer](super::Logging::buffer) kept for the invocation are written when the
/// future fails, panics or is dropped.
///
/// Inside another one, and under [`Powertools::logging`](crate::Powertools::logging), it does
/// nothing: only the outermost one logs the error that reaches it. Log an error yourself where you
/// handle it.
///
/// The line has the message and the causes of an error in a box, and of a type that
/// [derives `LambdaError`](macro@crate::LambdaError). Of another type only the `Debug` form is known
/// here.
///
/// # Errors
///
/// Returns the error of `future` as it is.
///
/// # Examples
///
/// [`Powertools::logging`](crate::Powertools::logging) and [`LoggingLayer`](super::LoggingLayer) do
/// this. Call it yourself for a handler under plain `lambda_runtime::run`:
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
            if watch.reports() {
                let failure = failure(error);
                let beginning = debug_beginning(error, Some(&failure.message));
                watch.part_failed(&failure, beginning);
            }
        }
    }
    result
}

/// Writes a line with the event of the current invocation as its message, at INFO.
///
/// The values of [hidden names](super::Logging::redact) are not in it, and an event that is too long
/// is [cut](super::Logging::event_limit). `POWERTOOLS_LOGGER_LOG_EVENT` does not apply here.
pub fn log_event(event: &impl Serialize) {
    tracing::info!(target: EVENT, message = json(event));
}

/// Sets `correlation_id` to what a JSON pointer leads to in `event`, if there is anything.
///
/// See [`correlation`](super::correlation) for known pointers, and what else leads to an id.
///
/// # Errors
///
/// Returns [`Error::Setting`](super::Error::Setting) if `source` is made from an invalid pointer.
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
pub fn set_correlation_id_from(
    event: &impl Serialize,
    source: impl Into<Source>,
) -> Result<(), super::Error> {
    let source = source.into().checked()?;
    let id = serde_json::to_vec(event).ok().and_then(|event| source.find(&event));
    id.into_iter().for_each(super::set_correlation_id);
    Ok(())
}

/// What the line of a handler's error has in it.
fn failure<E: fmt::Debug + 'static>(error: &E) -> Failure {
    let any: &dyn Any = error;
    let stack_trace = causes::stack_trace(any);
    if let Some(error) = known_error(any) {
        let mut causes = causes::messages(error);
        let message = causes.remove(0);
        let name = exception::name(error).map(str::to_owned);
        return Failure { message, name, causes, stack_trace };
    }
    let (message, name) = match any.downcast_ref() {
        Some(Diagnostic { error_type, error_message }) => (error_message.clone(), &**error_type),
        None => (causes::text(format_args!("{error:?}")), exception::short_type_name::<E>()),
    };
    Failure { message, name: Some(name.to_owned()), causes: Vec::new(), stack_trace }
}
