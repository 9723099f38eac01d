use std::fmt;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::emit::{self, Origin, Scratch};
use super::handler::EVENT;
use super::line::fields::Fields;
use super::line::format::Format;
use super::line::visitor::Visitor;
use super::settings::{Settings, Shared};
use super::state::State;
use super::state::ending::{HANDLER, PANIC};
use crate::Invocation;
use crate::json::{cut, write};

/// Writes a line for each event. Made by [`Logging::layer`](super::Logging::layer).
pub(super) struct Lines {
    settings: Shared,
    /// Another one is in the same subscriber: this one writes nothing.
    is_second: bool,
}

/// The fields of a span as they stand in a line. The type is of this crate alone, so that no other
/// layer's are taken for them.
struct SpanFields(Fields);

/// The invocation that failed in a span of the runtime.
struct FailedInvocation(Invocation);

/// The spans of the runtime repeat what the invocation says under other names.
const RUNTIME: &str = "lambda_runtime";

/// Where the runtime says of a handler's error what is said here already.
const RUNTIME_ERRORS: &str = "lambda_runtime::layers::panic";

impl Lines {
    pub(super) fn new(settings: Shared) -> Self {
        Self { settings, is_second: false }
    }

    fn visitor<'a>(&'a self, fields: &'a mut Fields) -> Visitor<'a> {
        Visitor { fields, message: None, style: self.settings.style() }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_layer(&mut self, subscriber: &mut S) {
        let inner: &dyn Subscriber = subscriber;
        if inner.is::<Self>() {
            self.is_second = true;
            emit::warn("there is another logging layer: this one writes nothing", &self.settings);
        }
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if self.is_second || attributes.metadata().target().starts_with(RUNTIME) {
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
        let Some(span) = context.span(id).filter(|_| !self.is_second) else { return };
        // Outside of the lock: a value's `Debug` can log.
        let mut new = Fields::default();
        values.record(&mut self.visitor(&mut new));
        let mut extensions = span.extensions_mut();
        if let Some(SpanFields(fields)) = extensions.get_mut() {
            new.add_missing(fields);
            *fields = new;
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let settings = &self.settings;
        if self.is_second || is_written_already(event, &context) {
            return;
        }
        let written = !settings.admission.takes_debug()
            || settings.admission.admits(metadata, context.clone());
        if !written && Invocation::with_current(|_| ()).is_none() {
            return;
        }

        let mut scratch = Scratch::take();
        let origin = Origin::of(metadata);
        scratch.begin(&origin, settings);
        let Scratch { line, fields, .. } = &mut *scratch;
        let (style, start) = (settings.style(), line.len());
        event.record(&mut Visitor { fields, message: Some(line), style });
        if metadata.target() == EVENT {
            limit_event(line, start, fields, settings);
        }
        if let Some(scope) = context.event_scope(event) {
            for span in scope {
                let extensions = span.extensions();
                if let Some(SpanFields(outer)) = extensions.get() {
                    fields.add_missing(outer);
                }
            }
        }
        scratch.end(&origin, written, settings);
        scratch.give_back();
        if *metadata.level() == Level::ERROR && [HANDLER, PANIC].contains(&metadata.target()) {
            remember(event, &context);
        }
    }
}

/// Leaves the beginning of an event that is the message behind `start`, if it is too long.
fn limit_event(line: &mut Vec<u8>, start: usize, fields: &mut Fields, settings: &Settings) {
    let start = start + settings.format.before_message().len();
    let bytes = line.len().saturating_sub(start);
    if bytes <= settings.event_limit {
        return;
    }
    let event = line.split_off(start);
    let event = String::from_utf8_lossy(&event);
    let beginning = cut::beginning(&event, settings.event_limit);
    match settings.format {
        Format::Json => write::string(line, beginning),
        Format::Text => line.extend_from_slice(beginning.as_bytes()),
    }
    fields.put("event_bytes".into(), &settings.style(), |out| write::integer(out, bytes));
}

/// Remembers that an error or a panic has its line, for when the runtime comes to say it.
fn remember<S>(event: &Event<'_>, context: &Context<'_, S>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let Some(invocation) = Invocation::current() else { return };
    invocation.local::<State>().lock().ending.written(event.metadata().target());
    if let Some(span) = runtime_span(event, context) {
        span.extensions_mut().replace(FailedInvocation(invocation));
    }
}

/// The span that the runtime puts around an invocation.
fn runtime_span<'a, S>(event: &Event<'_>, context: &'a Context<'a, S>) -> Option<SpanRef<'a, S>>
where
    S: Subscriber + for<'b> LookupSpan<'b>,
{
    context.event_scope(event)?.find(|span| span.metadata().target().starts_with(RUNTIME))
}

/// True for the runtime's line about an error of the handler that has one of ours.
fn is_written_already<S>(event: &Event<'_>, context: &Context<'_, S>) -> bool
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let metadata = event.metadata();
    if *metadata.level() != Level::ERROR || metadata.target() != RUNTIME_ERRORS {
        return false;
    }
    // A handler under the plain runtime has left its invocation by now.
    let invocation = Invocation::current().or_else(|| {
        let span = runtime_span(event, context)?;
        span.extensions().get::<FailedInvocation>().map(|failed| failed.0.clone())
    });
    let Some(invocation) = invocation else { return false };
    let mut found = FindWritten { invocation: &invocation, is_written: false };
    event.record(&mut found);
    found.is_written
}

/// Compares the message of the runtime's line with what has a line already.
struct FindWritten<'a> {
    invocation: &'a Invocation,
    is_written: bool,
}

impl Visit for FindWritten<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let state = self.invocation.local::<State>();
            let reported = state.lock().ending.clone();
            self.is_written = reported.is_written(value);
        }
    }
}
