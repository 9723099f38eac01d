//! Which events are written, kept, or neither.

use tracing::level_filters::LevelFilter;
use tracing::{Level as Severity, Metadata, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use super::super::Error;
use super::super::state::ending::PANIC;
use super::base::Base;
use super::levels::{Directives, Level, Levels, is_level, name};

/// The target under which the runtime logs each event in full.
const EVENTS: &str = "lambda_runtime::layers::api_response";

/// The levels of all targets.
pub(in crate::logging) struct Admission {
    pub(in crate::logging) level: Level,
    /// No directive admits what is below this, or Lambda drops it.
    pub(in crate::logging) cap: LevelFilter,
    pub(in crate::logging) base: Base,
    /// The targets that the user's filter names.
    named: Vec<String>,
    /// Lines up to DEBUG are admitted for sampling or for the buffer.
    pub(in crate::logging) debug: bool,
    /// The lines about panics are written.
    pub(in crate::logging) reports_panics: bool,
}

impl Admission {
    pub(in crate::logging) fn new(
        levels: Levels,
        directives: Directives,
        debug: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Self, Error> {
        let Levels { level, lambda, .. } = levels;
        let Directives { setting, text } = directives;
        let base = Base::new(level, &text)
            .map_err(|reason| Error::setting(setting, text.clone(), reason))?;
        let named = named(&text);
        let reports_panics = level != Level::Fatal && base.admits(PANIC, Severity::ERROR);
        if let Some(lambda) = lambda
            && lambda > Level::Debug
            && debug
        {
            warnings.push(format!(
                "AWS_LAMBDA_LOG_LEVEL is {}: Lambda drops the DEBUG lines that sampling and the \
                 buffer write",
                name(lambda),
            ));
        }
        let lambda = lambda.map_or(LevelFilter::TRACE, Level::filter);
        let cap =
            Filter::<Registry>::max_level_hint(&base).unwrap_or(LevelFilter::TRACE).min(lambda);
        Ok(Self { level, cap, base, named, debug, reports_panics })
    }

    /// True if anything at all is written.
    pub(in crate::logging) fn admits_any(&self) -> bool {
        self.level != Level::Fatal
    }

    /// True if lines may be written, or kept, that are below the level.
    pub(in crate::logging) fn takes_debug(&self) -> bool {
        self.debug && self.level != Level::Fatal
    }

    /// True if an event is written whatever becomes of its invocation.
    pub(in crate::logging) fn admits<S>(
        &self,
        metadata: &Metadata<'_>,
        context: Context<'_, S>,
    ) -> bool
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        self.may_admit(metadata) && self.base.enabled(metadata, &context)
    }

    /// False if no directive of the base filter counts for an event or span.
    pub(in crate::logging) fn may_admit(&self, metadata: &Metadata<'_>) -> bool {
        self.level != Level::Fatal
            && *metadata.level() <= self.cap
            && !is_event(metadata)
            && (*metadata.level() <= Severity::INFO || self.is_of_the_user(metadata.target()))
    }

    /// False for the libraries under the user's code, unless the filter names them.
    fn is_of_the_user(&self, target: &str) -> bool {
        !is_noisy(target) || self.is_named(target)
    }

    fn is_named(&self, target: &str) -> bool {
        self.named.iter().any(|named| target.starts_with(named))
    }

    /// True for a DEBUG event of a target that is sampled and buffered.
    pub(in crate::logging) fn is_debug_line(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        self.takes_debug()
            && *metadata.level() <= Severity::DEBUG
            && !is_noisy(target)
            && !self.is_named(target)
    }

    /// True for a span whose fields are kept although its level is not written.
    pub(in crate::logging) fn keeps_span(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && *metadata.level() <= Severity::INFO && self.level != Level::Fatal
    }
}

/// The targets in a list of directives. What only names a level is about all of them.
fn named(directives: &str) -> Vec<String> {
    let targets = directives.split(',').filter_map(|directive| {
        let directive = directive.trim();
        let target = directive.split(['=', '[']).next()?.trim_end();
        (!target.is_empty() && !is_level(directive)).then(|| target.to_owned())
    });
    targets.collect()
}

/// Returns true for verbose crates: they stay at INFO, and are neither sampled nor buffered.
fn is_noisy(target: &str) -> bool {
    // Called for each line of DEBUG: a `match` compares the length first.
    match target.split_once(':').map_or(target, |(name, _)| name) {
        "aws_config" | "aws_credential_types" | "aws_runtime" | "aws_sigv4" | "aws_types" => true,
        "h2" | "hyper" | "hyper_rustls" | "hyper_util" | "rustls" | "tower" | "tower_http" => true,
        "mio" | "tokio_rustls" | "tokio_util" | "want" => true,
        "lambda_runtime" | "lambda_runtime_api_client" => true,
        name => name.starts_with("aws_sdk_") || name.starts_with("aws_smithy_"),
    }
}

/// True for what the runtime writes.
pub(in crate::logging) fn is_runtime(target: &str) -> bool {
    matches!(
        target.split_once(':').map_or(target, |(name, _)| name),
        "lambda_runtime" | "lambda_runtime_api_client"
    )
}

/// True for the crates that can have an access key in a line.
pub(in crate::logging) fn is_aws(target: &str) -> bool {
    target.starts_with("aws_") && is_noisy(target)
}

/// True for the line of the runtime that has the event in it, with all that is to be hidden.
pub(in crate::logging) fn is_event(metadata: &Metadata<'_>) -> bool {
    *metadata.level() == Severity::TRACE
        && metadata.target() == EVENTS
        && metadata.fields().field("body").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_targets_that_are_named() {
        assert_eq!(named("warn, orders = debug,hyper[request{id=1}]=off,plain,"), {
            ["orders", "hyper", "plain"]
        });
    }

    #[test]
    fn a_crate_with_the_prefix_of_a_noisy_one_is_not_noisy() {
        for target in ["hyper", "h2::client", "aws_sdk_s3::operation", "aws_config", "tower::util"]
        {
            assert!(is_noisy(target), "{target}");
        }
        for target in
            ["aws_orders::main", "tower_orders", "h2o", "hyperspace::jump", "aws_config_x"]
        {
            assert!(!is_noisy(target), "{target}");
        }
        assert!(is_runtime("lambda_runtime") && is_runtime("lambda_runtime::layers::panic"));
        assert!(!is_runtime("lambda_runtime_orders::main") && !is_runtime("lambda_runtimes"));
    }
}
