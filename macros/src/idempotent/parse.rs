use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, LitStr, Path, Result};

use crate::args;

/// The options of `#[idempotent]`, as they are written.
pub(super) struct Options {
    pub(super) key: Option<Expr>,
    pub(super) with: Option<Expr>,
    pub(super) name: Option<LitStr>,
    pub(super) payload: Option<Expr>,
    pub(super) transaction: Option<Ident>,
    pub(super) http: Option<Ident>,
    pub(super) context: Option<Expr>,
    pub(super) krate: Option<Path>,
}

const OPTIONS: &[&str] =
    &["key", "with", "name", "payload", "transaction", "http", "context", "crate"];

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut key, mut with, mut name) = (None, None, None);
        let (mut payload, mut context, mut krate) = (None, None, None);
        let (mut transaction, mut http) = (None, None);
        args::each(input, OPTIONS, |option| match option.to_string().as_str() {
            "key" => args::set(&mut key, option, input),
            "with" => args::set(&mut with, option, input),
            "name" => args::set(&mut name, option, input),
            "payload" => args::set(&mut payload, option, input),
            "transaction" => args::flag(&mut transaction, option, input),
            "http" => args::flag(&mut http, option, input),
            "context" => args::set(&mut context, option, input),
            "crate" => args::set(&mut krate, option, input),
            _ => Ok(false),
        })?;

        Ok(Self { key, with, name, payload, transaction, http, context, krate })
    }
}
