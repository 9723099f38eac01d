//! What the logs know of a span.

use tracing::Span;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::{LookupSpan, Scope};

use super::super::filter::admission::is_runtime;
use super::super::line::fields::Fields;
use crate::invocation::Invocation;

/// The state of a span. The type is private to this crate, so that no other layer stores one.
#[derive(Default)]
pub(in crate::logging) struct Spanned {
    /// The fields as they are written in a line, without those of the runtime, which repeat the
    /// invocation under other names.
    pub(in crate::logging) fields: Fields,
    /// The invocation in which the span started, for a task or thread that enters it without one.
    pub(in crate::logging) invocation: Option<Invocation>,
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
