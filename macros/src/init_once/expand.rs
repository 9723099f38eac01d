use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{GenericArgument, Path, PathArguments, Type, parse_quote, parse_quote_spanned};

use super::parse::Args;
use crate::function::Function;
use crate::stack::{at, krate_at};

/// Turns a function that creates a value into the accessor of that value.
pub(super) fn expand(args: &Args, function: Function, result: &Type) -> TokenStream {
    let krate = &args.krate;
    let Function { attrs, vis, mut sig, body } = function;
    let (value, accessed) = borrowed(krate, result);
    sig.output = parse_quote!(-> #accessed);

    let span = at(result);
    let is_async = sig.asyncness.is_some();
    let (once, make, wait) = if is_async {
        (quote!(InitOnce), quote!(async move), Some(quote_spanned!(span=> .await)))
    } else {
        (quote!(init::SyncInitOnce), quote!(), None)
    };
    // Without its type, nothing in `return Err(..)` coerces.
    let make = quote_spanned! {Span::mixed_site()=>
        || #make {
            #[allow(unreachable_code)]
            if false {
                let result: #result = loop {};
                return result;
            }
            #body
        }
    };
    // Missing bounds of the value and the error are reported once, at the function's type.
    let krate = krate_at(krate, span);
    // In a block, since items have no hygiene: the body must not see it.
    let once = quote_spanned! {span=>
        let once = {
            static ONCE: #krate::#once<#value> = #krate::#once::new();
            &ONCE
        };
    };
    let closure = quote_spanned!(span=> ::core::any::type_name_of_val(&|| ()));
    let get = quote_spanned!(span=> once.get_or_try_init_in(#closure, #make)#wait);
    quote! {
        #(#attrs)*
        #vis #sig {
            const _: &str = "#[init_once]";
            #once
            #[allow(unused_braces)]
            #get
        }
    }
}

/// Returns the type in a `Result`, and the `Result` with a reference to it.
pub(crate) fn borrowed(krate: &Path, result: &Type) -> (Type, Type) {
    // The usual form stays readable. The compiler resolves an alias.
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
    let krate = krate_at(krate, at(result));
    let value: Type =
        parse_quote_spanned!(at(result)=> <#result as #krate::macro_support::MadeOnce>::Value);
    let accessed = parse_quote_spanned! {at(result)=>
        ::core::result::Result<&'static #value, <#result as #krate::macro_support::MadeOnce>::Error>
    };
    (value, accessed)
}

#[cfg(test)]
mod tests {
    use syn::Result;

    use super::*;

    #[test]
    fn stays_small() -> Result<()> {
        let function = quote! {
            /// The client.
            pub(crate) async fn client() -> Result<Client, Error> {
                half typed,
            }
        };
        let expected = quote! {
            /// The client.
            pub(crate) async fn client() -> Result<&'static Client, Error> {
                const _: &str = "#[init_once]";
                let once = {
                    static ONCE: ::powertools::InitOnce<Client> = ::powertools::InitOnce::new();
                    &ONCE
                };
                #[allow(unused_braces)]
                once.get_or_try_init_in(
                    ::core::any::type_name_of_val(&|| ()),
                    || async move {
                        #[allow(unreachable_code)]
                        if false {
                            let result: Result<Client, Error> = loop {};
                            return result;
                        }
                        { half typed, }
                    }
                ).await
            }
        };
        let expanded = super::super::expand(quote!(), function)?;
        assert_eq!(expanded.to_string(), expected.to_string());
        Ok(())
    }

    #[test]
    fn the_compiler_checks_a_type_alias() -> Result<()> {
        let function = quote!(
            fn limit() -> Made {
                body
            }
        );
        let expanded = super::super::expand(quote!(crate = a::b), function)?.to_string();
        for part in [
            quote! {
                fn limit() -> ::core::result::Result<
                    &'static <Made as a::b::macro_support::MadeOnce>::Value,
                    <Made as a::b::macro_support::MadeOnce>::Error
                >
            },
            quote!(static ONCE: a::b::init::SyncInitOnce< <Made as a::b::macro_support::MadeOnce>::Value>),
        ] {
            assert!(expanded.contains(&part.to_string()), "{part}\nis not in\n{expanded}");
        }
        Ok(())
    }
}
