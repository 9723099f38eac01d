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
    let Function { attrs, vis, mut sig, mut body } = function;
    // Else the compiler finds the braces of a body on one line unnecessary.
    body.set_span(at(&body));
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
    let work =
        quote_spanned!(Span::mixed_site()=> #krate::idempotency::InPlace::new(work.as_mut()));
    let run = quote_spanned!(at(result)=> call.run(#work).await);

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
                let mut work = ::core::pin::pin!(::core::option::Option::Some(async move {
                    // Gives the block its type. Without one, nothing in `return Err(..)` coerces.
                    #[allow(unreachable_code)]
                    if false {
                        let result: #result = loop {};
                        return result;
                    }
                    #captures
                    #body
                }));
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

#[cfg(test)]
mod tests {
    use syn::{Result, parse2};

    use super::*;

    #[test]
    fn stays_small() -> Result<()> {
        let function = quote! {
            /// Charges an order.
            pub(crate) async fn charge(LambdaEvent { payload, .. }: Event) -> Result<u64, Error> {
                half typed,
            }
        };
        let expected = quote! {
            /// Charges an order.
            pub(crate) async fn charge(argument0: Event) -> Result<u64, Error> {
                const _: &str = "#[idempotent]";
                let invocation = {
                    use ::powertools::invocation::probe::{NoContext as _, Probe};
                    ::powertools::Invocation::current_or(
                        ::core::option::Option::None.or(Probe(&argument0).context())
                    )
                };
                let LambdaEvent { payload, .. } = argument0;
                let work = async move {
                    let call = match (RECORDS).operation("charge").key(&(payload.id)) {
                        ::core::result::Result::Ok(call) => call,
                        ::core::result::Result::Err(error) => {
                            return ::core::result::Result::Err(::core::convert::From::from(error));
                        }
                    };
                    let mut work = ::core::pin::pin!(::core::option::Option::Some(async move {
                        #[allow(unreachable_code)]
                        if false {
                            let result: Result<u64, Error> = loop {};
                            return result;
                        }
                        { half typed, }
                    }));
                    call.run(::powertools::idempotency::InPlace::new(work.as_mut())).await
                };
                ::powertools::Invocation::enter(invocation, work).await
            }
        };
        let expanded =
            expand_with(quote!(key = payload.id, with = RECORDS, name = "charge"), function)?;
        assert_eq!(expanded.to_string(), expected.to_string());
        Ok(())
    }

    #[test]
    fn is_told_the_context_and_names_the_crate() -> Result<()> {
        let function = quote! {
            async fn charge(&mut self, (mut id, _): Pair) -> Answer { body }
        };
        let args = quote!(key = id, with = self.0, context = self.1, crate = a::b);
        let expanded = expand_with(args, function)?.to_string();
        for part in [
            quote!(async fn charge(&mut self, (mut id, _): Pair) -> Answer),
            quote!(let invocation = a::b::Invocation::current_or(::core::option::Option::Some(self.1));),
            quote!(match a::b::idempotency::default_name(::core::any::type_name_of_val(&|| ()))),
            quote!(let _ = &id; { body }),
        ] {
            assert!(expanded.contains(&part.to_string()), "{part}\nis not in\n{expanded}");
        }
        Ok(())
    }

    fn expand_with(args: TokenStream, function: TokenStream) -> Result<TokenStream> {
        let function = Function::parse_async("idempotent", function)?;
        let syn::ReturnType::Type(_, result) = function.sig.output.clone() else {
            panic!("these functions have results");
        };
        Ok(expand(parse2(args)?, function, &result))
    }
}
