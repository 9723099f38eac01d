//! `#[derive(LambdaError)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Result};

mod expand;
mod parse;

pub(crate) fn derive(input: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(input)?;
    match parse::parse(&input) {
        Ok(error) => Ok(expand::expand(&input, &error)),
        Err(mistake) => {
            // Code that uses the type still compiles, so that one mistake has one message.
            let mistake = mistake.into_compile_error();
            let stub = expand::stub(&input);
            Ok(quote!(#mistake #stub))
        }
    }
}
