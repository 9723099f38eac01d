//! The trace that an expansion leaves in the body.
//!
//! An attribute that another one does not recognise, since it was imported under another name or is
//! in a `cfg_attr`, is expanded later, and then finds this.

use proc_macro2::{Group, TokenStream};
use quote::quote;

use crate::kind::Kind;

/// Returns the first statement of an expansion.
pub(super) fn of(kinds: &[Kind]) -> TokenStream {
    let names: Vec<_> = kinds.iter().map(|kind| format!("#[{kind}]")).collect();
    let names = names.join(" ");
    quote!(const _: &str = #names;)
}

/// Returns the attributes that were expanded into this body, the outermost first.
pub(super) fn read(body: &Group) -> Vec<Kind> {
    let mut tokens = body.stream().into_iter();
    let beginning = quote!(const _: &str =);
    let is_marker = beginning.into_iter().all(|expected| {
        tokens.next().is_some_and(|token| token.to_string() == expected.to_string())
    });
    let names = tokens.next().filter(|_| is_marker).map(|names| names.to_string());
    let names = names.unwrap_or_default();
    names
        .trim_matches('"')
        .split(' ')
        .map_while(|name| Kind::from_name(name.strip_prefix("#[")?.strip_suffix(']')?))
        .collect()
}

#[cfg(test)]
mod tests {
    use proc_macro2::Delimiter;

    use super::*;

    fn body(tokens: TokenStream) -> Group {
        Group::new(Delimiter::Brace, tokens)
    }

    #[test]
    fn a_marker_is_read_as_it_was_written() {
        for kinds in [&[Kind::Deadline][..], &[Kind::Logged, Kind::Idempotent, Kind::Deadline]] {
            let marker = of(kinds);
            assert_eq!(read(&body(quote!(#marker let x = 1;))), kinds);
        }
    }

    #[test]
    fn a_body_without_a_marker_has_none() {
        for tokens in [
            quote!(),
            quote!(
                const _: &str = "text";
            ),
            quote!(
                const _: u8 = 1;
            ),
            quote!(
                const A: &str = "#[deadline]";
            ),
        ] {
            assert_eq!(read(&body(tokens)), []);
        }
    }
}
