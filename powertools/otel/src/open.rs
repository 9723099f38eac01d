//! A span that has started.

use std::borrow::Cow;
use std::mem;
use std::sync::{Arc, Mutex, Weak};
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanContext, Status};
use opentelemetry_sdk::trace::Span;

use crate::numbers;
use crate::spans::{Spans, lock};

/// A span that its trace can end, too. The first end counts.
#[derive(Debug)]
pub(crate) struct OpenSpan {
    context: SpanContext,
    span: Arc<Mutex<Recording>>,
    /// Where the span is noted that the SDK will not end: it is not sampled.
    noted: Option<Arc<Spans>>,
}

/// A span with what was set since its start, each name once: the SDK keeps all values of a name, and takes no more than
/// 128 of them.
#[derive(Debug)]
pub(crate) struct Recording {
    span: Span,
    later: Vec<KeyValue>,
}

/// The most names of attributes: the SDK takes no more of them.
const NAMES: usize = 128;

impl Recording {
    fn set(&mut self, attribute: KeyValue) {
        if let Some(other) = self.later.iter_mut().find(|other| other.key == attribute.key) {
            *other = attribute;
            return;
        }
        if self.later.len() == NAMES {
            self.pass_on();
        }
        if self.span.is_recording() {
            self.later.push(attribute);
        }
    }

    /// Gives the SDK what was set. It keeps the first ones, and counts those that are too many as dropped.
    fn pass_on(&mut self) {
        self.span.set_attributes(mem::take(&mut self.later));
    }

    pub(crate) fn end(&mut self, at: SystemTime) {
        self.pass_on();
        self.span.end_with_timestamp(at);
    }
}

/// The SDK ends a span that is dropped.
impl Drop for Recording {
    fn drop(&mut self) {
        self.pass_on();
    }
}

impl OpenSpan {
    pub(crate) fn new(span: Span) -> Self {
        let context = span.span_context().clone();
        let span = Arc::new(Mutex::new(Recording { span, later: Vec::new() }));
        Self { context, span, noted: None }
    }

    /// Takes the span out of `spans` with its end.
    pub(crate) fn forget_in(&mut self, spans: &Arc<Spans>) {
        self.noted = Some(Arc::clone(spans));
    }

    pub(crate) fn downgrade(&self) -> Weak<Mutex<Recording>> {
        Arc::downgrade(&self.span)
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        if let Some(spans) = &self.noted {
            spans.remove(self.context.span_id());
        }
    }
}

impl opentelemetry::trace::Span for OpenSpan {
    fn add_event_with_timestamp<T: Into<Cow<'static, str>>>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        mut attributes: Vec<KeyValue>,
    ) {
        numbers::restore_event(&mut attributes);
        lock(&self.span).span.add_event_with_timestamp(name, timestamp, attributes);
    }

    fn span_context(&self) -> &SpanContext {
        &self.context
    }

    fn is_recording(&self) -> bool {
        lock(&self.span).span.is_recording()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        lock(&self.span).set(attribute);
    }

    fn set_attributes(&mut self, attributes: impl IntoIterator<Item = KeyValue>) {
        let mut span = lock(&self.span);
        attributes.into_iter().for_each(|attribute| span.set(attribute));
    }

    fn set_status(&mut self, status: Status) {
        lock(&self.span).span.set_status(status);
    }

    fn update_name<T: Into<Cow<'static, str>>>(&mut self, name: T) {
        lock(&self.span).span.update_name(name);
    }

    fn add_link(&mut self, span: SpanContext, attributes: Vec<KeyValue>) {
        lock(&self.span).span.add_link(span, attributes);
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        lock(&self.span).end(timestamp);
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::Context;
    use opentelemetry::trace::SpanBuilder;
    use opentelemetry_sdk::trace::Sampler;

    use super::*;
    use crate::ids::Sampling;
    use crate::propagators::Propagators;
    use crate::spans::Processor;
    use crate::tracer::SpanTracer;

    #[test]
    fn of_more_names_than_a_span_takes_the_first_ones_stay() {
        let spans = Arc::new(Spans::new(1, 100, false, Propagators::default()));
        let sampling = Sampling { by_parent: false, rule: Sampler::AlwaysOn };
        let tracer = SpanTracer::new(sampling, Processor(Arc::clone(&spans)));
        let builder =
            SpanBuilder::from_name("step").with_attributes([KeyValue::new("start", 0_i64)]);
        let mut span = OpenSpan::new(tracer.start(builder, &Context::new()));
        for number in 1..=300_i64 {
            span.set_attribute(KeyValue::new(number.to_string(), number));
        }
        opentelemetry::trace::Span::end(&mut span);
        let span = spans.take_early().unwrap().remove(0);
        let names: Vec<_> = span.attributes.iter().map(|pair| pair.key.to_string()).collect();
        let numbers = (1..128).map(|number| number.to_string());
        let expected: Vec<_> = std::iter::once("start".to_owned()).chain(numbers).collect();
        assert_eq!((names, span.dropped_attributes_count), (expected, 173));
    }
}
