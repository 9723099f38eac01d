//! A tracer that knows the invocations.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanContext, SpanId, TraceContextExt, Tracer, TracerProvider,
};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span};

use crate::ids::{self, Given, Random, Sampling};
use crate::numbers;
use crate::open::OpenSpan;
use crate::spans::{Processor, Spans};
use crate::trace::Trace;

/// Starts spans. The SDK is set up for the first one: the start of a function does not wait for it.
#[derive(Clone, Debug)]
pub(crate) struct SpanTracer(Arc<LazyLock<SdkTracer, Box<dyn FnOnce() -> SdkTracer + Send>>>);

impl SpanTracer {
    pub(crate) fn new(sampling: Sampling, processor: Processor) -> Self {
        let create = || {
            SdkTracerProvider::builder()
                .with_resource(Resource::builder_empty().build())
                .with_id_generator(Random)
                .with_sampler(sampling)
                .with_span_processor(processor)
                .build()
                .tracer_with_scope(scope())
        };
        Self(Arc::new(LazyLock::new(Box::new(create))))
    }

    pub(crate) fn start(&self, builder: SpanBuilder, parent: &Context) -> Span {
        self.0.build_with_context(builder, parent)
    }
}

/// Returns what names the origin of spans.
pub(crate) fn scope() -> InstrumentationScope {
    InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
        .with_version(env!("CARGO_PKG_VERSION"))
        .build()
}

/// Puts spans under the root span of the invocation in which they are created, unless they are under a
/// span of that invocation already.
#[derive(Clone, Debug)]
pub(crate) struct OfInvocations {
    inner: SpanTracer,
    spans: Arc<Spans>,
}

impl OfInvocations {
    pub(crate) fn new(inner: SpanTracer, spans: Arc<Spans>) -> Self {
        Self { inner, spans }
    }

    /// Returns the spans that it starts, among others.
    #[cfg(feature = "aws-sdk")]
    pub(crate) fn spans(&self) -> &Arc<Spans> {
        &self.spans
    }

    /// Starts a span that has `parent: None` in an invocation with this root span: a trace of its own, which
    /// is sampled as the event is.
    fn apart(&self, mut builder: SpanBuilder, root: SpanContext) -> OpenSpan {
        let given = Given { sampled: Some(root.is_sampled()), ..Given::default() };
        let trace = self.trace_of(root.span_id());
        builder.links.get_or_insert_default().push(Link::with_context(root));
        let start = || self.inner.start(builder, &Context::new());
        self.note(OpenSpan::new(ids::with(given, start)), trace)
    }

    /// Returns the trace of an open span, or that of the invocation: a span that is not sampled is in none.
    fn trace_of(&self, span: SpanId) -> Option<Arc<Trace>> {
        self.spans.trace_of(span).or_else(|| Trace::current(&self.spans))
    }

    /// Notes the invocation of a span. One that is not sampled shows it by its trace, unless it is in another trace.
    fn note(&self, mut span: OpenSpan, trace: Option<Arc<Trace>>) -> OpenSpan {
        let Some(trace) = trace else { return span };
        let context = span.span_context();
        if context.is_sampled() {
            self.spans.start(&span, trace);
        } else if context.trace_id() != trace.context().trace_id() {
            self.spans.start(&span, trace);
            span.forget_in(&self.spans);
        }
        span
    }
}

impl Tracer for OfInvocations {
    type Span = OpenSpan;

    /// Notes the root span as the first link: the span may start elsewhere, where it is first entered.
    fn span_builder<T: Into<Cow<'static, str>>>(&self, name: T) -> SpanBuilder {
        let mut builder = SpanBuilder::from_name(name);
        builder.attributes = Some(Vec::with_capacity(ATTRIBUTES));
        let Some(trace) = Trace::current(&self.spans) else { return builder };
        let root = trace.context();
        // None, or a span from around the whole function.
        let is_outside = || {
            Context::map_current(|current| {
                !self.spans.is_inside(current.span().span_context(), root)
            })
        };
        let noted = match numbers::is_root() {
            true => Some(APART),
            false => is_outside().then_some(ROOT),
        };
        let noted = noted.map(|mark| Link::new(root.clone(), Vec::new(), mark));
        let links: Vec<_> = noted.into_iter().chain(trace.sender_of_record()).collect();
        builder.links = (!links.is_empty()).then_some(links);
        builder
    }

    fn build_with_context(&self, mut builder: SpanBuilder, parent: &Context) -> OpenSpan {
        let noted = builder.links.as_mut().and_then(|links| {
            let mark = links.first()?.dropped_attributes_count;
            (mark >= APART).then(|| (links.remove(0).span_context, mark))
        });
        let of_parent = parent.span().span_context().clone();
        let root = match noted {
            Some((root, APART)) if !of_parent.is_valid() => return self.apart(builder, root),
            // A parent that was set since then takes precedence.
            Some((root, ROOT)) if !self.spans.is_inside(&of_parent, &root) => Some(root),
            _ => None,
        };
        let id = root.as_ref().unwrap_or(&of_parent).span_id();
        let trace = self.trace_of(id);
        let span = match root {
            Some(root) => {
                let parent = parent.with_remote_span_context(root);
                self.inner.start(builder, &parent)
            }
            None => self.inner.start(builder, parent),
        };
        self.note(OpenSpan::new(span), trace)
    }
}

/// Room for the attributes of most spans: four of the layer, the fields, and two times at the end. To move them costs
/// more than to record them.
const ATTRIBUTES: usize = 12;

/// Mark a link that is none: to the root span as the parent, or to that of which the span is apart. No span
/// has so many attributes.
const ROOT: u32 = u32::MAX;
const APART: u32 = u32::MAX - 1;
