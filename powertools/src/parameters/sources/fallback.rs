use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::parameters::{Fetched, Request, Source, SourceError, SourceErrorKind};

/// The source that is used where an extension fails.
#[derive(Debug)]
pub(super) struct Fallback {
    who: &'static str,
    source: Option<Arc<dyn Source>>,
    /// A bit for each kind of failure that has been reported.
    reported: AtomicU8,
}

impl Fallback {
    pub(super) fn none(who: &'static str) -> Self {
        Self { who, source: None, reported: AtomicU8::new(0) }
    }

    pub(super) fn set(&mut self, source: impl Source) {
        self.source = Some(Arc::new(source));
    }

    /// Returns what the extension returned, or, if it could not serve the request, what the other
    /// source returns. Each kind of failure is logged once.
    pub(super) async fn or(
        &self,
        request: &Request,
        fetched: Result<Fetched, SourceError>,
    ) -> Result<Fetched, SourceError> {
        let error = match fetched {
            Err(error) if error.is_retryable() => error,
            fetched => return fetched,
        };
        let Some(source) = &self.source else { return Err(error) };
        let bit = match error.kind() {
            SourceErrorKind::Unavailable => 1,
            SourceErrorKind::Timeout => 2,
            SourceErrorKind::Throttled => 4,
            _ => 8,
        };
        if self.reported.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
            tracing::warn!(
                error = crate::error::with_causes(&error),
                "{} did not serve a request: values come from the fallback while it does not",
                self.who
            );
        }
        source.fetch(request).await
    }
}
