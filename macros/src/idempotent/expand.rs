use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::visit::Visit;
use syn::{Type, TypeImplTrait};

use super::Args;
use super::check::Key;
use crate::stack::{Request, Work, at, krate_at};

/// Wraps the work in a call of the engine.
pub(crate) fn wrap(args: &Args, work: Work<'_>) -> TokenStream {
    let Args { key, with, name, payload, is_transaction, krate, .. } = args;
    let result = work.result;
    let key = match key {
        Key::Value(key) => key,
        Key::Header => return once(args, work),
    };

    // Missing bounds of the result and the error are reported once, at the function's type.
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
            #krate::macro_support::default_name(::core::any::type_name_of_val(&|| ()))
        }),
    };
    let operation = quote_spanned!(at(with)=> (#with).operation(#name));
    let mut call = or_return(quote_spanned!(at(key)=> #operation.key(&(#key))));
    if let Some(payload) = payload {
        call = or_return(quote_spanned!(at(payload)=> #call.payload(&(#payload))));
    }
    // A result type without a name cannot be inspected.
    if !is_unnamed(result) {
        call = quote_spanned! {at(result)=> {
            // Without a name, since items have no hygiene: the user's types, key and payload must not see it.
            use #krate::macro_support::NoResponse as _;
            #krate::macro_support::Response::<#result>::NEW.keep_final(#call)
        }};
    }
    let (pinned, in_place) = work.pinned(krate);
    let run = match is_transaction {
        true => quote_spanned!(at(with)=> call.commit(#in_place).await),
        false => quote_spanned!(at(result)=> call.run(#in_place).await),
    };

    quote_spanned! {Span::mixed_site()=>
        let call = #call;
        #pinned
        #run
    }
}

/// Lets the layer process the request: the work is the handler inside of it.
fn once(Args { with, krate, .. }: &Args, work: Work<'_>) -> TokenStream {
    let Work { statements, request, .. } = work;
    let Request { name, argument } = request.expect("the function has a request");
    let krate = krate_at(krate, with.span());
    // A clone, so that the body can use the value that contains the layer.
    let layer = quote_spanned!(at(with)=> #krate::http::IdempotencyKeyLayer::clone(&#with));
    // An argument that is not a request is reported where it is declared.
    let mut request = name.clone();
    request.set_span(at(argument));
    quote_spanned! {Span::mixed_site()=>
        let once = #layer;
        #[allow(unused_braces)]
        let work = move |#argument| async move {
            #statements
        };
        once.run(#request, work).await
    }
}

/// Returns true if a type has an `impl Trait` in it.
pub(crate) fn is_unnamed(result: &Type) -> bool {
    struct Find(bool);

    impl Visit<'_> for Find {
        fn visit_type_impl_trait(&mut self, _: &TypeImplTrait) {
            self.0 = true;
        }
    }

    let mut find = Find(false);
    find.visit_type(result);
    find.0
}
