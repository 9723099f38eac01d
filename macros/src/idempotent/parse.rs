use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, LitStr, Path, Result, parse_quote};

use crate::args;

/// The options of `#[idempotent]`.
pub(super) struct Args {
    pub(super) key: Expr,
    pub(super) with: Expr,
    pub(super) name: Option<LitStr>,
    pub(super) payload: Option<Expr>,
    pub(super) context: Option<Expr>,
    pub(super) krate: Path,
}

const OPTIONS: &[&str] = &["key", "with", "name", "payload", "context", "crate"];

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut key, mut with, mut name) = (None, None, None);
        let (mut payload, mut context, mut krate) = (None, None, None);
        args::each(input, OPTIONS, |option| match option.to_string().as_str() {
            "key" => args::set(&mut key, option, input),
            "with" => args::set(&mut with, option, input),
            "name" => args::set(&mut name, option, input),
            "payload" => args::set(&mut payload, option, input),
            "context" => args::set(&mut context, option, input),
            "crate" => args::set(&mut krate, option, input),
            _ => Ok(false),
        })?;

        let missing = |what: &str| Error::new(Span::call_site(), what);
        let (key, with) = match (key, with) {
            (Some(key), Some(with)) => (key, with),
            (None, Some(_)) => return Err(missing(NO_KEY)),
            (Some(_), None) => return Err(missing(NO_WITH)),
            (None, None) => return Err(missing(NEITHER)),
        };
        if let Some(name) = name.as_ref().filter(|name: &&LitStr| name.value().is_empty()) {
            return Err(Error::new_spanned(name, "the name of the work is empty"));
        }
        let krate = krate.unwrap_or_else(|| parse_quote!(::powertools));
        Ok(Self { key, with, name, payload, context, krate })
    }
}

const NO_KEY: &str = "`#[idempotent]` needs a key: `key = …` says what makes two calls the same, \
                      such as `key = event.payload.order_id`";
const NO_WITH: &str = "`#[idempotent]` needs its records: `with = …` yields the `Idempotency` that \
                       keeps them";
const NEITHER: &str =
    "`#[idempotent]` needs a key and its records: `#[idempotent(key = …, with = …)]`";
