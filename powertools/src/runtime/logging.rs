use std::sync::Arc;

use lambda_runtime::{Diagnostic, Error};

use super::Powertools;
use super::observer::{Observer, Outcome};
use crate::logging::Logging;
use crate::logging::observer::Observed;
use crate::logging::watch::{Failure, Watch};

impl<S> Powertools<S> {
    /// Logs by these settings: [`Logging::init`] when the function runs, the correlation id and
    /// the event of each invocation where they are asked for, and the error of the handler, once
    /// and with its causes.
    ///
    /// A `tracing` subscriber that the program has set before is left as it is; what the settings
    /// say of the event holds then, and nothing else. A warning says so if it has no
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
        self.observer = Some(Arc::new(Observed::new(logging)));
        self
    }
}

impl Observer for Observed {
    fn start(&self) -> Result<(), Error> {
        self.start()
    }

    fn event(&self, event: &[u8]) {
        self.event(event);
    }

    fn begin(&self) -> Box<dyn Outcome> {
        Box::new(Watch::of_handler())
    }
}

impl Outcome for Watch {
    fn succeeded(self: Box<Self>) {
        (*self).succeeded();
    }

    fn failed(
        self: Box<Self>,
        told: &Diagnostic,
        messages: Vec<String>,
        stack_trace: Option<String>,
    ) {
        let mut messages = messages.into_iter();
        let error = Failure {
            message: messages.next().unwrap_or_else(|| told.error_message.clone()),
            name: Some(told.error_type.clone()),
            causes: messages.collect(),
            stack_trace,
        };
        (*self).failed(&error);
    }
}
