use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::fields::{Fields, Visitor};
use super::line::{Origin, Scratch};
use super::settings::Shared;
use super::state::State;
use crate::Invocation;

/// Writes a line for each event. Made by [`Logging::layer`](super::Logging::layer).
pub(super) struct Lines {
    settings: Shared,
}

/// The fields of a span as they stand in a line. The type is of this crate alone, so that no other
/// layer's are taken for them.
struct SpanFields(Fields);

/// The spans of the runtime repeat what the invocation says under other names.
const RUNTIME: &str = "lambda_runtime";

/// Where the runtime says of a handler's error what is said here already.
const RUNTIME_ERRORS: &str = "lambda_runtime::layers::panic";

impl Lines {
    pub(super) fn new(settings: Shared) -> Self {
        Self { settings }
    }

    fn visitor<'a>(&'a self, fields: &'a mut Fields) -> Visitor<'a> {
        Visitor { fields, message: None, style: self.settings.style() }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().target().starts_with(RUNTIME) {
            return;
        }
        let mut fields = Fields::default();
        attributes.record(&mut self.visitor(&mut fields));
        if let Some(span) = context.span(id)
            && !attributes.metadata().fields().is_empty()
        {
            span.extensions_mut().insert(SpanFields(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        // Outside of the lock: a value's `Debug` can log.
        let mut new = Fields::default();
        values.record(&mut self.visitor(&mut new));
        if let Some(SpanFields(fields)) = span.extensions_mut().get_mut() {
            new.add_missing(fields);
            *fields = new;
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        if is_said_already(metadata) {
            return;
        }
        let settings = &self.settings;
        let written = !settings.admission.takes_debug()
            || settings.admission.admits(metadata, context.clone());

        let mut scratch = Scratch::take();
        let origin = Origin::of(metadata);
        scratch.begin(&origin, settings);
        let Scratch { line, fields, .. } = &mut *scratch;
        let style = settings.style();
        event.record(&mut Visitor { fields, message: Some(line), style });
        if let Some(scope) = context.event_scope(event) {
            for span in scope {
                if let Some(SpanFields(outer)) = span.extensions().get() {
                    fields.add_missing(outer);
                }
            }
        }
        scratch.end(&origin, written, settings);
        scratch.give_back();
    }
}

/// True for the runtime's line about an error of the handler that has one of ours.
fn is_said_already(metadata: &Metadata<'_>) -> bool {
    *metadata.level() == Level::ERROR
        && metadata.target() == RUNTIME_ERRORS
        && Invocation::with_current(|invocation| invocation.local::<State>().lock().reported)
            .unwrap_or(false)
}
