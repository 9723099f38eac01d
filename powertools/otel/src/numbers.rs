//! Unsigned numbers, which `tracing-opentelemetry` turns into strings.

use std::cell::RefCell;
use std::fmt;

use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Notes which fields of a span are unsigned. Stands before the layer of the spans, and behind it as
/// [`Forget`].
#[derive(Debug)]
pub(crate) struct Note;

/// Ends what [`Note`] began.
#[derive(Debug)]
pub(crate) struct Forget;

/// The names of the unsigned fields of a span and its events.
#[derive(Debug, Default)]
struct Unsigned(Vec<&'static str>);

thread_local! {
    /// Those of the span that is being closed.
    static CLOSING: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

impl Visit for Unsigned {
    fn record_u64(&mut self, field: &Field, _: u64) {
        if !self.0.contains(&field.name()) {
            self.0.push(field.name());
        }
    }

    fn record_u128(&mut self, field: &Field, _: u128) {
        self.record_u64(field, 0);
    }

    fn record_i128(&mut self, field: &Field, _: i128) {
        self.record_u64(field, 0);
    }

    // Only its `Debug` form would be of use to others, which can be long.
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}

    fn record_str(&mut self, _: &Field, _: &str) {}

    fn record_error(&mut self, _: &Field, _: &(dyn std::error::Error + 'static)) {}
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Note {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        note(id, &context, |found| attributes.record(found));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        note(id, &context, |found| values.record(found));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if let Some(span) = context.event_span(event) {
            note(&span.id(), &context, |found| event.record(found));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id);
        let found = span.and_then(|span| span.extensions_mut().remove::<Unsigned>());
        set_closing(found.unwrap_or_default().0);
    }
}

impl<S: Subscriber> Layer<S> for Forget {
    fn on_close(&self, _: Id, _: Context<'_, S>) {
        set_closing(Vec::new());
    }
}

fn note<S>(id: &Id, context: &Context<'_, S>, record: impl FnOnce(&mut Unsigned))
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let mut found = Unsigned::default();
    record(&mut found);
    let Some(span) = context.span(id).filter(|_| !found.0.is_empty()) else { return };
    let mut extensions = span.extensions_mut();
    match extensions.get_mut::<Unsigned>() {
        Some(Unsigned(names)) => names.extend(found.0),
        None => extensions.insert(found),
    }
}

fn set_closing(names: Vec<&'static str>) {
    // Fails while the thread ends.
    let _ = CLOSING.try_with(|closing| *closing.borrow_mut() = names);
}

/// Turns the unsigned fields of the span that is being closed back into numbers. Those that do not fit
/// OTLP's 64 bits with a sign stay strings.
pub(crate) fn restore(span: &mut SpanData) {
    let _ = CLOSING.try_with(|closing| {
        let names = closing.borrow();
        if names.is_empty() {
            return;
        }
        let of_events = span.events.events.iter_mut().flat_map(|event| &mut event.attributes);
        for KeyValue { key, value, .. } in span.attributes.iter_mut().chain(of_events) {
            if let Value::String(text) = value
                && names.contains(&key.as_str())
                && let Ok(number) = text.as_str().parse::<i64>()
                && number.to_string() == text.as_str()
            {
                *value = Value::I64(number);
            }
        }
    });
}
