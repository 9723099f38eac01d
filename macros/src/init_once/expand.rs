use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{GenericArgument, PathArguments, Type, parse_quote};

use super::parse::Args;
use crate::function::Function;

/// Makes an accessor of a function that makes a value.
pub(super) fn expand(args: &Args, function: Function, result: &Type) -> TokenStream {
    let krate = &args.krate;
    let Function { attrs, vis, mut sig, body } = function;
    let (value, accessed) = borrowed(args, result);
    sig.output = parse_quote!(-> #accessed);

    let is_async = sig.asyncness.is_some();
    let (once, make, wait) = if is_async {
        (quote!(InitOnce), quote!(async move), Some(quote!(.await)))
    } else {
        (quote!(init::SyncInitOnce), quote!(), None)
    };
    quote_spanned! {Span::mixed_site()=>
        #(#attrs)*
        #vis #sig {
            const _: &str = "#[init_once]";
            static ONCE: #krate::#once<#value> = #krate::#once::new();
            #[allow(unused_braces)]
            ONCE.get_or_try_init(|| #make {
                // Without its type, nothing in `return Err(..)` coerces.
                #[allow(unreachable_code)]
                if false {
                    let result: #result = loop {};
                    return result;
                }
                #body
            }) #wait
        }
    }
}

/// The type in a `Result`, and the `Result` with a reference to it.
fn borrowed(args: &Args, result: &Type) -> (Type, Type) {
    let krate = &args.krate;
    // The usual way to write it stays readable; whatever is behind another alias, the compiler knows.
    if let Type::Path(path) = result
        && path.qself.is_none()
        && let Some(last) = path.path.segments.last()
        && last.ident == "Result"
        && let PathArguments::AngleBracketed(arguments) = &last.arguments
        && let Some(GenericArgument::Type(value)) = arguments.args.first()
    {
        let value = value.clone();
        let mut accessed = path.clone();
        let last = accessed.path.segments.last_mut().expect("it was seen");
        if let PathArguments::AngleBracketed(arguments) = &mut last.arguments
            && let Some(first) = arguments.args.first_mut()
        {
            *first = GenericArgument::Type(parse_quote!(&'static #value));
        }
        return (value, Type::Path(accessed));
    }
    let value: Type = parse_quote!(<#result as #krate::init::MadeOnce>::Value);
    let accessed = parse_quote! {
        ::core::result::Result<
            &'static #value,
            <#result as #krate::init::MadeOnce>::Error,
        >
    };
    (value, accessed)
}
