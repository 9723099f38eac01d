//! The names of the members on the line.

use proc_macro2::Ident;
use syn::LitStr;
use syn::ext::IdentExt as _;

/// Returns the name of a field for which none is given.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_pascal_case() {
        assert_eq!(pascal_case("orders_accepted"), "OrdersAccepted");
        assert_eq!(pascal_case("_latency__p99"), "LatencyP99");
    }
}
