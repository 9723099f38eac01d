use std::fmt;
use std::iter::successors;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::emit::{Origin, Scratch};
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

/// The invocation that failed in a span of the runtime.
struct FailedInvocation(Invocation);

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
        let settings = &self.settings;
        if is_said_already(event, &context, settings) {
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
                let outer = extensions.get::<SpanFields>().and_then(|outer| outer.of(settings));
                outer.into_iter().for_each(|outer| fields.add_missing(outer));
            }
        }
        scratch.end(&origin, written, settings);
        scratch.give_back();
        if *metadata.level() == Level::ERROR && [HANDLER, PANIC].contains(&metadata.target()) {
            remember(event, &context, settings);
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
fn remember<S>(event: &Event<'_>, context: &Context<'_, S>, settings: &Settings)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let Some(invocation) = Invocation::current() else { return };
    invocation.local::<State>().lock().ending.written(event.metadata().target(), settings.id);
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
fn is_said_already<S>(event: &Event<'_>, context: &Context<'_, S>, settings: &Settings) -> bool
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
    let mut message = Message::default();
    event.record(&mut message);
    invocation.local::<State>().lock().ending.is_said(&message.0, settings.id)
}

/// Takes the message of an event.
#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
