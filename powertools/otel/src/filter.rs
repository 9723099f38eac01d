//! Which spans and events are recorded.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use powertools::macro_support::otel::EVENT;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber, dispatcher};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::spans::Spans;

/// Admits a level, and nothing of the crates that carry requests, or of the runtime: the root span stands
/// for its own. The event of the function is for the logs alone, which redact and cut it.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    level: LevelFilter,
    /// The subscriber has another such layer. Two would take each other's data.
    is_second: Arc<AtomicBool>,
}

/// Shows that a subscriber has the layer.
#[derive(Debug)]
pub(crate) struct Marker {
    is_second: Arc<AtomicBool>,
    spans: Arc<Spans>,
}

/// Some subscriber got a second layer since this was last asked.
static SECOND_LAYER: AtomicBool = AtomicBool::new(false);

/// Returns the spans that the current subscriber makes.
pub(crate) fn spans_in_use() -> Option<Arc<Spans>> {
    dispatcher::get_default(|set| set.downcast_ref().map(|marker: &Marker| marker.spans.clone()))
}

/// Returns true if a subscriber got a second layer since the last call.
pub(crate) fn take_second_layer() -> bool {
    SECOND_LAYER.swap(false, Ordering::Relaxed)
}

impl Marker {
    pub(crate) fn new(filter: &Filter, spans: Arc<Spans>) -> Self {
        Self { is_second: filter.is_second.clone(), spans }
    }

    /// Returns true if the layer makes these spans, or may be around one that does.
    pub(crate) fn makes(&self, spans: &Arc<Spans>) -> bool {
        Arc::ptr_eq(&self.spans, spans) || self.is_second.load(Ordering::Relaxed)
    }
}

impl<S: Subscriber> Layer<S> for Marker {
    fn on_layer(&mut self, subscriber: &mut S) {
        let subscriber: &dyn Subscriber = subscriber;
        if subscriber.is::<Self>() {
            self.is_second.store(true, Ordering::Relaxed);
            SECOND_LAYER.store(true, Ordering::Relaxed);
        }
    }
}

/// OpenTelemetry itself has events where one of its features is on. They would come while a span starts.
const NOT_ADMITTED: [&str; 9] = [
    "h2",
    "hyper",
    "hyper_util",
    "lambda_runtime",
    "opentelemetry",
    "opentelemetry_sdk",
    crate::warning::TARGET,
    "rustls",
    "tower",
];

impl Filter {
    pub(crate) fn new(level: LevelFilter) -> Self {
        Self { level, is_second: Arc::default() }
    }

    fn admits(&self, metadata: &Metadata<'_>) -> bool {
        let root = metadata.target().split("::").next().unwrap_or_default();
        let is_admitted = *metadata.level() <= self.level
            && !NOT_ADMITTED.contains(&root)
            && metadata.target() != EVENT;
        is_admitted && !self.is_second.load(Ordering::Relaxed)
    }
}

impl<S> tracing_subscriber::layer::Filter<S> for Filter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.admits(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        match self.admits(metadata) {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }
}
