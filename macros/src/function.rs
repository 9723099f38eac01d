//! The function under an attribute.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Error, Result, ReturnType, Signature, Type, Visibility};

use crate::kind::Kind;

/// A function whose body stays as it was written.
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
    /// Reads the function under an attribute.
    pub(crate) fn parse(attribute: Kind, item: TokenStream) -> Result<Self> {
        let parse = |input: ParseStream<'_>| Self::read(attribute, input);
        let function = parse.parse2(item)?;
        function.check_qualifiers(attribute)?;
        Ok(function)
    }

    /// Reads the async function under an attribute.
    pub(crate) fn parse_async(attribute: Kind, item: TokenStream) -> Result<Self> {
        let function = Self::parse(attribute, item)?;
        if function.sig.asyncness.is_none() {
            let message = format!(
                "`#[{attribute}]` needs an async function\n\n\
                 `#[async_trait]` expands first and takes the `async` away: write a native `async \
                 fn` in the trait, or let the method call an async function that has the attribute"
            );
            return Err(Error::new_spanned(function.sig.fn_token, message));
        }
        Ok(function)
    }

    /// Returns the attributes of this crate that are not expanded yet.
    pub(crate) fn siblings(&self) -> impl Iterator<Item = (Kind, &Attribute)> {
        self.attrs.iter().filter_map(|attr| Some((Kind::of(attr)?, attr)))
    }

    /// Returns the type that the function returns, or the error that it cannot be a `Result`.
    pub(crate) fn result(&self, otherwise: &str) -> Result<Type> {
        match &self.sig.output {
            ReturnType::Default => Err(Error::new_spanned(&self.sig, otherwise)),
            ReturnType::Type(_, result) if may_be_result(result) => Ok((**result).clone()),
            ReturnType::Type(_, result) => Err(Error::new_spanned(result, otherwise)),
        }
    }

    pub(crate) fn read(attribute: Kind, input: ParseStream<'_>) -> Result<Self> {
        let item = attribute.item();
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        // The compiler has parsed the item before, so only a function has a signature.
        let sig: Signature = input
            .parse()
            .map_err(|error| Error::new(error.span(), format!("`#[{attribute}]` needs {item}")))?;
        let no_body =
            |span| Error::new(span, format!("`#[{attribute}]` needs a function with a body"));
        let span = input.span();
        let body = input.parse().ok().and_then(block).ok_or_else(|| no_body(span))?;
        Ok(Self { attrs, vis, sig, body })
    }

    fn check_qualifiers(&self, attribute: Kind) -> Result<()> {
        if let Some(token) = self.sig.constness {
            let message = format!("`#[{attribute}]` cannot be used on a const function");
            return Err(Error::new_spanned(token, message));
        }
        if let Some(abi) = &self.sig.abi {
            let message = format!("`#[{attribute}]` cannot be used on an extern function");
            return Err(Error::new_spanned(abi, message));
        }
        Ok(())
    }
}

/// Returns the block of a body; a `$body:block` of a `macro_rules!` macro is in an invisible group.
fn block(body: TokenTree) -> Option<Group> {
    match body {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            block(group.stream().into_iter().next()?)
        }
        _ => None,
    }
}

/// Named types that are not a `Result`, to distinguish an alias from a mistake.
const PLAIN: &[&str] = &[
    "Box", "HashMap", "Option", "String", "Value", "Vec", "bool", "char", "f32", "f64", "i8",
    "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize",
];

pub(crate) fn may_be_result(result: &Type) -> bool {
    match result {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_none_or(|last| !PLAIN.iter().any(|name| last.ident == name)),
        Type::Group(group) => may_be_result(&group.elem),
        Type::Paren(paren) => may_be_result(&paren.elem),
        Type::Macro(_) | Type::Verbatim(_) => true,
        _ => false,
    }
}
