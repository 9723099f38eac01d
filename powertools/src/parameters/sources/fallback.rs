use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::parameters::{Content, Fetched, Request, Source, SourceError, SourceErrorKind};

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
    /// source returns. Each kind of failure is logged once. What the extension does not have is no failure.
    pub(super) async fn or(
        &self,
        request: &Request,
        fetched: Result<Fetched, SourceError>,
    ) -> Result<Fetched, SourceError> {
        let (error, source) = match (fetched, &self.source) {
            (Err(error), Some(source)) if error.is_retryable() => (error, source),
            (Err(error), Some(source)) if error.kind() == SourceErrorKind::Unsupported => {
                return source.fetch(request).await;
            }
            (fetched, _) => return fetched,
        };
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

    /// Writes with the other source: extensions only read.
    pub(super) async fn write(
        &self,
        request: &Request,
        content: Content,
    ) -> Result<(), SourceError> {
        match &self.source {
            Some(source) => source.set(request, content).await,
            None => {
                let message = format!("{} only reads: give it a fallback that writes", self.who);
                Err(SourceError::new(SourceErrorKind::Unsupported, message))
            }
        }
    }
}
