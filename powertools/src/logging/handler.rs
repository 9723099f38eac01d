use std::fmt;
use std::future::Future;

use serde::Serialize;

use lambda_runtime::Diagnostic;

use super::state::State;
use super::{exception, json};
use crate::runtime::diagnostic::{self, unbox};
use crate::{Invocation, lambda_error};

/// Runs a handler's future and logs the error that it ends with, once and with its causes.
///
/// What the [buffer](super::Logging::buffer) kept for the invocation is written when the future
/// fails, panics or is dropped, and forgotten when it succeeds.
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
    let result = future.await;
    watch.end(result.as_ref().err().map(|error| move || log_error(error)));
    result
}

/// Writes a line with the event of the current invocation as its message, at INFO.
///
/// The names in the [redaction list](super::Logging::redact) are hidden in it, and a line that is
/// too long is [cut](super::Logging::line_limit).
pub fn log_event(event: &impl Serialize) {
    tracing::info!(target: "powertools::event", message = json(event));
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

/// As [`set_correlation_id_from`], with a warning where that has an error: logging never fails an
/// invocation.
///
/// `#[logged(correlation_id = "…")]` does this.
pub fn correlate(event: &impl Serialize, path: &str) {
    if let Err(error) = set_correlation_id_from(event, path) {
        tracing::warn!(target: "powertools::handler", %error, "there is no correlation id");
    }
}

/// Looks after the lines of an invocation until its handler ends, in whatever way.
#[derive(Debug)]
pub(super) struct Watch(Option<Invocation>);

impl Watch {
    pub(super) fn of_current() -> Self {
        Self(Invocation::current())
    }

    /// Ends a handler that returned. `log` writes the line of its error.
    pub(super) fn end(mut self, log: Option<impl FnOnce()>) {
        let invocation = self.0.take();
        let failed = log.is_some();
        if let Some(log) = log {
            let already = invocation.as_ref().is_some_and(|invocation| {
                // Two of these around one handler have one error.
                std::mem::replace(&mut invocation.local::<State>().lock().reported, true)
            });
            if !already {
                log();
            }
        }
        if let Some(invocation) = invocation {
            State::end(&invocation, failed);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let Some(invocation) = self.0.take() else { return };
        let mut state = invocation.local::<State>().lock();
        // The hook has written of the panic; without the hook the runtime does.
        state.reported |= std::thread::panicking() && state.panic_reported;
        drop(state);
        State::end(&invocation, true);
    }
}

/// Writes the line of a handler's error.
fn log_error<E: fmt::Debug + 'static>(error: &E) {
    let any: &dyn std::any::Any = error;
    if let Some(error) = unbox(any).or_else(|| lambda_error::downcast(any)) {
        let mut messages = diagnostic::messages(error);
        let message = messages.remove(0);
        log_failure(&message, exception::name(error), messages);
    } else if let Some(Diagnostic { error_type, error_message }) = any.downcast_ref() {
        log_failure(error_message, Some(error_type), Vec::new());
    } else {
        let name = exception::short_type_name::<E>();
        log_failure(&diagnostic::text(format_args!("{error:?}")), Some(name), Vec::new());
    }
}

/// Writes the line of an error of which this is known.
pub(super) fn log_failure(message: &str, name: Option<&str>, causes: Vec<String>) {
    tracing::error!(
        target: "powertools::handler",
        exception = message,
        exception_name = name,
        exception_chain = (!causes.is_empty()).then(|| json(causes)),
        "the handler failed",
    );
}
