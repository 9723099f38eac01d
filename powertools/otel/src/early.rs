//! What ran before the first event, as a part of its trace.

use std::collections::HashSet;
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status};
use opentelemetry_sdk::trace::{IdGenerator, SpanData};

use crate::ids::Random;
use crate::spans::Spans;
use crate::trace::Trace;

/// Moves the spans of the initialisation, which began at `start`, into the trace of the first event.
pub(crate) fn add(spans: &Spans, trace: &Trace, mut early: Vec<SpanData>, start: SystemTime) {
    spans.forget(early.len());
    let root = trace.context();
    if !root.is_sampled() {
        return;
    }
    let of_trace = |id: SpanId| {
        let state = root.trace_state().clone();
        SpanContext::new(root.trace_id(), id, root.trace_flags(), false, state)
    };
    // After a restore, hooks may have run before the time was noted.
    let start = early.iter().map(|span| span.start_time).fold(start, SystemTime::min);
    let known: HashSet<_> = early.iter().map(|span| span.span_context.span_id()).collect();
    let init = Random.new_span_id();
    for span in &mut early {
        span.span_context = of_trace(span.span_context.span_id());
        if !known.contains(&span.parent_span_id) {
            span.parent_span_id = init;
            span.parent_span_is_remote = false;
        }
    }
    let scope = opentelemetry::InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
        .with_version(env!("CARGO_PKG_VERSION"))
        .build();
    early.push(SpanData {
        span_context: of_trace(init),
        parent_span_id: root.span_id(),
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: "init".into(),
        start_time: start,
        end_time: opentelemetry::time::now(),
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: Default::default(),
        links: Default::default(),
        status: Status::Unset,
        instrumentation_scope: scope,
    });
    for span in early {
        spans.keep(span, Some(trace));
    }
}
