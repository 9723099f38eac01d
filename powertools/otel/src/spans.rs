//! Keeps spans between their start and their export.

use std::collections::BTreeMap;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use opentelemetry::trace::{Span as _, SpanContext, SpanId, Status};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use powertools::Invocation;

use crate::contents;
use crate::export::STOPPED;
use crate::numbers::{self, Numbers};
use crate::open::{OpenSpan, Recording};
use crate::propagators::Propagators;
use crate::trace::Trace;

/// The spans of a process that are open, or ended and not exported.
#[derive(Debug)]
pub(crate) struct Spans {
    /// Those of traces, by their [`key`].
    open: Mutex<BTreeMap<u64, Open>>,
    /// Ended spans of no invocation, and of those that have been flushed.
    late: Mutex<Vec<SpanData>>,
    /// Ended spans from before the first event.
    early: Mutex<Option<Vec<SpanData>>>,
    /// True if spans wait for the flush of their invocation.
    by_invocation: bool,
    /// The formats in which traces are passed on.
    pub(crate) propagators: Propagators,
    /// The number of ended spans in memory, whichever list has them, and its maximum.
    held: AtomicUsize,
    limit: usize,
    /// The most characters of a value.
    longest: usize,
    dropped: AtomicU64,
}

/// A span that has started and not ended.
#[derive(Debug)]
struct Open {
    trace: Arc<Trace>,
    /// That of the span that the trace began with is the trace's own.
    span: Weak<Mutex<Recording>>,
    numbers: Option<Arc<Numbers>>,
    /// The error with which the time limit ends it.
    stopped: Option<Arc<str>>,
}

/// The key of a span. An invocation has few open spans, which a tree finds with a fraction of the instructions
/// that hashing takes.
fn key(id: SpanId) -> u64 {
    u64::from_be_bytes(id.to_bytes())
}

/// Whether the process waits for its first event. Ended spans will be moved to the trace of that, so until
/// then no id of a trace is of use.
static IS_EARLY: AtomicBool = AtomicBool::new(false);

/// Returns true if spans outside of invocations may yet get another trace.
pub(crate) fn is_early() -> bool {
    IS_EARLY.load(Ordering::Relaxed)
}

/// Passes the spans of a tracer to their [`Spans`].
#[derive(Debug)]
pub(crate) struct Processor(pub(crate) Arc<Spans>);

impl Spans {
    pub(crate) fn new(
        limit: usize,
        longest: usize,
        by_invocation: bool,
        propagators: Propagators,
    ) -> Self {
        IS_EARLY.store(true, Ordering::Relaxed);
        Self {
            open: Mutex::default(),
            late: Mutex::default(),
            early: Mutex::new(Some(Vec::new())),
            by_invocation,
            propagators,
            held: AtomicUsize::new(0),
            limit,
            longest,
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
        lock(&self.open).get(&key(span)).map(|open| open.trace.clone())
    }

    /// Notes the open span `root` as the first one of `trace`.
    pub(crate) fn adopt(&self, root: SpanId, trace: &Arc<Trace>) {
        self.insert(root, trace.clone(), Weak::new());
    }

    /// Notes a span of `trace` that has started.
    pub(crate) fn start(&self, span: &OpenSpan, trace: Arc<Trace>) {
        self.insert(span.span_context().span_id(), trace, span.downgrade());
    }

    fn insert(&self, id: SpanId, trace: Arc<Trace>, span: Weak<Mutex<Recording>>) {
        lock(&self.open).insert(key(id), Open { trace, span, numbers: None, stopped: None });
    }

    /// Forgets an open span.
    pub(crate) fn remove(&self, span: SpanId) {
        // Dropped outside of the lock: a trace can end with it, and comes back to this.
        let _open = lock(&self.open).remove(&key(span));
    }

    /// Returns true for an open span of which it is not noted yet which fields are numbers.
    pub(crate) fn lacks_numbers(&self, id: SpanId) -> bool {
        lock(&self.open).get(&key(id)).is_some_and(|open| open.numbers.is_none())
    }

    /// Notes which fields of an open span are numbers.
    pub(crate) fn set_numbers(&self, id: SpanId, numbers: Arc<Numbers>) {
        if let Some(open) = lock(&self.open).get_mut(&key(id)) {
            open.numbers = Some(numbers);
        }
    }

    fn end(&self, mut span: SpanData) {
        let open = lock(&self.open).remove(&key(span.span_context.span_id()));
        if !span.span_context.is_sampled() {
            return;
        }
        let (trace, of_open, stopped) = match open {
            Some(Open { trace, numbers, stopped, .. }) => (Some(trace), numbers, stopped),
            None => (None, None, None),
        };
        if let Some(numbers) = numbers::closing().or(of_open) {
            numbers.restore(&mut span);
        }
        if let Some(error_type) = stopped {
            mark_stopped(&mut span, &error_type);
        } else if let Some((error_type, since)) = Invocation::stopping()
            && span.start_time < since
        {
            mark_stopped(&mut span, error_type);
        }
        contents::place_records(&mut span);
        contents::cut(&mut span, self.longest);
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
        let early = lock(&self.early).take()?;
        IS_EARLY.store(false, Ordering::Relaxed);
        Some(early)
    }

    /// Forgets the spans from before now: they belong to no event.
    pub(crate) fn start_anew(&self) {
        IS_EARLY.store(true, Ordering::Relaxed);
        let early = lock(&self.early).replace(Vec::new());
        let late = self.take_late();
        self.forget(early.map_or(0, |early| early.len()) + late.len());
    }

    /// Ends the open spans of a trace, but for the first one. Their own ends come too late.
    pub(crate) fn end_open(&self, trace: &Arc<Trace>, error_type: &str) {
        let (error_type, mut spans) = (Arc::from(error_type), Vec::new());
        for open in lock(&self.open).values_mut().filter(|open| Arc::ptr_eq(&open.trace, trace)) {
            if let Some(span) = open.span.upgrade() {
                open.stopped = Some(Arc::clone(&error_type));
                spans.push(span);
            }
        }
        // Outside of the lock: the ends come back to this.
        for span in spans {
            lock(&span).end(opentelemetry::time::now());
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
    fn on_start(&self, _: &mut Span, _: &Context) {}

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

/// Sets what a span says of work that was stopped, unless the work itself has said something.
pub(crate) fn mark_stopped(span: &mut SpanData, error_type: &str) {
    if span.status == Status::Unset {
        span.status = Status::error(STOPPED);
        span.attributes.push(KeyValue::new("error.type", error_type.to_owned()));
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
