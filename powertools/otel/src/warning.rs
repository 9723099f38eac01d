//! Warnings of this package.

use std::cell::Cell;
use std::fmt;
use std::io::{Write, stderr};

use powertools::macro_support::otel::has_logs;

/// The target of warnings.
pub(crate) const TARGET: &str = "powertools_otel";

/// Passes a warning on to the subscriber. If nothing writes it there, it becomes a line of the standard error: many a
/// subscriber has no layer but that of the spans. Logs that are set decide by their level.
pub(crate) fn warn(message: &str) {
    warn_of(None, message);
}

/// Like [`warn`], with a number of spans.
pub(crate) fn warn_of(spans: Option<u64>, message: &str) {
    let message = Message { text: message, is_written: Cell::new(false) };
    tracing::warn!(target: TARGET, spans, "{message}");
    if !message.is_written.get() && !has_logs() {
        let count = spans.map(|spans| format!(" (spans: {spans})")).unwrap_or_default();
        // It may be closed.
        let _ = writeln!(stderr(), "WARN {TARGET}: {}{count}", message.text);
    }
}

/// Notes that something has written it.
struct Message<'a> {
    text: &'a str,
    is_written: Cell<bool>,
}

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.is_written.set(true);
        f.write_str(self.text)
    }
}
