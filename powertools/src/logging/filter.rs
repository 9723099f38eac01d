//! Which events become lines.

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Level as Severity, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use super::environment::{self, Directives, Levels};
use super::settings::{Settings, Shared};
use super::state::State;
use super::{Error, Level};
use crate::Invocation;

/// Where the runtime says each event, whole and as it came.
const EVENTS: &str = "lambda_runtime::layers::api_response";

/// The levels of all targets.
pub(super) struct Admission {
    level: Level,
    /// No directive admits what is below this, or Lambda drops it.
    cap: LevelFilter,
    base: EnvFilter,
    /// The targets that the user's filter names.
    named: Vec<String>,
    /// Lines up to DEBUG are taken for sampling or for the buffer.
    debug: bool,
}

impl Admission {
    pub(super) fn new(
        levels: Levels,
        directives: Directives,
        debug: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Self, Error> {
        let Levels { level, lambda, .. } = levels;
        let Directives { setting, text } = directives;
        // The level first: a directive that names no target goes over it.
        let base = EnvFilter::builder()
            .parse(format!("{},{text}", level.filter()))
            .map_err(|error| Error::setting(setting, text.clone(), error.to_string()))?;
        let named = named(&text);
        if let Some(lambda) = lambda
            && lambda > Level::Debug
            && debug
        {
            warnings.push(format!(
                "AWS_LAMBDA_LOG_LEVEL is {}: Lambda drops the DEBUG lines that sampling and the \
                 buffer write",
                environment::name(lambda),
            ));
        }
        let lambda = lambda.map_or(LevelFilter::TRACE, Level::filter);
        let cap = base.max_level_hint().unwrap_or(LevelFilter::TRACE).min(lambda);
        Ok(Self { level, cap, base, named, debug })
    }

    /// True if anything at all is written.
    pub(super) fn admits_any(&self) -> bool {
        self.level != Level::Fatal
    }

    /// True if lines may be written, or kept, that are below the level.
    pub(super) fn takes_debug(&self) -> bool {
        self.debug && self.level != Level::Fatal
    }

    /// True if an event is written whatever becomes of its invocation.
    pub(super) fn admits<S>(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        self.level != Level::Fatal
            && *metadata.level() <= self.cap
            && !is_event(metadata)
            && self.base.enabled(metadata, context)
    }

    /// True for a DEBUG event of a target that is sampled and buffered.
    fn is_debug_line(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        self.takes_debug()
            && *metadata.level() <= Severity::DEBUG
            && !is_noisy(target)
            && !self.named.iter().any(|named| target.starts_with(named))
    }

    /// True for a span whose fields are kept although its level is not written.
    fn keeps_span(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && *metadata.level() <= Severity::INFO && self.level != Level::Fatal
    }
}

/// The targets in a list of directives. What only names a level is about all of them.
fn named(directives: &str) -> Vec<String> {
    let targets = directives.split(',').filter_map(|directive| {
        let directive = directive.trim();
        let target = directive.split(['=', '[']).next()?;
        (!target.is_empty() && !is_level(directive)).then(|| target.to_owned())
    });
    targets.collect()
}

/// True for a directive that is about all targets.
pub(super) fn is_level(directive: &str) -> bool {
    directive.trim().parse::<LevelFilter>().is_ok()
}

/// True for crates that say much about little: they are neither sampled nor buffered.
fn is_noisy(target: &str) -> bool {
    // Asked for each line of DEBUG: a `match` goes by the length first.
    match target.split_once(':').map_or(target, |(name, _)| name) {
        "aws_config" | "aws_credential_types" | "aws_runtime" | "aws_sigv4" | "aws_types" => true,
        "h2" | "hyper" | "hyper_rustls" | "hyper_util" | "rustls" | "tower" | "tower_http" => true,
        "lambda_runtime" | "lambda_runtime_api_client" => true,
        name => name.starts_with("aws_sdk_") || name.starts_with("aws_smithy_"),
    }
}

/// True for the line of the runtime that has the event in it, with all that is to be hidden.
fn is_event(metadata: &Metadata<'_>) -> bool {
    *metadata.level() == Severity::TRACE
        && metadata.target() == EVENTS
        && metadata.fields().field("body").is_some()
}

/// [`Admission`] as the filter of the layer, so that other layers see what they want to.
pub(super) struct Admit(pub(super) Shared);

impl Admit {
    fn base(&self) -> &EnvFilter {
        &self.0.admission.base
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Filter<S> for Admit {
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        let admission = &self.0.admission;
        if admission.admits(metadata, context.clone()) || admission.keeps_span(metadata) {
            return true;
        }
        admission.is_debug_line(metadata)
            && Invocation::with_current(|invocation| {
                let Settings { buffer, sample_rate, .. } = *self.0;
                buffer > 0 || invocation.local::<State>().is_sampled(invocation, sample_rate)
            })
            .unwrap_or(false)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        let admission = &self.0.admission;
        let base = Filter::<S>::callsite_enabled(self.base(), metadata);
        if admission.level == Level::Fatal {
            Interest::never()
        } else if admission.keeps_span(metadata) {
            Interest::always()
        } else if *metadata.level() <= admission.cap && !is_event(metadata) && !base.is_never() {
            base
        } else if admission.is_debug_line(metadata) {
            // Every invocation keeps these lines, and the layer drops what is in none; whether one
            // is sampled is asked each time.
            if self.0.buffer > 0 { Interest::always() } else { Interest::sometimes() }
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let admission = &self.0.admission;
        if admission.level == Level::Fatal {
            return Some(LevelFilter::OFF);
        }
        let base = admission.cap;
        let debug = if admission.debug { LevelFilter::DEBUG } else { LevelFilter::INFO };
        Some(base.max(debug))
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        self.base().on_new_span(attributes, id, context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        self.base().on_record(id, values, context);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.base().on_enter(id, context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.base().on_exit(id, context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.base().on_close(id, context);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_targets_that_are_named() {
        assert_eq!(named("warn, orders=debug,hyper[request{id=1}]=off,plain,"), {
            ["orders", "hyper", "plain"]
        });
    }

    #[test]
    fn a_crate_that_is_named_like_a_noisy_one_is_none() {
        for target in ["hyper", "h2::client", "aws_sdk_s3::operation", "aws_config", "tower::util"]
        {
            assert!(is_noisy(target), "{target}");
        }
        for target in
            ["aws_orders::main", "tower_orders", "h2o", "hyperspace::jump", "aws_config_x"]
        {
            assert!(!is_noisy(target), "{target}");
        }
    }
}
