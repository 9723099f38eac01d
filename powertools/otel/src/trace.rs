//! The trace of an invocation.

use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use opentelemetry::Context;
use opentelemetry::trace::{Link, Span as _, SpanContext, TraceContextExt};
use opentelemetry_sdk::trace::{Span, SpanData};
use powertools::Invocation;

use crate::propagators::Propagators;
use crate::spans::{Spans, is_early, lock};

/// What an invocation has of its trace.
#[derive(Debug)]
pub(crate) struct Trace {
    spans: Arc<Spans>,
    /// The context of the root span.
    context: SpanContext,
    incoming: Incoming,
    root: Mutex<Option<Span>>,
    ended: Mutex<Ended>,
}

#[derive(Debug)]
struct Ended {
    spans: Vec<SpanData>,
    is_flushed: bool,
}

/// As many spans as most events have.
const TYPICAL: usize = 8;

/// What the event contained of its trace.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    /// The other parts of its X-Ray header.
    pub(crate) xray_rest: String,
    /// The spans that sent the records, by the identifiers of these.
    pub(crate) senders: HashMap<String, SpanContext>,
}

/// True if a record has a span that links to its sender.
#[derive(Default)]
struct Linked(AtomicBool);

/// The place of the trace among the values of its invocation.
#[derive(Default)]
struct Slot(OnceLock<Arc<Trace>>);

impl Trace {
    /// Creates the trace of `invocation`, which begins with `root`.
    pub(crate) fn begin(
        spans: &Arc<Spans>,
        invocation: &Invocation,
        root: Span,
        incoming: Incoming,
    ) -> Arc<Self> {
        let context = root.span_context().clone();
        let capacity = if context.is_sampled() { TYPICAL } else { 0 };
        let ended = Ended { spans: Vec::with_capacity(capacity), is_flushed: false };
        let trace = Arc::new(Self {
            spans: spans.clone(),
            context: context.clone(),
            incoming,
            root: Mutex::new(Some(root)),
            ended: Mutex::new(ended),
        });
        if context.is_sampled() {
            spans.adopt(context.span_id(), &trace);
        }
        let _ = invocation.local::<Slot>().0.set(trace.clone());
        trace
    }

    pub(crate) fn of(invocation: &Invocation) -> Option<Arc<Self>> {
        invocation.local::<Slot>().0.get().cloned()
    }

    /// Returns the trace of the current invocation, if it is one of `spans`.
    pub(crate) fn current(spans: &Spans) -> Option<Arc<Self>> {
        let trace = Self::of(&Invocation::current()?)?;
        std::ptr::eq(&*trace.spans, spans).then_some(trace)
    }

    /// Returns the context of the root span.
    pub(crate) fn context(&self) -> &SpanContext {
        &self.context
    }

    /// Returns the formats in which the trace is passed on.
    pub(crate) fn propagators(&self) -> Propagators {
        self.spans.propagators
    }

    /// Returns the other parts of the X-Ray header of the event.
    pub(crate) fn xray_rest(&self) -> &str {
        &self.incoming.xray_rest
    }

    /// Returns a link to the span that sent the current record, for the first span of that record.
    pub(crate) fn sender_of_record(&self) -> Option<Link> {
        if self.incoming.senders.is_empty() {
            return None;
        }
        let invocation = Invocation::current()?;
        let sender = self.incoming.senders.get(&invocation.record()?.identifier)?;
        let is_first = !invocation.record_local::<Linked>().0.swap(true, Ordering::Relaxed);
        is_first.then(|| Link::with_context(sender.clone()))
    }

    /// Keeps a span until the flush. After that, returns it.
    pub(crate) fn push(&self, span: SpanData) -> Result<(), Box<SpanData>> {
        let mut ended = lock(&self.ended);
        if ended.is_flushed {
            return Err(Box::new(span));
        }
        ended.spans.push(span);
        Ok(())
    }

    /// Takes the spans that ended until now, for their export. Later ones wait for no flush of this
    /// invocation.
    pub(crate) fn take(&self) -> Vec<SpanData> {
        let mut ended = lock(&self.ended);
        ended.is_flushed = true;
        mem::take(&mut ended.spans)
    }

    /// Changes the root span, if it has not ended.
    pub(crate) fn with_root(&self, change: impl FnOnce(&mut Span)) {
        if let Some(root) = &mut *lock(&self.root) {
            change(root);
        }
    }

    /// Ends the root span.
    pub(crate) fn end(&self) {
        // Outside of the lock: the end comes back to this trace.
        let root = lock(&self.root).take();
        if let Some(mut root) = root {
            root.end();
        }
    }

    /// Ends what is still open in other tasks, since the time limit of the function has passed.
    pub(crate) fn end_open(self: &Arc<Self>, error_type: &str) {
        self.spans.end_open(self, error_type);
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.spans.add_late(self.take());
    }
}

thread_local! {
    static LIVES: Lives = const { Lives };
}

/// Is dropped at the end of its thread.
struct Lives;

impl Drop for Lives {
    fn drop(&mut self) {}
}

/// Returns false at the end of a thread, once it may have no context of OpenTelemetry any more: to ask for that would end
/// the process.
///
/// What a thread makes last ends first. So this is called where the context may just have been made, and wherever it is
/// asked for at the end of a thread.
pub(crate) fn thread_lives() -> bool {
    LIVES.try_with(|_| ()).is_ok()
}

/// Returns the innermost span of the current task, or else the root span of its invocation.
pub(crate) fn current_span() -> Option<SpanContext> {
    if !thread_lives() {
        return None;
    }
    let current = Context::map_current(|context| context.span().span_context().clone());
    match Invocation::current().and_then(|invocation| Trace::of(&invocation)) {
        Some(trace) if !trace.spans.is_inside(&current, &trace.context) => {
            Some(trace.context.clone())
        }
        None if is_early() => None,
        _ => current.is_valid().then_some(current),
    }
}
