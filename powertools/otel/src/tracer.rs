//! A tracer that knows the invocations.

use std::borrow::Cow;
use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::trace::{Link, SpanBuilder, TraceContextExt, Tracer};
use opentelemetry_sdk::trace::{SdkTracer, Span};

use crate::spans::Spans;
use crate::trace::Trace;

/// Puts spans under the root span of the invocation in which they are created, unless they are under a
/// span of that invocation already.
#[derive(Clone, Debug)]
pub(crate) struct OfInvocations {
    inner: SdkTracer,
    spans: Arc<Spans>,
}

impl OfInvocations {
    pub(crate) fn new(inner: SdkTracer, spans: Arc<Spans>) -> Self {
        Self { inner, spans }
    }
}

impl Tracer for OfInvocations {
    type Span = Span;

    /// Notes the root span as the first link: the span may start elsewhere, where it is first entered.
    fn span_builder<T: Into<Cow<'static, str>>>(&self, name: T) -> SpanBuilder {
        let mut builder = SpanBuilder::from_name(name);
        let Some(trace) = Trace::current(&self.spans) else { return builder };
        let root = trace.context();
        // None, or a span from around the whole function.
        let is_outside = Context::map_current(|current| {
            !self.spans.is_inside(current.span().span_context(), root)
        });
        let noted = is_outside.then(|| Link::new(root.clone(), Vec::new(), ROOT));
        let links: Vec<_> = noted.into_iter().chain(trace.sender_of_record()).collect();
        builder.links = (!links.is_empty()).then_some(links);
        builder
    }

    fn build_with_context(&self, mut builder: SpanBuilder, parent: &Context) -> Span {
        let noted = builder.links.as_mut().and_then(|links| {
            let is_noted = links.first()?.dropped_attributes_count == ROOT;
            is_noted.then(|| links.remove(0).span_context)
        });
        match noted {
            // A parent that was set since then takes precedence.
            Some(root) if !self.spans.is_inside(parent.span().span_context(), &root) => {
                let parent = parent.with_remote_span_context(root);
                self.inner.build_with_context(builder, &parent)
            }
            _ => self.inner.build_with_context(builder, parent),
        }
    }
}

/// Marks a link that is none. No span has so many attributes.
const ROOT: u32 = u32::MAX;
