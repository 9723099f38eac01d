//! The invocation that a function works for, found in its arguments.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, Path, Signature};

use crate::arguments;

/// Finds the invocation at the start of a function.
pub(crate) struct Find {
    /// Yields an `Option<Invocation>`.
    pub(crate) invocation: TokenStream,
    /// Takes the arguments apart, as their patterns said.
    pub(crate) bindings: TokenStream,
}

/// Looks for the Lambda context in the arguments of a function, or where `context` says.
pub(crate) fn find(krate: &Path, sig: &mut Signature, context: Option<&Expr>) -> Find {
    if let Some(context) = context {
        let context = quote!(::core::option::Option::Some(#context));
        let invocation = quote!(#krate::Invocation::current_or(#context));
        return Find { invocation, bindings: TokenStream::new() };
    }

    let (names, bindings) = arguments::name(sig);
    let probes = names.iter().map(|name| quote!(.or(Probe(&#name).context())));
    let invocation = quote! {{
        use #krate::invocation::probe::{NoContext as _, Probe};
        #krate::Invocation::current_or(::core::option::Option::None #(#probes)*)
    }};
    Find { invocation, bindings }
}
