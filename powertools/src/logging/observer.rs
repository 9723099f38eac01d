use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::value::RawValue;

use super::settings::Shared;
use super::state::ending::HANDLER;
use super::{Error, Logging, log_event, set_correlation_id, start};

/// Logs what becomes of invocations. Settings that cannot be show when the function starts.
pub(crate) struct Observed(Result<(Shared, Vec<String>), Error>);

impl Observed {
    pub(crate) fn new(logging: Logging) -> Self {
        Self(logging.build())
    }

    pub(crate) fn start(&self) -> Result<(), lambda_runtime::Error> {
        let (settings, warnings) = self.0.clone()?;
        start::init_unless_set(settings, &warnings);
        Ok(())
    }

    pub(crate) fn event(&self, event: &[u8]) {
        let Ok((settings, _)) = &self.0 else { return };
        if let Some(correlation) = &settings.correlation {
            // The runtime catches panics of the handler, and none out here.
            match catch_unwind(AssertUnwindSafe(|| correlation.find(event))) {
                Ok(id) => id.into_iter().for_each(set_correlation_id),
                Err(_) => tracing::warn!(
                    target: HANDLER,
                    "there is no correlation id: the code that looks for it panicked",
                ),
            }
        }
        // If it is invalid JSON, the error of the parser reports that.
        if settings.event
            && let Ok(event) = serde_json::from_slice::<&RawValue>(event)
        {
            log_event(&event);
        }
    }
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observed").finish_non_exhaustive()
    }
}
