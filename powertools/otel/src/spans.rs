//! Keeps spans between their start and their export.

use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{Span as _, SpanContext, SpanId, TraceContextExt};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use crate::numbers;
use crate::trace::Trace;

/// The spans of a process that are open, or ended and not exported.
#[derive(Debug)]
pub(crate) struct Spans {
    open: Mutex<HashMap<SpanId, Open>>,
    /// Ended spans of no invocation, and of those that have been flushed.
    late: Mutex<Vec<SpanData>>,
    /// Ended spans from before the first event.
    early: Mutex<Option<Vec<SpanData>>>,
    /// True if spans wait for the flush of their invocation.
    by_invocation: bool,
    /// The number of ended spans in memory, whichever list has them, and its maximum.
    held: AtomicUsize,
    limit: usize,
    dropped: AtomicU64,
}

/// A span that has started and not ended.
#[derive(Debug)]
struct Open {
    trace: Option<Arc<Trace>>,
    /// The span of a trace as it was at its start.
    begun: Option<Box<SpanData>>,
    /// It was sent before its end.
    is_sent: bool,
}

/// Passes the spans of a tracer to their [`Spans`].
#[derive(Debug)]
pub(crate) struct Processor(pub(crate) Arc<Spans>);

impl Spans {
    pub(crate) fn new(limit: usize, by_invocation: bool) -> Self {
        Self {
            open: Mutex::default(),
            late: Mutex::default(),
            early: Mutex::new(Some(Vec::new())),
            by_invocation,
            held: AtomicUsize::new(0),
            limit,
            dropped: AtomicU64::new(0),
        }
    }

    /// Returns true if `span` is in the invocation with this root span, or was set by the user.
    pub(crate) fn is_inside(&self, span: &SpanContext, root: &SpanContext) -> bool {
        let of_span = || self.trace_of(span.span_id());
        span.is_valid()
            && (span.is_remote()
                || span.trace_id() == root.trace_id()
                || of_span().is_some_and(|trace| trace.context() == root))
    }

    /// Returns the trace of an open span.
    pub(crate) fn trace_of(&self, span: SpanId) -> Option<Arc<Trace>> {
        lock(&self.open).get(&span)?.trace.clone()
    }

    /// Makes the open span `root` one of `trace`.
    pub(crate) fn adopt(&self, root: SpanId, trace: &Arc<Trace>) {
        if let Some(open) = lock(&self.open).get_mut(&root) {
            open.trace = Some(trace.clone());
        }
    }

    fn start(&self, span: &Span, parent: &Context) {
        let id = span.span_context().span_id();
        let parent = parent.span().span_context().span_id();
        let of_parent = self.trace_of(parent);
        let trace = of_parent.or_else(|| Trace::current(self));
        let begun = trace.as_ref().and_then(|_| span.exported_data()).map(Box::new);
        lock(&self.open).insert(id, Open { trace, begun, is_sent: false });
    }

    fn end(&self, mut span: SpanData) {
        let open = lock(&self.open).remove(&span.span_context.span_id());
        let trace = match open {
            Some(Open { is_sent: true, .. }) => return,
            Some(Open { trace, .. }) => trace,
            None => None,
        };
        if !span.span_context.is_sampled() {
            return;
        }
        numbers::restore(&mut span);
        self.keep(span, trace.as_deref());
    }

    /// Keeps an ended span for the next export that concerns it.
    pub(crate) fn keep(&self, span: SpanData, trace: Option<&Trace>) {
        if self.held.fetch_add(1, Ordering::Relaxed) >= self.limit {
            self.forget(1);
            self.count_dropped(1);
            return;
        }
        let span = match trace {
            Some(trace) if self.by_invocation => match trace.push(span) {
                Ok(()) => return,
                Err(span) => *span,
            },
            Some(_) => span,
            None => match &mut *lock(&self.early) {
                Some(early) => return early.push(span),
                None => span,
            },
        };
        lock(&self.late).push(span);
    }

    /// Takes the spans that wait for no invocation.
    pub(crate) fn take_late(&self) -> Vec<SpanData> {
        mem::take(&mut *lock(&self.late))
    }

    /// Adds spans to those that wait for no invocation.
    pub(crate) fn add_late(&self, spans: Vec<SpanData>) {
        lock(&self.late).extend(spans);
    }

    /// Takes the spans from before the first event. Returns `None` for later ones.
    pub(crate) fn take_early(&self) -> Option<Vec<SpanData>> {
        lock(&self.early).take()
    }

    /// Forgets the spans from before now: they belong to no event.
    pub(crate) fn start_anew(&self) {
        let early = lock(&self.early).replace(Vec::new());
        let late = self.take_late();
        self.forget(early.map_or(0, |early| early.len()) + late.len());
    }

    /// Ends the open spans of a trace, but for `root`, with `end`. Their own ends come too late.
    pub(crate) fn end_open(&self, trace: &Arc<Trace>, root: SpanId, end: impl Fn(&mut SpanData)) {
        let is_of_it =
            |of: &Option<Arc<Trace>>| of.as_ref().is_some_and(|of| Arc::ptr_eq(of, trace));
        let mut ended = Vec::new();
        for (id, open) in lock(&self.open).iter_mut() {
            if *id != root && is_of_it(&open.trace) {
                // The entry has to outlive its trace only until the span itself ends.
                open.trace = None;
                open.is_sent = true;
                ended.extend(open.begun.take());
            }
        }
        for mut span in ended {
            end(&mut span);
            self.keep(*span, Some(trace));
        }
    }

    /// Counts spans as no longer in memory.
    pub(crate) fn forget(&self, spans: usize) {
        self.held.fetch_sub(spans, Ordering::Relaxed);
    }

    pub(crate) fn count_dropped(&self, spans: usize) {
        self.dropped.fetch_add(spans as u64, Ordering::Relaxed);
    }

    /// Returns how many spans were dropped since the last call.
    pub(crate) fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }
}

impl SpanProcessor for Processor {
    fn on_start(&self, span: &mut Span, parent: &Context) {
        self.0.start(span, parent);
    }

    fn on_end(&self, span: SpanData) {
        self.0.end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn set_resource(&mut self, _: &Resource) {}
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
