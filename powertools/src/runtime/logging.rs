use std::sync::{Mutex, PoisonError};

use futures_util::future::{BoxFuture, FutureExt, ready};
use lambda_runtime::Error;

use super::Powertools;
use super::lifecycle::{
    EventReceived, HandlerBegins, HandlerEnds, Lifecycle, Moments, Outcome, Starting,
};
use crate::error::causes::messages;
use crate::invocation::Invocation;
use crate::logging::Logging;
use crate::logging::observer::Observed;
use crate::logging::watch::{Failure, Watch};

impl<S> Powertools<S> {
    /// Adds logging with these settings: [`Logging::init`] when the function starts, the
    /// correlation id and the event of each invocation if they are configured, and the handler's
    /// error, once and with its causes.
    ///
    /// A `tracing` subscriber that the program has installed before is kept. Then only the
    /// settings about the event apply, and a warning is logged if the subscriber has no
    /// [`Logging::layer`].
    ///
    /// ```no_run
    /// use lambda_runtime::{Error, LambdaEvent};
    /// use powertools::Powertools;
    /// use powertools::logging::{Logging, correlation};
    ///
    /// async fn handle(event: LambdaEvent<String>) -> Result<usize, Error> {
    ///     tracing::info!(length = event.payload.len(), "received");
    ///     Ok(event.payload.len())
    /// }
    ///
    /// #[tokio::main]
    /// async fn main() -> Result<(), Error> {
    ///     let logging = Logging::new().correlation_id(correlation::EVENT_BRIDGE);
    ///     Powertools::new(handle).logging(logging).run().await
    /// }
    /// ```
    pub fn logging(mut self, logging: Logging) -> Self {
        self.lifecycle.push_first(Observed::new(logging));
        self
    }
}

impl Lifecycle for Observed {
    fn moments(&self) -> Moments {
        Moments::START | Moments::EVENT | Moments::HANDLER_BEGINS | Moments::HANDLER_ENDS
    }

    fn start<'a>(&'a self, _: &'a Starting) -> BoxFuture<'a, Result<(), Error>> {
        ready(self.start()).boxed()
    }

    fn event(&self, event: &EventReceived<'_>) {
        self.event(event.body);
    }

    fn handler_begins(&self, begins: &HandlerBegins<'_>) {
        *watch(begins.invocation).lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Watch::of_handler());
    }

    fn handler_ends(&self, ends: &HandlerEnds<'_>) {
        let watch = watch(ends.invocation).lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(watch) = watch else { return };
        match &ends.outcome {
            Outcome::Success => watch.succeeded(),
            // If the panic hook is installed, it has written the line.
            Outcome::Panicked(_) => {
                if watch.panicked() {
                    ends.set_logged();
                }
            }
            Outcome::Error(failure) | Outcome::Stopped(failure) => {
                let diagnostic = failure.diagnostic;
                let mut messages = failure.error.map(messages).unwrap_or_default().into_iter();
                let error = Failure {
                    message: messages.next().unwrap_or_else(|| diagnostic.error_message.clone()),
                    name: Some(diagnostic.error_type.clone()),
                    causes: messages.collect(),
                    stack_trace: failure.backtrace.map(ToString::to_string),
                };
                watch.failed(&error);
                ends.set_logged();
            }
            Outcome::Dropped => drop(watch),
        }
    }
}

/// Returns where an invocation keeps its watch until the handler ends.
fn watch(invocation: &Invocation) -> &Mutex<Option<Watch>> {
    &invocation.local::<Watching>().0
}

#[derive(Default)]
struct Watching(Mutex<Option<Watch>>);
