//! Attributes that wrap the body of a function, one or several on the same function.
//!
//! The compiler expands the attribute at the top first, so naive wrapping would make it the
//! innermost. Here the first one that is expanded takes all others of this crate out of the item
//! and wraps the body from the bottom up, so that the top one is the outermost.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Attribute, Result};

use crate::args::Given;
use crate::function::Function;
use crate::kind::Kind;

mod expand;
mod marker;
mod order;

pub(crate) use self::expand::{Request, Work, at, body_of, krate_at};
pub(crate) use self::order::check_order;

use self::expand::Layer;

/// Expands `first`, which the compiler has taken out of the item, and what stacks with it.
pub(crate) fn expand(first: Kind, args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut function = Function::parse_async(first, item)?;
    let kinds = check_order(first, &function)?;
    let above_batch = kinds.iter().position(|&kind| kind == Kind::Batch);

    let result = function.result(&no_result(first))?;

    let siblings: Vec<_> = function.siblings().map(|(_, attr)| attr.clone()).collect();
    let below = siblings.iter().map(Given::Below);
    let given = std::iter::once(Given::First(args)).chain(below);
    function.attrs.retain(|attr| Kind::of(attr).is_none());

    let mut layers = Vec::new();
    for (place, given) in given.enumerate() {
        let layer = Layer::of(kinds[place], &given)?;
        match &layer {
            Layer::Deadline(args) => crate::deadline::check_fallback(&kinds[..place], args)?,
            Layer::Idempotent(args) => {
                crate::idempotent::check(args, &function, &result, above_batch.is_some())?;
            }
            Layer::Logged(args) if kinds[place..].contains(&Kind::Batch) => args.check_batch()?,
            _ => {}
        }
        layers.push(layer);
    }
    let marker = marker::of(&kinds);
    let uses = siblings.iter().map(used);
    let marker = quote!(#marker #(#uses)*);
    match above_batch {
        Some(batch) => expand::over_records(&marker, layers, batch, function, &result),
        None => expand::function(&marker, &layers, function, &result),
    }
}

/// Returns a use of the attribute, so that its import does not appear unused after it was taken out.
pub(crate) fn used(attr: &Attribute) -> TokenStream {
    let path = attr.path();
    quote_spanned!(path.span()=> #[allow(unused_imports)] use #path as _;)
}

fn no_result(attribute: Kind) -> String {
    let error = match attribute {
        Kind::Idempotent => " with `E: From<powertools::idempotency::Error>`",
        Kind::Deadline => " with `E: From<powertools::deadline::Error>`",
        Kind::Batch | Kind::Logged | Kind::InitOnce => "",
    };
    format!("`#[{attribute}]` needs a function that returns a `Result<R, E>`{error}")
}

#[cfg(test)]
mod tests;
