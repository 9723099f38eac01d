//! Unsigned numbers, which `tracing-opentelemetry` turns into strings, and how spans begin.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::{Arc, Mutex};

use opentelemetry::trace::TraceContextExt;
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::spans::{Spans, lock};
use crate::trace::thread_lives;

/// Notes which fields are unsigned. Stands before the layer of the spans, and behind it as [`Forget`].
#[derive(Debug)]
pub(crate) struct Note;

/// Ends what [`Note`] began.
#[derive(Debug)]
pub(crate) struct Forget(pub(crate) Arc<Spans>);

/// Which fields of a span and its events are unsigned.
#[derive(Debug, Default)]
pub(crate) struct Numbers(Mutex<Fields>);

#[derive(Debug, Default)]
struct Fields {
    /// Those of the span. A field can be recorded again, with another type: its last value counts.
    of_span: Vec<&'static str>,
    /// Those of events from before the span was entered first, and how many such events there are.
    of_events: Vec<(usize, &'static str)>,
    events: usize,
}

thread_local! {
    /// Those of the span that is being closed.
    static CLOSING: RefCell<Option<Arc<Numbers>>> = const { RefCell::new(None) };
    /// Those of the events that are being added to spans, until a span takes them. Each one was logged while a value of
    /// the one before it was written.
    static EVENTS: RefCell<Vec<Option<Vec<&'static str>>>> = const { RefCell::new(Vec::new()) };
    /// Whether the span that is being created has no parent, which its code says.
    static IS_ROOT: Cell<bool> = const { Cell::new(false) };
}

/// Collects the names of unsigned fields.
struct Unsigned<'a>(&'a mut Vec<&'static str>);

impl Visit for Unsigned<'_> {
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

    // All others come here. Their values are not looked at: to write them can take long.
    fn record_debug(&mut self, field: &Field, _: &dyn fmt::Debug) {
        self.0.retain(|name| *name != field.name());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Note {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut Unsigned(&mut fields.of_span));
        span.extensions_mut().insert(Arc::new(Numbers(Mutex::new(fields))));
        let _ = IS_ROOT.try_with(|is_root| is_root.set(attributes.is_root()));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(numbers) = numbers_of(id, &context) {
            values.record(&mut Unsigned(&mut lock(&numbers.0).of_span));
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut names = Vec::new();
        event.record(&mut Unsigned(&mut names));
        let _ = EVENTS.try_with(|events| events.borrow_mut().push(Some(names)));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        set_closing(numbers_of(&id, &context));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Forget {
    fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let _ = IS_ROOT.try_with(|is_root| is_root.set(false));
        thread_lives();
    }

    /// The span has started now: it may end without being closed.
    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        thread_lives();
        let span =
            opentelemetry::Context::map_current(|current| current.span().span_context().span_id());
        if self.0.lacks_numbers(span)
            && let Some(numbers) = numbers_of(id, &context)
        {
            self.0.set_numbers(span, numbers);
        }
    }

    /// An event that was not taken by then waits for the start of its span.
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let names = EVENTS.try_with(|events| events.borrow_mut().pop().flatten());
        let (Ok(Some(names)), Some(span)) = (names, context.event_span(event)) else { return };
        if let Some(numbers) = numbers_of(&span.id(), &context) {
            let mut fields = lock(&numbers.0);
            let index = fields.events;
            fields.events += 1;
            fields.of_events.extend(names.into_iter().map(|name| (index, name)));
        }
    }

    fn on_close(&self, _: Id, _: Context<'_, S>) {
        set_closing(None);
    }
}

fn numbers_of<S>(id: &Id, context: &Context<'_, S>) -> Option<Arc<Numbers>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    context.span(id)?.extensions().get().cloned()
}

fn set_closing(numbers: Option<Arc<Numbers>>) {
    // Fails while the thread ends.
    let _ = CLOSING.try_with(|closing| *closing.borrow_mut() = numbers);
}

/// Returns true if the span that is being created has `parent: None`.
pub(crate) fn is_root() -> bool {
    IS_ROOT.try_with(Cell::get).unwrap_or_default()
}

/// Returns the numbers of the span that is being closed.
pub(crate) fn closing() -> Option<Arc<Numbers>> {
    CLOSING.try_with(|closing| closing.borrow().clone()).ok()?
}

/// Turns the unsigned fields of the event that is being added back into numbers.
pub(crate) fn restore_event(attributes: &mut [KeyValue]) {
    let names = EVENTS.try_with(|events| events.borrow_mut().last_mut()?.take());
    if let Ok(Some(names)) = names {
        restore(attributes, |name| names.contains(&name));
    }
}

impl Numbers {
    /// Turns the unsigned fields of a span back into numbers.
    pub(crate) fn restore(&self, span: &mut SpanData) {
        let fields = lock(&self.0);
        if !fields.of_span.is_empty() {
            restore(&mut span.attributes, |name| fields.of_span.contains(&name));
        }
        if !fields.of_events.is_empty() {
            for (index, event) in span.events.events.iter_mut().take(fields.events).enumerate() {
                restore(&mut event.attributes, |name| fields.of_events.contains(&(index, name)));
            }
        }
    }
}

/// Turns strings back into numbers. Those that do not fit OTLP's 64 bits with a sign stay strings.
fn restore(attributes: &mut [KeyValue], is_unsigned: impl Fn(&str) -> bool) {
    for KeyValue { key, value, .. } in attributes {
        if let Value::String(text) = value
            && is_unsigned(key.as_str())
            && let Ok(number) = text.as_str().parse()
        {
            *value = Value::I64(number);
        }
    }
}
