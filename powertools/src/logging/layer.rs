use std::iter::successors;

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::fields::{Fields, Visitor};
use super::line::{Origin, Scratch};
use super::settings::{Settings, Shared};
use super::state::State;
use crate::Invocation;

/// Writes a line for each event. Made by [`Logging::layer`](super::Logging::layer).
pub(super) struct Lines {
    settings: Shared,
}

/// The fields of a span as they stand in a line, for each of our layers. The type is of this crate
/// alone, so that no other layer's are taken for them.
struct SpanFields {
    /// The settings by which they are written.
    settings: u64,
    fields: Fields,
    /// Those of another layer of ours.
    next: Option<Box<Self>>,
}

impl SpanFields {
    fn of(&self, settings: &Settings) -> Option<&Fields> {
        let mut all = successors(Some(self), |this| this.next.as_deref());
        all.find(|this| this.settings == settings.id).map(|this| &this.fields)
    }

    fn of_mut(&mut self, settings: &Settings) -> Option<&mut Fields> {
        if self.settings == settings.id {
            return Some(&mut self.fields);
        }
        self.next.as_mut()?.of_mut(settings)
    }
}

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
            let mut extensions = span.extensions_mut();
            let next = extensions.remove().map(Box::new);
            extensions.insert(SpanFields { settings: self.settings.id, fields, next });
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        // Outside of the lock: a value's `Debug` can log.
        let mut new = Fields::default();
        values.record(&mut self.visitor(&mut new));
        let mut extensions = span.extensions_mut();
        let fields = extensions.get_mut::<SpanFields>();
        if let Some(fields) = fields.and_then(|fields| fields.of_mut(&self.settings)) {
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
                let extensions = span.extensions();
                let outer = extensions.get::<SpanFields>().and_then(|outer| outer.of(settings));
                outer.into_iter().for_each(|outer| fields.add_missing(outer));
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
