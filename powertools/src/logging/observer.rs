use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use lambda_runtime::Diagnostic;
use serde_json::value::RawValue;

use super::settings::Shared;
use super::watch::{Failure, HANDLER, Watch};
use super::{Error, Logging, log_event, set_correlation_id, start};
use crate::Powertools;
use crate::runtime::observer::{Observer, Outcome};

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
        self.observer = Some(Arc::new(Observed(logging.build())));
        self
    }
}

/// Logs what becomes of invocations. Settings that cannot be show when the function starts.
struct Observed(Result<(Shared, Vec<String>), Error>);

impl Observer for Observed {
    fn start(&self) -> Result<(), lambda_runtime::Error> {
        let (settings, warnings) = self.0.clone()?;
        start::init_unless_set(settings, &warnings);
        Ok(())
    }

    fn event(&self, event: &[u8]) {
        let Ok((settings, _)) = &self.0 else { return };
        if let Some(correlation) = &settings.correlation {
            // The runtime catches panics of the handler, and none out here.
            match catch_unwind(AssertUnwindSafe(|| correlation.find(event))) {
                Ok(id) => id.into_iter().for_each(set_correlation_id),
                Err(_) => tracing::warn!(
                    target: HANDLER,
                    "there is no correlation id: what looks for it panicked",
                ),
            }
        }
        // Where it is no JSON, the runtime says what is wrong with it.
        if settings.event
            && let Ok(event) = serde_json::from_slice::<&RawValue>(event)
        {
            log_event(&event);
        }
    }

    fn begin(&self) -> Box<dyn Outcome> {
        Box::new(Watch::of_handler())
    }
}

impl Outcome for Watch {
    fn succeeded(self: Box<Self>) {
        (*self).succeeded();
    }

    fn failed(self: Box<Self>, told: &Diagnostic, debug: &str, messages: Vec<String>) {
        let mut messages = messages.into_iter();
        let error = Failure {
            message: messages.next().unwrap_or_else(|| told.error_message.clone()),
            name: Some(told.error_type.clone()),
            causes: messages.collect(),
        };
        (*self).failed(&error, debug, &format!("{told:?}"));
    }
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observed").finish_non_exhaustive()
    }
}
