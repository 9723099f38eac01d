//! Filters that name spans: those of `EnvFilter`.

use tracing_subscriber::EnvFilter;

pub(super) type BySpan = EnvFilter;

pub(super) fn parse(directives: &str) -> Result<BySpan, String> {
    EnvFilter::builder().parse(directives).map_err(|error| error.to_string())
}
