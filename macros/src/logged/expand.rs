use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::Args;
use crate::stack::{Work, at, krate_at};

/// Logs the outcome of the work.
pub(crate) fn wrap(args: &Args, work: Work<'_>) -> TokenStream {
    let krate = &args.krate;
    let (pinned, in_place) = work.pinned(krate);
    // Missing bounds of the error are reported once, at the function's type.
    let span = at(work.result);
    let there = krate_at(krate, span);
    let observe = quote_spanned!(span=> #there::logging::observe(#in_place).await);
    quote_spanned! {Span::mixed_site()=>
        #pinned
        #observe
    }
}

impl Args {
    /// Returns the statements that read the event before the work begins.
    pub(crate) fn read_event(&self, event: &Ident) -> TokenStream {
        let krate = &self.krate;
        let correlation_id = self.correlation_id.as_ref().map(
            |path| quote_spanned!(at(path)=> #krate::macro_support::correlate(&#event.payload, #path);),
        );
        let log = self.event.as_ref().map(
            |option| quote_spanned!(at(option)=> #krate::logging::log_event(&#event.payload);),
        );
        // The id first, so that it is on the line of the event.
        quote!(#correlation_id #log)
    }
}
