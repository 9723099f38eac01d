use std::fmt;
use std::sync::Arc;

use lambda_runtime::Diagnostic;
use serde_json::value::RawValue;

use super::builder::start;
use super::copy::copy;
use super::handler::{Watch, log_failure};
use super::settings::Shared;
use super::{Error, Logging, cut, set_correlation_id};
use crate::Powertools;
use crate::runtime::observer::{Observer, Outcome};

impl<S> Powertools<S> {
    /// Logs by these settings: [`Logging::init`] when the function runs, the correlation id and
    /// the event of each invocation where they are asked for, and the error of the handler, once
    /// and with its causes.
    ///
    /// A `tracing` subscriber that the program has set before is left as it is; what the settings
    /// say of the event holds then, and nothing else.
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
        if !tracing::dispatcher::has_been_set() {
            start(settings, warnings)?;
        }
        Ok(())
    }

    fn event(&self, event: &[u8]) {
        let Ok((settings, _)) = &self.0 else { return };
        if let Some(id) = settings.correlation.as_ref().and_then(|found| found.find(event)) {
            set_correlation_id(id);
        }
        if settings.event {
            log_event(event, settings);
        }
    }

    fn begin(&self) -> Box<dyn Outcome> {
        Box::new(Watch::of_current())
    }
}

impl Outcome for Watch {
    fn succeeded(self: Box<Self>) {
        (*self).end(None::<fn()>);
    }

    fn failed(self: Box<Self>, told: &Diagnostic, messages: Vec<String>) {
        (*self).end(Some(|| {
            let mut messages = messages.into_iter();
            let message = messages.next().unwrap_or_else(|| told.error_message.clone());
            log_failure(&message, Some(&told.error_type), messages.collect());
        }));
    }
}

/// Writes the line of an event as Lambda sent it.
fn log_event(event: &[u8], settings: &Shared) {
    let Ok(raw) = serde_json::from_slice::<&RawValue>(event) else {
        // The runtime says what is wrong with it.
        return;
    };
    if event.len() <= settings.event_limit {
        return super::log_event(&raw);
    }
    let mut text = Vec::new();
    copy(raw.get(), &settings.redaction, &mut text);
    let text = String::from_utf8_lossy(&text);
    let beginning = cut::beginning(&text, settings.event_limit);
    tracing::info!(target: "powertools::event", event_bytes = event.len(), "{beginning}");
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observed").finish_non_exhaustive()
    }
}
