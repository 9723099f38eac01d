//! `#[derive(Metrics)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Result};

mod check;
mod expand;
mod name;
mod parse;

pub(crate) fn derive(input: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(input)?;
    let parsed = parse::parse(&input);
    match parsed.and_then(|set| check::check(&input, &set.fields).map(|()| set)) {
        Ok(set) => Ok(expand::expand(&input, &set.krate, &set.fields)),
        Err(mistake) => {
            // Code that uses the type still compiles, so that one mistake has one message.
            let mistake = mistake.into_compile_error();
            let stub = match parse::options(&input.attrs) {
                Ok(options) => expand::expand(&input, &options.krate, &[]),
                Err(_) => TokenStream::new(),
            };
            Ok(quote!(#mistake #stub))
        }
    }
}
