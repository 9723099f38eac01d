//! The attributes of the `powertools` crate, which re-exports them.

use proc_macro::TokenStream;

/// Runs a function once for each key.
#[proc_macro_attribute]
pub fn idempotent(_args: TokenStream, item: TokenStream) -> TokenStream {
    item
}
