//! The function under an attribute.

use proc_macro2::{Group, TokenStream};
use quote::quote;
use syn::parse::{Parse as _, ParseStream, Parser as _};
use syn::{Attribute, Error, Result, Signature, Visibility};

/// The attributes of this crate that wrap a function.
const OURS: &[&str] = &["idempotent"];

/// A function whose body is left as it was written.
///
/// The body stays raw tokens, so that half-typed code gets its error from the compiler alone, and
/// an IDE sees all of it.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

impl Function {
    /// The attribute of this name that is still to be expanded.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attrs.iter().find(|attr| is_named(attr, name))
    }

    /// Reads the async function under `attribute`.
    pub(crate) fn parse_async(attribute: &str, item: TokenStream) -> Result<Self> {
        let parse = |input: ParseStream<'_>| Self::parse(attribute, input);
        let function = parse.parse2(item)?;
        function.check_async(attribute)?;
        Ok(function)
    }

    fn parse(attribute: &str, input: ParseStream<'_>) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        // The compiler has read the item before: what is no signature is no function.
        let sig: Signature = input.parse().map_err(|error| {
            Error::new(error.span(), format!("`#[{attribute}]` goes on an async function"))
        })?;
        let body = input.parse().map_err(|error| {
            Error::new(error.span(), format!("`#[{attribute}]` needs a function with a body"))
        })?;
        Ok(Self { attrs, vis, sig, body })
    }

    fn check_async(&self, attribute: &str) -> Result<()> {
        if let Some(token) = self.sig.constness {
            let message = format!("`#[{attribute}]` cannot go on a const function");
            return Err(Error::new_spanned(token, message));
        }
        if let Some(abi) = &self.sig.abi {
            let message = format!("`#[{attribute}]` cannot go on an extern function");
            return Err(Error::new_spanned(abi, message));
        }
        if self.sig.asyncness.is_none() {
            let message = format!(
                "`#[{attribute}]` goes on an async function\n\n\
                 `#[async_trait]` expands first and takes the `async` away: write a native `async \
                 fn` in the trait, or let the method call an async function that has the attribute"
            );
            return Err(Error::new_spanned(self.sig.fn_token, message));
        }
        Ok(())
    }
}

/// Gives back what an attribute makes of its item, or the error beside the item as it was.
///
/// The item goes on without the attributes of this crate, and may leave unused what only these
/// use, so that one mistake gives one message.
pub(crate) fn or_untouched(item: TokenStream, expanded: Result<TokenStream>) -> TokenStream {
    expanded.unwrap_or_else(|error| {
        let error = error.into_compile_error();
        let item = without_ours.parse2(item.clone()).unwrap_or(item);
        quote!(#item #error)
    })
}

fn without_ours(input: ParseStream<'_>) -> Result<TokenStream> {
    let mut attrs = input.call(Attribute::parse_outer)?;
    attrs.retain(|attr| !OURS.iter().any(|name| is_named(attr, name)));
    let rest = TokenStream::parse(input)?;
    Ok(quote!(#[allow(unused_variables)] #(#attrs)* #rest))
}

/// By the last segment: `powertools::idempotent` is `idempotent` too.
fn is_named(attr: &Attribute, name: &str) -> bool {
    attr.path().segments.last().is_some_and(|last| last.ident == name)
}
