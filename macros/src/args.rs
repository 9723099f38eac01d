//! The `name = value` options of an attribute.

use proc_macro2::{Ident, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Attribute, Error, Meta, Path, Result, Token, parse_quote};

/// Reads options, separated by commas, until the end of `input`.
///
/// `read` is called behind each name. It returns false if there is no such option.
pub(crate) fn each(
    input: ParseStream<'_>,
    known: &[&str],
    mut read: impl FnMut(&Ident) -> Result<bool>,
) -> Result<()> {
    while !input.is_empty() {
        // Not `Ident::parse`, since `crate` is a keyword.
        let name = input.call(Ident::parse_any)?;
        if !read(&name)? {
            return Err(unknown(&name, known));
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

/// Reads `= value` into `slot`. Each option is given once.
pub(crate) fn set<T: Parse>(
    slot: &mut Option<T>,
    name: &Ident,
    input: ParseStream<'_>,
) -> Result<bool> {
    once(slot.is_some(), name)?;
    input.parse::<Token![=]>()?;
    *slot = Some(input.parse()?);
    Ok(true)
}

/// Takes an option that has no value.
pub(crate) fn flag(slot: &mut Option<Ident>, name: &Ident, input: ParseStream<'_>) -> Result<bool> {
    once(slot.is_some(), name)?;
    if input.peek(Token![=]) {
        let message = format!("`{name}` takes no value: write `{name}` to have it");
        return Err(Error::new_spanned(name, message));
    }
    *slot = Some(name.clone());
    Ok(true)
}

fn once(is_given: bool, name: &Ident) -> Result<()> {
    if is_given {
        return Err(Error::new_spanned(name, format!("`{name}` is given twice")));
    }
    Ok(())
}

/// The path of the crate, where no other is given.
pub(crate) fn krate(given: Option<Path>) -> Path {
    given.unwrap_or_else(|| parse_quote!(::powertools))
}

/// True if the options of `attr` have `crate = path`.
pub(crate) fn has_crate(attr: &Attribute, path: &Path) -> bool {
    let Meta::List(list) = &attr.meta else { return false };
    let find = |input: ParseStream<'_>| {
        let mut is_found = false;
        while !input.is_empty() {
            let is_option = input.peek(Token![crate]) && input.peek2(Token![=]);
            if is_option {
                input.parse::<Token![crate]>()?;
                input.parse::<Token![=]>()?;
                is_found |= input
                    .fork()
                    .call(Path::parse_mod_style)
                    .is_ok_and(|given| text(&given) == text(path));
            }
            input.parse::<TokenTree>()?;
        }
        Ok(is_found)
    };
    find.parse2(list.tokens.clone()).unwrap_or(false)
}

fn text(path: &Path) -> String {
    path.to_token_stream().to_string()
}

fn unknown(name: &Ident, known: &[&str]) -> Error {
    let text = name.to_string();
    let nearest = known.iter().min_by_key(|option| distance(&text, option));
    let advice = match nearest {
        // Farther away it is another word, not a slip of the hand.
        Some(option) if distance(&text, option) <= 1 + option.len() / 4 => {
            format!("did you mean `{option}`?")
        }
        _ => format!("the options are `{}`", known.join("`, `")),
    };
    Error::new_spanned(name, format!("unknown option `{name}`: {advice}"))
}

/// The number of letters to insert, remove or replace (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, to) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_edits_between_two_words() {
        for (a, b, edits) in
            [("key", "key", 0), ("kye", "key", 2), ("", "key", 3), ("keys", "key", 1)]
        {
            assert_eq!(distance(a, b), edits, "{a} {b}");
            assert_eq!(distance(b, a), edits, "{b} {a}");
        }
    }

    #[test]
    fn a_slip_gets_the_nearest_option_and_another_word_all_of_them() {
        let message = |name: &str| {
            let name = Ident::new(name, proc_macro2::Span::call_site());
            unknown(&name, &["key", "with", "payload"]).to_string()
        };
        assert_eq!(message("payloads"), "unknown option `payloads`: did you mean `payload`?");
        assert_eq!(
            message("retries"),
            "unknown option `retries`: the options are `key`, `with`, `payload`"
        );
    }
}
