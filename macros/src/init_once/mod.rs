//! `#[init_once]`.

use proc_macro2::TokenStream;
use syn::Result;

use self::parse::Args;
use crate::function::Function;
use crate::kind::Kind;
use crate::stack;

mod check;
mod expand;
mod parse;

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function = Function::parse(Kind::InitOnce, item)?;
    stack::check_order(Kind::InitOnce, &function)?;
    let result = check::check(&function)?;
    let args: Args = syn::parse2(args)?;
    Ok(expand::expand(&args, function, &result))
}
