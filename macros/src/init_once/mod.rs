//! `#[init_once]`.

use proc_macro2::TokenStream;
use syn::Result;

use self::parse::Args;
use crate::args::Given;
use crate::function::Function;
use crate::kind::Kind;
use crate::stack;

mod check;
mod expand;
mod parse;

pub(crate) use self::expand::borrowed;

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function = Function::parse(Kind::InitOnce, item)?;
    stack::check_order(Kind::InitOnce, &function)?;
    let result = check::check(&function)?;
    let args: Args = Given::First(args).read()?;
    Ok(expand::expand(&args, function, &result))
}
