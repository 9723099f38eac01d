//! What the logs know of a span.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::{Metadata, Span};
use tracing_subscriber::Registry;
use tracing_subscriber::registry::{LookupSpan, Scope};

use super::super::filter::admission::is_runtime;
use super::super::line::fields::Fields;
use crate::invocation::{DurableExecution, Invocation};

/// The state of a span. The type is private to this crate, so that no other layer stores one.
#[derive(Default)]
pub(in crate::logging) struct Spanned {
    /// The fields as they are written in a line, without those of the runtime, which repeat the
    /// invocation under other names.
    pub(in crate::logging) fields: Fields,
    /// The invocation in which the span started, for a task or thread that enters it without one.
    pub(in crate::logging) invocation: Option<Invocation>,
    /// Whether a part of a durable execution is replayed in the span, if that is known.
    pub(in crate::logging) replays: Replays,
}

/// Reads from the spans of AWS's SDK for durable functions whether they are replayed. It has one for each
/// part of an execution, whose parts can run side by side, and for each step.
#[derive(Clone, Copy, Default)]
pub(in crate::logging) struct Replays(Option<bool>);

impl Replays {
    const FIELD: &str = "isReplay";

    /// Returns true if a span with this metadata can say so.
    pub(in crate::logging) fn are_in(metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("aws_durable_execution_sdk")
    }
}

impl Visit for Replays {
    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == Self::FIELD {
            self.0 = Some(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// Returns true if an earlier invocation of the durable execution has run the code that a line is from.
pub(in crate::logging) fn is_replayed<'a, S>(scope: impl FnOnce() -> Option<Scope<'a, S>>) -> bool
where
    S: LookupSpan<'a> + 'a,
{
    let execution = Invocation::with_current(|invocation| invocation.execution().cloned());
    // Not durable: no span is looked up, which takes longer than to write a field.
    if let Some(None) = execution {
        return false;
    }
    let of_span = scope().into_iter().flatten().find_map(|span| {
        let extensions = span.extensions();
        extensions.get::<Spanned>()?.replays.0
    });
    of_span
        .unwrap_or_else(|| execution.flatten().as_ref().is_some_and(DurableExecution::is_replaying))
}

/// Returns the invocation of the innermost span that has one: for a line that has no current one.
pub(in crate::logging) fn invocation_of<'a, S>(scope: Option<Scope<'a, S>>) -> Option<Invocation>
where
    S: LookupSpan<'a>,
{
    scope?.find_map(|span| span.extensions().get::<Spanned>()?.invocation.clone())
}

/// Stores the invocation in the runtime's span around a handler: the runtime reports the handler's
/// error outside of the invocation.
pub(in crate::logging) fn attach(invocation: &Invocation) {
    Span::current().with_subscriber(|(id, dispatch)| {
        let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
        let span = span.scope().find(|span| is_runtime(span.metadata().target()))?;
        let mut extensions = span.extensions_mut();
        let spanned = match extensions.get_mut::<Spanned>() {
            Some(spanned) => spanned,
            None => {
                extensions.insert(Spanned::default());
                extensions.get_mut()?
            }
        };
        spanned.invocation.get_or_insert_with(|| invocation.clone());
        Some(())
    });
}
