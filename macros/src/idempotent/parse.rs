use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, LitStr, Path, Result};

use crate::args;

/// The options of `#[idempotent]`.
pub(crate) struct Args {
    pub(super) key: Expr,
    pub(super) with: Expr,
    pub(super) name: Option<LitStr>,
    pub(super) payload: Option<Expr>,
    pub(crate) context: Option<Expr>,
    pub(crate) krate: Path,
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
        if is_literal(&key) {
            return Err(Error::new_spanned(key, SAME_KEY));
        }
        let krate = args::krate(krate);
        Ok(Self { key, with, name, payload, context, krate })
    }
}

/// True for an expression that says the same in each call, as far as a macro can see.
fn is_literal(key: &Expr) -> bool {
    match key {
        Expr::Lit(_) => true,
        Expr::Group(key) => is_literal(&key.expr),
        Expr::Paren(key) => is_literal(&key.expr),
        Expr::Reference(key) => is_literal(&key.expr),
        Expr::Tuple(key) => key.elems.iter().all(is_literal),
        Expr::Array(key) => key.elems.iter().all(is_literal),
        _ => false,
    }
}

const SAME_KEY: &str = "this key is the same for every call, so all of them would share one result: \
                        name what makes two calls the same, such as `key = event.payload.order_id`\n\n\
                        if one result for all is what you mean, put the key into a constant";
const NO_KEY: &str = "`#[idempotent]` needs a key: `key = …` says what makes two calls the same, \
                      such as `key = event.payload.order_id`";
const NO_WITH: &str = "`#[idempotent]` needs its records: `with = …` yields the `Idempotency` that \
                       keeps them";
const NEITHER: &str =
    "`#[idempotent]` needs a key and its records: `#[idempotent(key = …, with = …)]`";
