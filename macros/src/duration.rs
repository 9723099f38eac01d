//! Durations in attributes.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, ExprLit, Lit, LitStr, Result};

/// `"500ms"`, or an expression that yields a `Duration`.
pub(crate) struct DurationArg(TokenStream);

impl DurationArg {
    pub(crate) fn from_millis(millis: u64) -> Self {
        Self(quote!(::core::time::Duration::from_millis(#millis)))
    }

    pub(crate) fn tokens(&self) -> &TokenStream {
        &self.0
    }
}

impl Parse for DurationArg {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        match input.parse()? {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => read(&text).map(Self::from_millis),
            Expr::Lit(ExprLit { lit, .. }) => {
                let advice = match &lit {
                    Lit::Int(number) => {
                        let number = number.base10_digits();
                        format!(": `\"{number}ms\"` or `\"{number}s\"`?")
                    }
                    _ => String::new(),
                };
                Err(Error::new_spanned(&lit, format!("{FORM}{advice}")))
            }
            duration => Ok(Self(quote!(#duration))),
        }
    }
}

/// Reads a string as milliseconds.
fn read(text: &LitStr) -> Result<u64> {
    let value = text.value();
    let refuse = |message: String| Err(Error::new_spanned(text, message));
    let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let factor = match unit.trim_start() {
        "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        _ => return refuse(format!("`{value}` is not a duration: {FORM}")),
    };
    if number.is_empty() {
        return refuse(format!("`{value}` is not a duration: {FORM}"));
    }
    let millis = number.parse().ok().and_then(|number: u64| number.checked_mul(factor));
    match millis {
        Some(millis) => Ok(millis),
        None => {
            refuse(format!("`{value}` is too long: it does not fit into 64 bits of milliseconds"))
        }
    }
}

const FORM: &str = "a duration is a string with a whole number and `ms`, `s` or `min`, such as \
                    `\"500ms\"` or `\"2s\"`";

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> Option<u64> {
        read(&LitStr::new(text, proc_macro2::Span::call_site())).ok()
    }

    #[test]
    fn a_duration_is_a_whole_number_and_a_unit() {
        for (text, read) in [
            ("500ms", 500),
            ("1s", 1000),
            ("2 s", 2000),
            ("15min", 900_000),
            ("90min", 5_400_000),
            ("0ms", 0),
            ("0s", 0),
        ] {
            assert_eq!(millis(text), Some(read), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "500",
            "ms",
            "s",
            "1.5s",
            "-1s",
            "+1s",
            "1 S",
            "1h",
            "1us",
            "1sec",
            "1s ",
            " 1s",
            "1s500ms",
            "99999999999999999999s",
            "18446744073709551615min",
            "½s",
        ] {
            assert_eq!(millis(text), None, "{text}");
        }
    }
}
