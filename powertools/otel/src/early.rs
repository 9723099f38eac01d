//! What ran before the first event, as a part of its trace.

use std::collections::HashSet;
use std::ops::Range;
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status};
use opentelemetry_sdk::trace::{IdGenerator, SpanData};

use crate::ids::Random;
use crate::spans::Spans;
use crate::trace::Trace;
use crate::tracer;

/// Moves the spans of the initialisation, which took the time `init`, into the trace of the first event.
pub(crate) fn add(spans: &Spans, trace: &Trace, mut early: Vec<SpanData>, init: Range<SystemTime>) {
    spans.forget(early.len());
    let root = trace.context();
    if !root.is_sampled() {
        return;
    }
    let of_trace = |id: SpanId| {
        let state = root.trace_state().clone();
        SpanContext::new(root.trace_id(), id, root.trace_flags(), false, state)
    };
    // Between a snapshot and a restore there are hours in which nothing ran.
    early.retain(|span| span.end_time >= init.start);
    let known: HashSet<_> = early.iter().map(|span| span.span_context.span_id()).collect();
    let id = Random.new_span_id();
    for span in &mut early {
        span.start_time = span.start_time.max(init.start);
        span.span_context = of_trace(span.span_context.span_id());
        if !known.contains(&span.parent_span_id) {
            span.parent_span_id = id;
            span.parent_span_is_remote = false;
        }
    }
    early.push(SpanData {
        span_context: of_trace(id),
        parent_span_id: root.span_id(),
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: "init".into(),
        start_time: init.start,
        end_time: init.end,
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: Default::default(),
        links: Default::default(),
        status: Status::Unset,
        instrumentation_scope: tracer::scope(),
    });
    for span in early {
        spans.keep(span, Some(trace));
    }
}
