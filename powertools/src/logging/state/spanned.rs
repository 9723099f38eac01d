//! What the logs know of a span.

use tracing::Span;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::{LookupSpan, Scope};

use super::super::filter::admission::is_runtime;
use super::super::line::fields::Fields;
use crate::invocation::Invocation;

/// What is known of a span. The type is of this crate alone, so that no other layer's is taken for
/// it.
#[derive(Default)]
pub(in crate::logging) struct Spanned {
    /// The fields as they stand in a line. Those of the runtime are not: they repeat what the
    /// invocation has under other names.
    pub(in crate::logging) fields: Fields,
    /// Where the span began: a task or thread that enters it need not carry the invocation.
    pub(in crate::logging) invocation: Option<Invocation>,
}

/// The invocation of the innermost span that has one, where there is no current one.
pub(in crate::logging) fn invocation_of<'a, S>(scope: Option<Scope<'a, S>>) -> Option<Invocation>
where
    S: LookupSpan<'a>,
{
    if Invocation::with_current(|_| ()).is_some() {
        return None;
    }
    scope?.find_map(|span| span.extensions().get::<Spanned>()?.invocation.clone())
}

/// Tells the runtime's span around a handler which invocation that is of: the runtime has left the
/// invocation when it reports the handler's error.
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
