use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, GenericParam, Path, parse_quote};

use super::parse::{self, Case, Class, ErrorType, Forward};

/// Writes the trait, the conversion that the runtime requires, and the registration by which
/// the type is found in boxes.
pub(super) fn expand(input: &DeriveInput, error: &ErrorType) -> TokenStream {
    let ErrorType { krate, cases } = error;
    let error_type = error_type(krate, cases);
    let is_permanent = is_permanent(krate, cases);
    let http = http(krate, cases);
    let forwards = cases.iter().filter_map(|case| case.forwards.as_ref());
    implement(krate, input, forwards, &quote!(#error_type #is_permanent #http))
}

/// Returns the implementation for a type with a mistake in its attributes.
pub(super) fn stub(input: &DeriveInput) -> TokenStream {
    // The path of the crate itself is the mistake, so nothing would compile.
    let Ok(krate) = parse::krate(&input.attrs) else { return TokenStream::new() };
    if input.generics.lifetimes().next().is_some() {
        return TokenStream::new();
    }
    let name = quote! {
        fn error_type(&self) -> &'static str {
            ""
        }
    };
    implement(&krate, input, [], &name)
}

fn implement<'a>(
    krate: &Path,
    input: &DeriveInput,
    forwards: impl IntoIterator<Item = &'a Forward>,
    functions: &TokenStream,
) -> TokenStream {
    let ident = &input.ident;
    let mut generics = input.generics.clone();
    let is_generic = !generics.params.is_empty();
    if is_generic {
        let (_, types, _) = input.generics.split_for_impl();
        let clause = generics.make_where_clause();
        clause.predicates.push(parse_quote!(#ident #types: ::core::error::Error + 'static));
        for Forward { ty, .. } in forwards.into_iter().filter(|f| mentions(input, f)) {
            clause.predicates.push(parse_quote!(#ty: #krate::macro_support::AsError));
        }
    }
    let (parameters, types, clause) = generics.split_for_impl();
    // A type with parameters is many types, which cannot all be registered.
    let registration = (!is_generic).then(|| quote!(#krate::register_lambda_error!(#ident);));

    quote! {
        #[automatically_derived]
        impl #parameters #krate::LambdaError for #ident #types #clause {
            #functions
        }

        #[automatically_derived]
        impl #parameters ::core::convert::From<#ident #types>
            for #krate::error::Diagnostic #clause
        {
            fn from(error: #ident #types) -> Self {
                #krate::error::diagnostic(&error)
            }
        }

        #registration
    }
}

fn error_type(krate: &Path, cases: &[Case]) -> TokenStream {
    if cases.is_empty() {
        return quote! {
            fn error_type(&self) -> &'static str {
                match *self {}
            }
        };
    }
    let mut forwards = false;
    let arms = cases.iter().map(|case| {
        let name = &case.name;
        match &case.forwards {
            Some(forward) if !case.is_named => {
                forwards = true;
                let (pattern, found) = found(krate, case, forward);
                quote!(#pattern => #found.map_or(#name, |found| found.error_type),)
            }
            _ => {
                let pattern = pattern(case);
                quote!(#pattern => #name,)
            }
        }
    });
    let arms: TokenStream = arms.collect();
    let import = import(krate, forwards);
    quote! {
        fn error_type(&self) -> &'static str {
            #import
            match self { #arms }
        }
    }
}

/// Returns the function of the trait, or nothing if no variant can be permanent: that is the default.
fn is_permanent(krate: &Path, cases: &[Case]) -> TokenStream {
    let mut forwards = false;
    let arms: Vec<_> = cases
        .iter()
        .filter_map(|case| match (&case.class, &case.forwards) {
            (Some(Class::Permanent), _) => {
                let pattern = pattern(case);
                Some(quote!(#pattern => true,))
            }
            (None, Some(forward)) => {
                forwards = true;
                let (pattern, found) = found(krate, case, forward);
                Some(quote!(#pattern => #found.is_some_and(|found| found.is_permanent),))
            }
            (Some(Class::Retryable) | None, _) => None,
        })
        .collect();
    if arms.is_empty() {
        return TokenStream::new();
    }
    let rest = (arms.len() < cases.len()).then(|| quote!(_ => false,));
    let import = import(krate, forwards);
    quote! {
        fn is_permanent(&self) -> bool {
            #import
            match self { #(#arms)* #rest }
        }
    }
}

/// Returns the function of the trait, or nothing if no variant has an answer for clients: that is the
/// default.
fn http(krate: &Path, cases: &[Case]) -> TokenStream {
    let mut forwards = false;
    let arms: Vec<_> = cases
        .iter()
        .filter_map(|case| match (&case.status, &case.forwards) {
            // The message is that of the error in it, which is not written for clients.
            (Some(status), Some(forward)) => {
                forwards = true;
                let (pattern, source) = source(case, forward);
                let answer = quote!(#krate::error::Http::new(#status).with_details_of(#source));
                Some(quote!(#pattern => ::core::option::Option::Some(#answer),))
            }
            (Some(status), None) => {
                let pattern = pattern(case);
                let answer = quote!(#krate::error::Http::new(#status).with_message_of(self));
                Some(quote!(#pattern => ::core::option::Option::Some(#answer),))
            }
            (None, Some(forward)) => {
                forwards = true;
                let (pattern, source) = source(case, forward);
                Some(quote!(#pattern => #krate::error::http(#source),))
            }
            (None, None) => None,
        })
        .collect();
    if arms.is_empty() {
        return TokenStream::new();
    }
    let rest = (arms.len() < cases.len()).then(|| quote!(_ => ::core::option::Option::None,));
    let import = import(krate, forwards);
    quote! {
        fn http(&self) -> ::core::option::Option<#krate::error::Http> {
            #import
            match self { #(#arms)* #rest }
        }
    }
}

fn import(krate: &Path, forwards: bool) -> Option<TokenStream> {
    forwards.then(|| quote!(use #krate::macro_support::AsError as _;))
}

fn pattern(case: &Case) -> TokenStream {
    match &case.variant {
        Some(variant) => quote!(Self::#variant { .. }),
        None => quote!(Self { .. }),
    }
}

/// Returns the pattern of a transparent variant, and the description of the error in it.
fn found(krate: &Path, case: &Case, forward: &Forward) -> (TokenStream, TokenStream) {
    let (pattern, source) = source(case, forward);
    (pattern, quote!(#krate::error::find(#source)))
}

/// Returns the pattern of a transparent variant, and the error in it.
fn source(case: &Case, forward: &Forward) -> (TokenStream, TokenStream) {
    let member = &forward.member;
    let pattern = match &case.variant {
        Some(variant) => quote!(Self::#variant { #member: source, .. }),
        None => quote!(Self { #member: source, .. }),
    };
    (pattern, quote!(source.as_error()))
}

/// Returns true if the type of the field contains a type parameter.
fn mentions(input: &DeriveInput, forward: &Forward) -> bool {
    fn contains(tokens: TokenStream, name: &syn::Ident) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Ident(ident) => ident == *name,
            proc_macro2::TokenTree::Group(group) => contains(group.stream(), name),
            _ => false,
        })
    }

    let ty = &forward.ty;
    input.generics.params.iter().any(|parameter| match parameter {
        GenericParam::Type(parameter) => contains(quote!(#ty), &parameter.ident),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use syn::Result;

    use super::*;

    #[test]
    fn stays_small() -> Result<()> {
        let input = quote! {
            enum OrderError {
                #[error("declined")]
                #[error_type = "CardDeclined"]
                #[permanent]
                #[http(status = 402)]
                Declined { card: String },
                #[error("no answer")]
                Warehouse(#[source] io::Error),
                #[error(transparent)]
                Idempotency(#[from] idempotency::Error),
            }
        };
        let expected = quote! {
            #[automatically_derived]
            impl ::powertools::LambdaError for OrderError {
                fn error_type(&self) -> &'static str {
                    use ::powertools::macro_support::AsError as _;
                    match self {
                        Self::Declined { .. } => "CardDeclined",
                        Self::Warehouse { .. } => "OrderError.Warehouse",
                        Self::Idempotency { 0: source, .. } =>
                            ::powertools::error::find(source.as_error())
                                .map_or("OrderError.Idempotency", |found| found.error_type),
                    }
                }

                fn is_permanent(&self) -> bool {
                    use ::powertools::macro_support::AsError as _;
                    match self {
                        Self::Declined { .. } => true,
                        Self::Idempotency { 0: source, .. } =>
                            ::powertools::error::find(source.as_error())
                                .is_some_and(|found| found.is_permanent),
                        _ => false,
                    }
                }

                fn http(&self) -> ::core::option::Option<::powertools::error::Http> {
                    use ::powertools::macro_support::AsError as _;
                    match self {
                        Self::Declined { .. } => ::core::option::Option::Some(
                            ::powertools::error::Http::new(402).with_message_of(self)
                        ),
                        Self::Idempotency { 0: source, .. } =>
                            ::powertools::error::http(source.as_error()),
                        _ => ::core::option::Option::None,
                    }
                }
            }

            #[automatically_derived]
            impl ::core::convert::From<OrderError> for ::powertools::error::Diagnostic {
                fn from(error: OrderError) -> Self {
                    ::powertools::error::diagnostic(&error)
                }
            }

            ::powertools::register_lambda_error!(OrderError);
        };
        assert_eq!(super::super::derive(input)?.to_string(), expected.to_string());
        Ok(())
    }

    #[test]
    fn a_type_with_parameters_is_not_registered() -> Result<()> {
        let input = quote! {
            #[permanent]
            #[lambda_error(crate = a::b)]
            struct Failed<T>(T);
        };
        let expanded = super::super::derive(input)?.to_string();
        let part = quote! {
            impl<T> a::b::LambdaError for Failed<T>
            where
                Failed<T>: ::core::error::Error + 'static
            {
                fn error_type(&self) -> &'static str {
                    match self { Self { .. } => "Failed", }
                }
                fn is_permanent(&self) -> bool {
                    match self { Self { .. } => true, }
                }
            }
        };
        assert!(expanded.contains(&part.to_string()), "{part}\nis not in\n{expanded}");
        assert!(!expanded.contains("register_lambda_error"));
        Ok(())
    }
}
