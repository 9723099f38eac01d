//! The moments of a function at which something happens to spans.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use lambda_runtime::Error;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span, Status};
use powertools::macro_support::otel::{
    find_ids_by, http_status, redaction, set_beside, take_beside,
};
use powertools::runtime::lifecycle::{
    EventReceived, Failure, Flush, HandlerEnds, Lifecycle, Moments, Outcome, Restored,
    ShuttingDown, Snapshot, Starting,
};
use tracing::{dispatcher, subscriber};
use tracing_subscriber::prelude::*;

use crate::export::DROPPED;
use crate::filter::{self, Marker};
use crate::ids;
use crate::otel::Otel;
use crate::settings::When;
use crate::trace::{Trace, current_span};
use crate::warning::warn;

/// The part of the time of a flush that is kept for what follows it.
const MARGIN: Duration = Duration::from_millis(10);

/// The longest interval. No environment lives as long.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Lifecycle for Otel {
    fn moments(&self) -> Moments {
        let always = Moments::START
            | Moments::EVENT
            | Moments::HANDLER_ENDS
            | Moments::SNAPSHOT
            | Moments::RESTORE;
        match self.when() {
            When::BeforeReply => always | Moments::FLUSH_BEFORE_REPLY,
            When::AfterReply => always | Moments::FLUSH_AFTER_REPLY,
            When::Every(_) => always | Moments::SHUTDOWN,
        }
    }

    fn prepare(&self, is_first: bool) {
        if !is_first {
            return self.core().set_second();
        }
        set_beside(self.core().boxed_layer());
        find_ids_by(|| {
            let span = current_span()?;
            Some((span.trace_id().to_bytes(), span.span_id().to_bytes()))
        });
    }

    fn start<'a>(&'a self, _: &'a Starting) -> BoxFuture<'a, Result<(), Error>> {
        ready(self.start_now()).boxed()
    }

    fn ready(&self) {
        self.core().set_ready();
    }

    fn event(&self, event: &EventReceived<'_>) {
        self.core().begin(event.invocation, event.body);
    }

    fn handler_ends(&self, ends: &HandlerEnds<'_>) {
        let Some(trace) = Trace::of(ends.invocation) else { return };
        let status = http_status(ends.invocation);
        if let Some(status) = status {
            trace.with_root(|root| {
                root.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
            });
        }
        match &ends.outcome {
            Outcome::Success => answered(&trace, status),
            Outcome::Stopped(failure) => {
                fail(&trace, failure);
                trace.end_open(&failure.diagnostic.error_type);
            }
            Outcome::Error(failure) | Outcome::Panicked(failure) => fail(&trace, failure),
            _ => trace.with_root(|root| {
                root.set_status(Status::error(DROPPED));
            }),
        }
        trace.end();
    }

    fn flush<'a>(&'a self, flush: &'a Flush<'a>) -> BoxFuture<'a, ()> {
        let Some(trace) = Trace::of(flush.invocation) else { return ready(()).boxed() };
        let core = self.core();
        let time = flush.time.saturating_sub(MARGIN);
        async move { core.exporter.flush(&core.spans, trace.take(), time).await }.boxed()
    }

    /// Each attempt of the exporter has a limit, and none starts too late.
    fn flushes_in_time(&self) -> bool {
        true
    }

    /// Spans from before a snapshot belong to none of the environments that are restored from it.
    fn before_snapshot<'a>(&'a self, _: &'a Snapshot) -> BoxFuture<'a, Result<(), Error>> {
        self.core().spans.start_anew();
        ready(Ok(())).boxed()
    }

    /// What names the environment in the snapshot names all that are made of it.
    fn after_restore<'a>(&'a self, restored: &'a Restored) -> BoxFuture<'a, Result<(), Error>> {
        let core = self.core();
        core.set_began(restored.at);
        core.exporter.encoder.set_instance(ids::instance());
        ready(Ok(())).boxed()
    }

    fn shutdown<'a>(&'a self, shutting_down: &'a ShuttingDown) -> BoxFuture<'a, ()> {
        let core = self.core();
        let time = shutting_down.time.saturating_sub(MARGIN);
        async move { core.exporter.flush_in_turn(&core.spans, time).await }.boxed()
    }
}

impl Otel {
    fn start_now(&self) -> Result<(), Error> {
        let core = self.core();
        if core.is_second() {
            return Err("a function takes one value of `Otel`, and this one has two".into());
        }
        // Logging has taken it, or there is no logging.
        if let Some(layer) = take_beside() {
            let makes = |marker: &Marker| marker.makes(&core.spans);
            let set = dispatcher::get_default(|set| set.downcast_ref().map(makes));
            let subscriber = tracing_subscriber::registry().with(layer);
            if set.is_none() && subscriber::set_global_default(subscriber).is_err() {
                warn(
                    "a tracing subscriber is set already and stays: there are no spans but the root \
                     spans, unless Otel::layer is among the layers of that",
                );
            } else if set == Some(false) {
                warn(
                    "the tracing subscriber has the layer of another value of `Otel`, as one is from before a \
                     setting: there are no spans but the root spans",
                );
            }
        }
        if filter::take_second_layer() {
            warn("a subscriber has the layers of two values of `Otel`: the second makes no spans");
        }
        if let Some(problem) = &core.problem {
            warn(problem);
        }
        let _ = core.exporter.redaction.set(redaction(&core.redacted));
        if let When::Every(interval) = core.when {
            let (exporter, spans) = (core.exporter.clone(), core.spans.clone());
            // Boxed, since to pass it on takes room on the stack of every start.
            tokio::spawn(Box::pin(async move {
                let interval = interval.clamp(Duration::from_millis(10), LONGEST);
                let start = tokio::time::Instant::now() + interval;
                let mut ticks = tokio::time::interval_at(start, interval);
                ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
                loop {
                    ticks.tick().await;
                    exporter.flush_in_turn(&spans, 10 * exporter.timeout).await;
                }
            }));
        }
        Ok(())
    }
}

/// By the semantic conventions, a response with an error of the server is an error of its span.
fn answered(trace: &Trace, status: Option<u16>) {
    let Some(status) = status.filter(|status| *status >= 500) else { return };
    trace.with_root(|root| {
        root.set_status(Status::error(""));
        root.set_attribute(KeyValue::new("error.type", status.to_string()));
    });
}

/// Describes a failure on the root span.
fn fail(trace: &Trace, failure: &Failure<'_>) {
    let diagnostic = failure.diagnostic;
    let (name, message) = (diagnostic.error_type.clone(), diagnostic.error_message.clone());
    let mut exception = vec![
        KeyValue::new("exception.type", name.clone()),
        KeyValue::new("exception.message", message),
    ];
    if let Some(backtrace) = failure.backtrace {
        exception.push(KeyValue::new("exception.stacktrace", backtrace.to_string()));
    }
    trace.with_root(|root| {
        root.set_status(Status::error(name.clone()));
        root.set_attribute(KeyValue::new("error.type", name));
        root.add_event("exception", exception);
    });
}
