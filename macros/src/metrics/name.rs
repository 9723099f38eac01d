//! The names of the members on the line.

use std::collections::HashSet;

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::{Error, LitStr, Result};

use super::parse::{Field, Kind};

/// The name of a field, where it is not given.
pub(super) fn of(ident: &Ident, is_pascal_case: bool) -> LitStr {
    let name = ident.unraw().to_string();
    let name = if is_pascal_case { pascal_case(&name) } else { name };
    LitStr::new(&name, ident.span())
}

fn pascal_case(name: &str) -> String {
    let words = name.split('_').filter(|word| !word.is_empty());
    words
        .map(|word| {
            let mut characters = word.chars();
            let first = characters.next().into_iter().flat_map(char::to_uppercase);
            first.chain(characters).collect::<String>()
        })
        .collect()
}

/// Refuses the names that would be dropped when the function runs.
pub(super) fn check(fields: &[Field]) -> Result<()> {
    let mut names = HashSet::new();
    for Field { name, kind, .. } in fields {
        let text = name.value();
        let limit = match kind {
            Kind::Dimension => 250,
            Kind::Property => usize::MAX,
            Kind::Metric { .. } => 1024,
        };
        let problem = if text.trim().is_empty() {
            "the name is blank"
        } else if text == "_aws" {
            "the name belongs to the format"
        } else if text.chars().any(char::is_control) {
            "the name has a control character"
        } else if text.chars().count() > limit {
            "the name is too long: a metric has 1,024 characters, a dimension 250"
        } else if matches!(kind, Kind::Dimension) && text.starts_with(':') {
            "the name of a dimension does not begin with a colon"
        } else if !names.insert(text) {
            "another field has this name"
        } else {
            continue;
        };
        return Err(Error::new_spanned(name, problem));
    }
    let dimensions = fields.iter().filter(|field| matches!(field.kind, Kind::Dimension));
    match dimensions.map(|field| &field.name).nth(30) {
        Some(name) => Err(Error::new_spanned(name, "a metric has at most 30 dimensions")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_pascal_case() {
        assert_eq!(pascal_case("orders_accepted"), "OrdersAccepted");
        assert_eq!(pascal_case("_latency__p99"), "LatencyP99");
    }
}
