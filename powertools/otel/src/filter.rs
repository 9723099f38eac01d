//! Which spans and events are recorded.

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Admits a level, and nothing of the crates that carry requests, or of the runtime: the root span stands
/// for its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filter {
    level: LevelFilter,
}

/// Shows that a subscriber has the layer.
#[derive(Debug)]
pub(crate) struct Marker;

impl<S: Subscriber> Layer<S> for Marker {}

const NOT_ADMITTED: [&str; 7] =
    ["h2", "hyper", "hyper_util", "lambda_runtime", crate::export::TARGET, "rustls", "tower"];

impl Filter {
    pub(crate) fn new(level: LevelFilter) -> Self {
        Self { level }
    }

    fn admits(self, metadata: &Metadata<'_>) -> bool {
        let root = metadata.target().split("::").next().unwrap_or_default();
        *metadata.level() <= self.level && !NOT_ADMITTED.contains(&root)
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
