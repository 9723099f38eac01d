use std::fmt;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber, dispatcher};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::emit::{self, Origin, Scratch};
use super::filter::admission::{is_aws, is_runtime};
use super::handler::EVENT;
use super::line::fields::Fields;
use super::line::format::Format;
use super::line::log_record::LogRecord;
use super::line::visitor::Visitor;
use super::settings::{Settings, Shared};
use super::state::State;
use super::state::ending::HANDLER;
use super::state::spanned::{Replays, Spanned, invocation_of, is_replayed};
use crate::invocation::Invocation;
use crate::json::{cut, write};

/// Writes a line for each event. Created by [`Logging::layer`](super::Logging::layer).
pub(super) struct Lines {
    settings: Shared,
    /// Another one is in the same subscriber: this one writes nothing.
    is_second: bool,
}

/// The target under which the runtime logs a handler's error, which this crate logs already.
const RUNTIME_ERRORS: &str = "lambda_runtime::layers::panic";

impl Lines {
    pub(super) fn new(settings: Shared) -> Self {
        Self { settings, is_second: false }
    }

    fn visitor<'a>(&'a self, fields: &'a mut Fields) -> Visitor<'a> {
        let style = self.settings.style();
        Visitor { fields, message: None, style, is_of_span: true, is_log_record: false }
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
        let mut spanned = Spanned { invocation: Invocation::current(), ..Spanned::default() };
        let metadata = attributes.metadata();
        let has_fields = !metadata.fields().is_empty() && !is_runtime(metadata.target());
        if self.is_second || !(has_fields || spanned.invocation.is_some()) {
            return;
        }
        if has_fields {
            attributes.record(&mut self.visitor(&mut spanned.fields));
        }
        if Replays::are_in(metadata) {
            attributes.record(&mut spanned.replays);
        }
        if let Some(span) = context.span(id) {
            span.extensions_mut().replace(spanned);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if self.is_second || is_runtime(span.metadata().target()) {
            return;
        }
        // Outside of the lock: a value's `Debug` can log.
        let mut new = Fields::default();
        values.record(&mut self.visitor(&mut new));
        let mut extensions = span.extensions_mut();
        if let Some(Spanned { fields, replays, .. }) = extensions.get_mut() {
            new.add_missing(fields);
            *fields = new;
            if Replays::are_in(span.metadata()) {
                values.record(replays);
            }
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let record = LogRecord::of(event);
        let of_record = record.as_ref().map(|record| record.metadata(event.metadata()));
        let metadata = of_record.as_ref().unwrap_or(event.metadata());
        let settings = &self.settings;
        if self.is_second || is_written_already(event, &context) {
            return;
        }
        // Warnings and errors can be new in a replay.
        if *metadata.level() > Level::WARN && is_replayed(|| context.event_scope(event)) {
            return;
        }
        // Outside an invocation only: to look up a span takes longer than to write a field.
        let of_span = || invocation_of(context.event_scope(event));
        let written = !settings.admission.takes_debug()
            || settings.admission.admits(metadata, context.clone());
        let has_invocation = || Invocation::with_current(|_| ()).is_some() || of_span().is_some();
        if !written && !has_invocation() {
            return;
        }

        let mut scratch = Scratch::take();
        let origin = Origin::of(metadata);
        scratch.begin(&origin, settings);
        let Scratch { line, fields, .. } = &mut *scratch;
        let (style, start) = (settings.style(), line.len());
        event.record(&mut Visitor {
            fields,
            message: Some(line),
            style,
            is_of_span: false,
            is_log_record: record.is_some(),
        });
        if metadata.target() == EVENT {
            limit_event(line, start, fields, settings);
        } else if is_aws(metadata.target()) {
            hide_access_keys(line);
            hide_access_keys(&mut fields.bytes);
        }
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(Spanned { fields: outer, .. }) = span.extensions().get() {
                fields.add_missing(outer);
            }
        }
        scratch.end(&origin, written, settings, &of_span);
        scratch.give_back();
        if *metadata.level() == Level::ERROR && metadata.target() == HANDLER {
            Invocation::with_current(|invocation| {
                invocation.local::<State>().lock().event.ending.written(HANDLER);
            });
        }
    }
}

/// The settings of the layer that writes the lines of this thread.
pub(super) fn settings_in_use() -> Option<Shared> {
    dispatcher::get_default(|dispatch| {
        dispatch.downcast_ref::<Lines>().map(|lines| lines.settings.clone())
    })
}

/// Hides the identifiers of access keys, which the AWS SDK has in some of its lines.
fn hide_access_keys(text: &mut [u8]) {
    /// Four letters for the kind of key, and these behind them.
    const REST: usize = 16;
    let mut at = 0;
    while let Some(key) = text.get(at..at + 4 + REST) {
        let is_rest = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        if (key.starts_with(b"AKIA") || key.starts_with(b"ASIA")) && key.iter().all(is_rest) {
            text[at + 4..at + 4 + REST].fill(b'*');
            at += REST;
        }
        at += 1;
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
    let invocation = Invocation::current().or_else(|| invocation_of(context.event_scope(event)));
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
            let reported = state.lock().event.ending.clone();
            self.is_written = reported.is_written(value);
        }
    }
}
