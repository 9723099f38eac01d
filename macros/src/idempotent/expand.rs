use proc_macro2::{Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::parse::Args;
use crate::arguments::capture_mutable;
use crate::function::Function;
use crate::invocation::{Find, find};

/// Wraps the body of a function, where it stands, in a call of the engine.
///
/// The body keeps its own tokens, and its block the function's type, so that the compiler reports
/// mistakes in it as if the attribute were not there.
pub(super) fn expand(args: Args, function: Function, result: &Type) -> TokenStream {
    let Args { key, with, name, payload, context, krate } = args;
    let Function { attrs, vis, mut sig, body } = function;
    let captures = capture_mutable(&sig);
    let Find { invocation, bindings } = find(&krate, &mut sig, context.as_ref());

    // What is asked of the result and the error is reported once, at the function's type.
    let or_return = |call: TokenStream| {
        quote_spanned! {at(result)=>
            match #call {
                ::core::result::Result::Ok(call) => call,
                ::core::result::Result::Err(error) => {
                    return ::core::result::Result::Err(::core::convert::From::from(error));
                }
            }
        }
    };
    let name = match name {
        Some(name) => name.into_token_stream(),
        // A closure's type has the path of the function around it, with the type of a method and
        // what a generic function is called with.
        None => or_return(quote! {
            #krate::idempotency::default_name(::core::any::type_name_of_val(&|| ()))
        }),
    };
    let operation = quote_spanned!(at(&with)=> (#with).operation(#name));
    let mut call = or_return(quote_spanned!(at(&key)=> #operation.key(&(#key))));
    if let Some(payload) = payload {
        call = or_return(quote_spanned!(at(&payload)=> #call.payload(&(#payload))));
    }
    let marker = marker();
    let run = quote_spanned!(at(result)=> call.run(work).await);

    // With hygiene: the expressions and the body do not see these names.
    quote_spanned! {Span::mixed_site()=>
        #(#attrs)*
        #vis #sig {
            #marker
            let invocation = #invocation;
            #bindings
            let work = async move {
                let call = #call;
                // Pinned here: each function that took it by value would double the future.
                let work = ::core::pin::pin!(async move {
                    // Gives the block its type. Without one, nothing in `return Err(..)` coerces.
                    #[allow(unreachable_code)]
                    if false {
                        let result: #result = loop {};
                        return result;
                    }
                    #captures
                    #body
                });
                #run
            };
            #krate::Invocation::enter(invocation, work).await
        }
    }
}

/// Where `tokens` stand, for what is reported about them, with names of its own.
fn at(tokens: &impl Spanned) -> Span {
    Span::mixed_site().located_at(tokens.span())
}

/// The first statement of each expansion.
fn marker() -> TokenStream {
    quote!(
        const _: &str = "#[idempotent]";
    )
}

/// True for a body that this attribute has made, whatever it was called there.
pub(super) fn is_expanded(body: &Group) -> bool {
    let mut tokens = body.stream().into_iter();
    marker().into_iter().all(|expected| {
        tokens.next().is_some_and(|token| token.to_string() == expected.to_string())
    })
}
