//! The `name = value` options of an attribute.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Attribute, Error, Lit, Meta, Path, Result, Token, parse_quote, token};

/// The options of an attribute, with their spans.
pub(crate) enum Given<'a> {
    /// Those of the attribute that is expanded. The compiler has taken it out of the item.
    First(TokenStream),
    /// Those of an attribute below it.
    Below(&'a Attribute),
}

impl Given<'_> {
    /// Reads the options.
    pub(crate) fn read<T: Parse>(&self) -> Result<T> {
        match self {
            Self::First(options) => syn::parse2(options.clone()),
            Self::Below(attr) => match &attr.meta {
                Meta::Path(_) => syn::parse2(TokenStream::new()),
                Meta::List(list) => list.parse_args(),
                Meta::NameValue(meta) => {
                    let message = "the options of an attribute are in parentheses";
                    Err(Error::new_spanned(meta.eq_token, message))
                }
            },
        }
    }

    /// Creates an error about the attribute as a whole.
    pub(crate) fn error(&self, message: &str) -> Error {
        match self {
            Self::First(_) => Error::new(Span::call_site(), message),
            Self::Below(attr) => Error::new_spanned(attr, message),
        }
    }

    /// Returns the tokens of the options, right or wrong.
    pub(crate) fn tokens(&self) -> TokenStream {
        match self {
            Self::First(options) => options.clone(),
            Self::Below(attr) => match &attr.meta {
                Meta::List(list) => list.tokens.clone(),
                Meta::Path(_) | Meta::NameValue(_) => TokenStream::new(),
            },
        }
    }
}

/// Reads options, separated by commas, until the end of `input`.
///
/// `read` is called after each name. It returns false if there is no such option. `known` begins
/// with the option that a value without a name is most likely for.
pub(crate) fn each(
    input: ParseStream<'_>,
    known: &[&str],
    mut read: impl FnMut(&Ident) -> Result<bool>,
) -> Result<()> {
    while !input.is_empty() {
        // Not `Ident::parse`, since `crate` is a keyword.
        let Ok(name) = input.fork().call(Ident::parse_any) else {
            return Err(nameless(input, known));
        };
        input.call(Ident::parse_any)?;
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
    if input.peek(token::Paren) || !input.peek(Token![=]) {
        return Err(Error::new_spanned(name, format!("`{name}` needs a value: `{name} = …`")));
    }
    let sign = input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(Error::new_spanned(sign, format!("`{name}` needs a value: `{name} = …`")));
    }
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

/// Returns the error about a value where the name of an option was expected.
fn nameless(input: ParseStream<'_>, known: &[&str]) -> Error {
    let options = known.join("`, `");
    if input.is_empty() || known.is_empty() {
        return input.error("expected an option");
    }
    match input.fork().parse::<Lit>() {
        Ok(value) => {
            let (value, first) = (value.to_token_stream(), known[0]);
            input.error(format!(
                "an option is written `name = value`: did you mean `{first} = {value}`? The options \
                 are `{options}`"
            ))
        }
        Err(_) => input.error(format!("expected the name of an option: one of `{options}`")),
    }
}

fn once(is_given: bool, name: &Ident) -> Result<()> {
    if is_given {
        return Err(Error::new_spanned(name, format!("`{name}` is given twice")));
    }
    Ok(())
}

/// Returns the path of the crate: the given one, or else `::powertools`.
pub(crate) fn krate(given: Option<Path>) -> Path {
    given.unwrap_or_else(|| parse_quote!(::powertools))
}

/// Returns true if the options of `attr` contain `crate = path`.
pub(crate) fn has_crate(attr: &Attribute, path: &Path) -> bool {
    let given = value_of::<CratePath>("crate", Given::Below(attr).tokens());
    given.is_some_and(|CratePath(given)| text(&given) == text(path))
}

/// Returns the path of the crate in options that may be wrong elsewhere.
pub(crate) fn krate_in(options: TokenStream) -> Path {
    krate(value_of("crate", options).map(|CratePath(path)| path))
}

/// Returns the value of an option among others that may be wrong.
pub(crate) fn value_of<T: Parse>(name: &str, options: TokenStream) -> Option<T> {
    let find = |input: ParseStream<'_>| {
        let mut value = None;
        while !input.is_empty() {
            let ahead = input.fork();
            let is_it = ahead.call(Ident::parse_any).is_ok_and(|ident| ident == name)
                && ahead.parse::<Token![=]>().is_ok();
            value = value.or_else(|| is_it.then(|| ahead.parse().ok()).flatten());
            input.parse::<TokenTree>()?;
        }
        Ok(value)
    };
    find.parse2(options).ok().flatten()
}

/// A path without generic arguments.
struct CratePath(Path);

impl Parse for CratePath {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        input.call(Path::parse_mod_style).map(Self)
    }
}

fn text(path: &Path) -> String {
    path.to_token_stream().to_string()
}

fn unknown(name: &Ident, known: &[&str]) -> Error {
    let text = name.to_string();
    let nearest = known.iter().min_by_key(|option| distance(&text, option));
    let advice = match nearest {
        // With a greater distance it is another word, and not a typing error.
        Some(option) if distance(&text, option) <= 1 + option.len() / 4 => {
            format!("did you mean `{option}`?")
        }
        _ => format!("the options are `{}`", known.join("`, `")),
    };
    Error::new_spanned(name, format!("unknown option `{name}`: {advice}"))
}

/// Returns the number of letters to insert, remove or replace (Levenshtein).
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
    fn a_typing_error_gets_the_nearest_option_and_another_word_all_of_them() {
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
