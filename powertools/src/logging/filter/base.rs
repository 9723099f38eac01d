//! The levels of targets, and of what is inside spans.

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Level as Severity, Metadata, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use super::by_span::{self, BySpan};
use super::levels::Level;

/// The directives of a filter.
pub(in crate::logging) struct Base {
    /// Those that name no span. They are parsed here, since the syntax with spans brings regular
    /// expressions, 560 kB of a program.
    targets: Targets,
    /// All of them, if one names a span.
    by_span: Option<BySpan>,
}

impl Base {
    /// Reads directives. One without a target overrides `level`.
    ///
    /// # Errors
    ///
    /// Says what is wrong.
    pub(super) fn new(level: Level, text: &str) -> Result<Self, String> {
        let mut targets = Targets::new().with_default(level.filter());
        let mut names_span = false;
        let directives = text.split(',').map(str::trim).filter(|directive| !directive.is_empty());
        for directive in directives.clone() {
            if directive.contains('[') {
                names_span = true;
                continue;
            }
            if !directive.starts_with(|char: char| char.is_alphanumeric() || "-:_".contains(char)) {
                return Err("invalid filter directive".to_owned());
            }
            // Without a level, a target has all of them.
            let target = match directive.split_once('=') {
                None => match directive.parse::<LevelFilter>() {
                    Ok(level) => {
                        targets = targets.with_default(level);
                        continue;
                    }
                    Err(_) => (directive, LevelFilter::TRACE),
                },
                Some((target, "")) => (target.trim_end(), LevelFilter::TRACE),
                Some((target, level)) => {
                    let level = level.trim_start().parse::<LevelFilter>();
                    (target.trim_end(), level.map_err(|error| error.to_string())?)
                }
            };
            targets.extend([target]);
        }
        let by_span = names_span.then(|| {
            let directives: Vec<_> = directives.map(without_spaces).collect();
            by_span::parse(&format!("{},{}", level.filter(), directives.join(",")))
        });
        Ok(Self { targets, by_span: by_span.transpose()? })
    }

    /// True if a target is admitted at a level outside of all spans.
    pub(super) fn admits(&self, target: &str, severity: Severity) -> bool {
        self.targets.would_enable(target, &severity)
    }
}

/// Returns a directive without the spaces around its parts, which `EnvFilter` takes for a part of them. What is in
/// brackets stays.
fn without_spaces(directive: &str) -> String {
    let target_end = directive.find(['[', '=']).unwrap_or(directive.len());
    let (target, rest) = directive.split_at(target_end);
    let (span, level) = rest.split_at(rest.rfind(']').map_or(0, |end| end + 1));
    let target = target.trim_end();
    match level.trim_start().strip_prefix('=') {
        Some(level) => format!("{target}{span}={}", level.trim_start()),
        None => format!("{target}{span}{level}"),
    }
}

/// Calls a method of the filter that counts.
macro_rules! delegate {
    ($self:ident.$method:ident($($argument:expr),*)) => {
        match &$self.by_span {
            Some(by_span) => Filter::<S>::$method(by_span, $($argument),*),
            None => Filter::<S>::$method(&$self.targets, $($argument),*),
        }
    };
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Filter<S> for Base {
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        delegate!(self.enabled(metadata, context))
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        delegate!(self.callsite_enabled(metadata))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        delegate!(self.max_level_hint())
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        delegate!(self.on_new_span(attributes, id, context));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        delegate!(self.on_record(id, values, context));
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        delegate!(self.on_enter(id, context));
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        delegate!(self.on_exit(id, context));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        delegate!(self.on_close(id, context));
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::Registry;

    use super::*;

    fn base(text: &str) -> Base {
        Base::new(Level::Info, text).unwrap()
    }

    #[test]
    fn directives_apply_without_an_event() {
        let admits = |text, level| {
            Base::new(level, text).unwrap().admits("powertools::panic", Severity::ERROR)
        };
        assert!(admits("", Level::Error) && admits("powertools=error, x=off,", Level::Info));
        assert!(admits("off,powertools=warn", Level::Info));
        assert!(!admits("powertools=off", Level::Info) && !admits("off", Level::Info));
    }

    #[test]
    fn the_longest_target_counts_and_of_two_the_last() {
        let base =
            base("orders=debug,orders::db=warn,hyper,x=,2, orders = trace,orders=debug , db =warn");
        let admits = |target, severity| base.admits(target, severity);
        assert!(admits("orders::api", Severity::DEBUG) && !admits("orders", Severity::TRACE));
        assert!(admits("orders::db", Severity::WARN) && !admits("orders::db", Severity::INFO));
        assert!(admits("hyper::proto", Severity::TRACE) && admits("x", Severity::TRACE));
        assert!(admits("db", Severity::WARN) && !admits("db", Severity::INFO));
        assert!(admits("other", Severity::WARN) && !admits("other", Severity::INFO));
        assert_eq!(Filter::<Registry>::max_level_hint(&base), Some(LevelFilter::TRACE));
    }

    #[test]
    fn a_directive_that_has_no_meaning_is_an_error() {
        for text in ["orders=loud", "orders=info=warn", "=info", "@", "info,[", "{id=7}"] {
            assert!(Base::new(Level::Info, text).is_err(), "{text}");
        }
    }
}
