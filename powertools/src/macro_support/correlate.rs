use serde::Serialize;

use crate::logging::set_correlation_id_from;

/// Sets the correlation id to what `path` leads to in `event`, with a warning where `path` is
/// invalid: logging never fails an invocation.
pub fn correlate(event: &impl Serialize, path: &str) {
    if let Err(error) = set_correlation_id_from(event, path) {
        tracing::warn!(target: "powertools::handler", %error, "there is no correlation id");
    }
}
