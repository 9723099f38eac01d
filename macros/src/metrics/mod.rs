//! `#[derive(Metrics)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Result};

mod expand;
mod name;
mod parse;

pub(crate) fn derive(input: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(input)?;
    match parse::parse(&input) {
        Ok(set) => Ok(expand::expand(&input, &set.krate, &set.fields)),
        Err(mistake) => {
            // What uses the type goes on as if it were right, so that one mistake gives one message.
            let mistake = mistake.into_compile_error();
            let stand_in = match parse::options(&input.attrs) {
                Ok(options) => expand::expand(&input, &options.krate, &[]),
                Err(_) => TokenStream::new(),
            };
            Ok(quote!(#mistake #stand_in))
        }
    }
}
