//! A span that has started.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, Weak};
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanContext, Status};
use opentelemetry_sdk::trace::Span;

use crate::numbers;
use crate::spans::lock;

/// A span that its trace can end, too. The first end counts.
#[derive(Debug)]
pub(crate) struct OpenSpan {
    context: SpanContext,
    span: Arc<Mutex<Span>>,
}

impl OpenSpan {
    pub(crate) fn new(span: Span) -> Self {
        Self { context: span.span_context().clone(), span: Arc::new(Mutex::new(span)) }
    }

    pub(crate) fn downgrade(&self) -> Weak<Mutex<Span>> {
        Arc::downgrade(&self.span)
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
        lock(&self.span).add_event_with_timestamp(name, timestamp, attributes);
    }

    fn span_context(&self) -> &SpanContext {
        &self.context
    }

    fn is_recording(&self) -> bool {
        lock(&self.span).is_recording()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        lock(&self.span).set_attribute(attribute);
    }

    fn set_attributes(&mut self, attributes: impl IntoIterator<Item = KeyValue>) {
        lock(&self.span).set_attributes(attributes);
    }

    fn set_status(&mut self, status: Status) {
        lock(&self.span).set_status(status);
    }

    fn update_name<T: Into<Cow<'static, str>>>(&mut self, name: T) {
        lock(&self.span).update_name(name);
    }

    fn add_link(&mut self, span: SpanContext, attributes: Vec<KeyValue>) {
        lock(&self.span).add_link(span, attributes);
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        lock(&self.span).end_with_timestamp(timestamp);
    }
}
