//! The invocation that a function works for, found in its arguments.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, Path, Signature};

use crate::arguments::{self, Named};

/// Finds the invocation at the start of a function.
pub(crate) struct Find {
    /// Yields an `Option<Invocation>`.
    pub(crate) invocation: TokenStream,
    /// The names of the arguments; none with `context`.
    pub(crate) names: Vec<Named>,
    /// Destructures the arguments by their patterns.
    pub(crate) bindings: TokenStream,
}

/// Finds the Lambda context in the arguments of a function, or in the expression of `context`.
pub(crate) fn find(krate: &Path, sig: &mut Signature, context: Option<&Expr>) -> Find {
    if let Some(context) = context {
        let context = quote!(::core::option::Option::Some(#context));
        let invocation = quote!(#krate::Invocation::current_or(#context));
        return Find { invocation, names: Vec::new(), bindings: TokenStream::new() };
    }

    let (names, bindings) = arguments::name(sig);
    let (always, maybe): (Vec<_>, Vec<_>) = names.iter().partition(|named| named.cfgs.is_empty());
    let probes = always.iter().map(|named| {
        let name = &named.name;
        quote!(.or(Probe(&#name).context()))
    });
    let mut context = quote!(::core::option::Option::None #(#probes)*);
    if !maybe.is_empty() {
        // An attribute is not allowed within an expression.
        let probes = maybe.iter().map(|named| {
            let (name, cfgs) = (&named.name, &named.cfgs);
            quote_spanned! {Span::mixed_site()=>
                #(#cfgs)* let found = found.or(Probe(&#name).context());
            }
        });
        context = quote_spanned! {Span::mixed_site()=> {
            let found = #context;
            #(#probes)*
            found
        }};
    }
    let invocation = quote! {{
        use #krate::macro_support::{NoContext as _, Probe};
        #krate::Invocation::current_or(#context)
    }};
    Find { invocation, names, bindings }
}
