use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Path, Result};

use crate::args;
use crate::duration::DurationArg;

/// The options of `#[deadline]`.
pub(crate) struct Args {
    pub(super) reserve: DurationArg,
    pub(super) or: Option<Expr>,
    or_name: Option<Ident>,
    pub(crate) context: Option<Expr>,
    pub(crate) krate: Path,
}

const OPTIONS: &[&str] = &["reserve", "or", "context", "crate"];

/// The default, which is that of `DeadlineLayer`.
const RESERVE_MS: u64 = 500;

impl Args {
    /// Returns the name of the option that sets the fallback.
    pub(crate) fn fallback(&self) -> Option<&Ident> {
        self.or_name.as_ref()
    }
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut reserve, mut or, mut context, mut krate) = (None, None, None, None);
        let mut or_name = None;
        args::each(input, OPTIONS, |option| match option.to_string().as_str() {
            "reserve" => args::set(&mut reserve, option, input),
            "or" => {
                or_name = Some(option.clone());
                args::set(&mut or, option, input)
            }
            "context" => args::set(&mut context, option, input),
            "crate" => args::set(&mut krate, option, input),
            _ => Ok(false),
        })?;
        let reserve = reserve.unwrap_or_else(|| DurationArg::from_millis(RESERVE_MS));
        Ok(Self { reserve, or, or_name, context, krate: args::krate(krate) })
    }
}
