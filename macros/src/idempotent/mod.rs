//! `#[idempotent]`.

use proc_macro2::TokenStream;
use syn::Result;

use self::parse::Args;
use crate::function::Function;

mod check;
mod expand;
mod parse;

/// What people call it.
const NAME: &str = "idempotent";

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function = Function::parse_async(NAME, item)?;
    let result = check::check(&function)?;
    let args: Args = syn::parse2(args)?;
    Ok(expand::expand(args, function, &result))
}
