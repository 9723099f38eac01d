use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::Args;
use crate::stack::{Work, at};

/// Puts a time guard around the work.
pub(crate) fn wrap(args: &Args, work: Work<'_>) -> TokenStream {
    let Args { reserve, or, krate, .. } = args;
    let reserve = reserve.tokens();
    let (pinned, in_place) = work.pinned(krate);
    let deadline = quote_spanned!(Span::mixed_site()=> #krate::Deadline::current());
    let run = match or {
        None => quote_spanned!(at(work.result)=> #deadline.run(#reserve, #in_place).await),
        Some(or) => {
            let fallback = quote_spanned!(at(or)=> |_| ::core::result::Result::Ok(#or));
            quote_spanned! {Span::mixed_site()=>
                #deadline.run_or(#reserve, #in_place, #fallback).await
            }
        }
    };
    quote_spanned! {Span::mixed_site()=>
        #pinned
        #run
    }
}
