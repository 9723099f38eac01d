use serde::Serialize;

use crate::logging::correlation::Source;
use crate::logging::set_correlation_id_from;

/// Sets the correlation id to what `source` leads to in `event`, with a warning where it is
/// invalid: logging never fails an invocation.
pub fn correlate(event: &impl Serialize, source: impl Into<Source>) {
    if let Err(error) = set_correlation_id_from(event, source) {
        tracing::warn!(target: "powertools::handler", %error, "there is no correlation id");
    }
}
