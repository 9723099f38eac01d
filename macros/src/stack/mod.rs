//! Attributes that wrap the body of a function, one or several on the same function.
//!
//! The compiler expands the attribute at the top first, and naive wrapping would so make it the
//! innermost. Here the first one that is expanded takes all others of this crate out of the item
//! and wraps the body from the bottom up, so that the top one is the outermost.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Result;
use syn::spanned::Spanned as _;

use crate::function::Function;
use crate::kind::Kind;

mod expand;
mod marker;
mod order;

pub(crate) use self::expand::{Work, at, krate_at};
pub(crate) use self::order::check_order;

use self::expand::Layer;

/// Expands `first`, which the compiler has taken out of the item, and what stacks with it.
pub(crate) fn expand(first: Kind, args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut function = Function::parse_async(first, item)?;
    let kinds = check_order(first, &function)?;
    let above_batch = kinds.iter().position(|&kind| kind == Kind::Batch);

    let result = function.result(&no_result(first))?;
    if kinds.contains(&Kind::Idempotent) {
        crate::idempotent::check(&result)?;
    }

    let mut args = vec![args];
    let siblings: Vec<_> = function.siblings().map(|(_, attr)| attr.clone()).collect();
    for sibling in &siblings {
        args.push(order::arguments(sibling)?);
    }
    function.attrs.retain(|attr| Kind::of(attr).is_none());

    let mut layers = Vec::new();
    for (&kind, args) in kinds.iter().zip(args) {
        layers.push(Layer::parse(kind, args)?);
    }
    check_fallback(&layers)?;
    check_batch_event(&layers)?;
    let marker = marker::of(&kinds);
    // An import must not look unused since its attribute was taken out.
    let uses = siblings.iter().map(|attr| {
        let path = attr.path();
        quote_spanned!(path.span()=> #[allow(unused_imports)] use #path as _;)
    });
    let marker = quote!(#marker #(#uses)*);
    match above_batch {
        Some(batch) => expand::over_records(&marker, layers, batch, function, &result),
        None => expand::function(&marker, &layers, function, &result),
    }
}

/// A fallback is a success to everything around it.
fn check_fallback(layers: &[Layer]) -> Result<()> {
    let mut outer = None;
    for layer in layers {
        match layer {
            Layer::Idempotent(_) => outer = Some(crate::deadline::STORED_FALLBACK),
            Layer::Batch(_) => outer = Some(crate::deadline::DONE_FALLBACK),
            Layer::Deadline(args) => {
                if let (Some(reason), Some(or)) = (outer, args.fallback()) {
                    return Err(syn::Error::new_spanned(or, reason));
                }
            }
            Layer::Logged(_) => {}
        }
    }
    Ok(())
}

/// Nobody keeps the whole event of a batch.
fn check_batch_event(layers: &[Layer]) -> Result<()> {
    let is_batch = layers.iter().any(|layer| matches!(layer, Layer::Batch(_)));
    let option = layers.iter().find_map(|layer| match layer {
        Layer::Logged(args) => args.option_about_event(),
        _ => None,
    });
    match option.filter(|_| is_batch) {
        Some(option) => Err(syn::Error::new_spanned(option, crate::logged::NO_BATCH)),
        None => Ok(()),
    }
}

fn no_result(attribute: Kind) -> String {
    let error = match attribute {
        Kind::Idempotent => " with `E: From<powertools::idempotency::Error>`",
        Kind::Deadline => " with `E: From<powertools::deadline::Error>`",
        Kind::Batch | Kind::Logged | Kind::InitOnce => "",
    };
    format!("`#[{attribute}]` goes on a function that returns a `Result<R, E>`{error}")
}

#[cfg(test)]
mod tests;
