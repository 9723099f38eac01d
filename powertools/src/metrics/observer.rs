//! What the metrics do around the events of a function.

use std::fmt;

use super::Error;
use super::builder::Metrics;
use super::measure::counted;
use super::settings::{Shared, set_for_the_process};
use super::store::{self, Own, Store};
use crate::invocation::Invocation;

/// Writes what invocations measure. Settings that are invalid show when the function starts.
#[derive(Clone)]
pub(crate) struct Observed(Result<Shared, Error>);

impl Default for Observed {
    fn default() -> Self {
        Self::new(Metrics::new())
    }
}

impl Observed {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self(metrics.build())
    }

    pub(crate) fn start(&self) -> Result<(), lambda_runtime::Error> {
        let settings = self.0.clone()?;
        settings.warn_of_levels();
        // What the program has set up before is for what it measures outside of its events. What it measured
        // before went by the environment.
        let _ = set_for_the_process(settings);
        Ok(())
    }

    pub(crate) fn event(&self, invocation: &Invocation) {
        let Ok(settings) = &self.0 else { return };
        invocation.local::<Store>().attach(settings);
        if settings.counts_cold_starts && invocation.is_cold_start() {
            count_cold_start(settings, invocation);
        }
    }

    pub(crate) fn handler_ends(&self, invocation: &Invocation) {
        invocation.local::<Store>().end();
    }
}

/// Writes a line now: what the first event does next may not end.
fn count_cold_start(settings: &Shared, invocation: &Invocation) {
    let name = settings.function_name.as_deref().unwrap_or_else(|| invocation.function_name());
    let mut own = Own::default();
    let mut problems = Default::default();
    own.labels.set_dimension("function_name".into(), name.to_owned().into(), &mut problems);
    problems.report(&settings.reported);
    let store = invocation.local::<Store>();
    store::record(Some(invocation), Some(&own), counted("ColdStart".into(), &1).erased());
    store.flush();
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observed").finish_non_exhaustive()
    }
}
