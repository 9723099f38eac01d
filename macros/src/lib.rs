//! The attributes of the `powertools` crate, which re-exports them.

use proc_macro::TokenStream;

#[cfg(feature = "idempotency")]
mod args;
#[cfg(feature = "idempotency")]
mod arguments;
#[cfg(feature = "idempotency")]
mod function;
#[cfg(feature = "idempotency")]
mod idempotent;
#[cfg(feature = "idempotency")]
mod invocation;

/// Runs a function once for each key.
#[cfg(feature = "idempotency")]
#[proc_macro_attribute]
pub fn idempotent(args: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = idempotent::expand(args.into(), item.clone().into());
    function::or_untouched(item.into(), expanded).into()
}
