use proc_macro2::Ident;
use syn::{Error, Expr, Path, Result};

use super::parse::{NO_SOURCE, Options, Source};
use crate::args::{self, Given};
use crate::duration::DurationArg;

/// The options of `#[batch]`.
pub(crate) struct Args {
    pub(super) source: Source,
    pub(super) concurrency: Option<Expr>,
    pub(super) reserve: Option<DurationArg>,
    pub(super) flags: Vec<Ident>,
    pub(super) values: Vec<(Ident, Expr)>,
    pub(crate) krate: Path,
}

impl Args {
    /// Reads the options, and rejects those that contradict each other.
    pub(crate) fn of(given: &Given<'_>) -> Result<Self> {
        let Options { source, own, concurrency, reserve, flags, values, krate } = given.read()?;
        let source = match (source, own) {
            (Some(_), Some(own)) => {
                return Err(Error::new_spanned(own, "the source of the batch is given twice"));
            }
            (Some(source), None) => source,
            (None, Some(own)) => Source::Own(Box::new(own)),
            (None, None) => return Err(given.error(NO_SOURCE)),
        };
        check_concurrency(concurrency.as_ref())?;
        check_partial(&source, &flags)?;
        check_receives(&source, &values)?;
        Ok(Self { source, concurrency, reserve, flags, values, krate: args::krate(krate) })
    }
}

fn check_concurrency(concurrency: Option<&Expr>) -> Result<()> {
    if let Some(Expr::Lit(literal)) = concurrency {
        let is_number = match &literal.lit {
            syn::Lit::Int(number) => number.base10_parse::<usize>().is_ok_and(|number| number > 0),
            _ => false,
        };
        if !is_number {
            let message =
                "`concurrency` is how many records are handled concurrently: a number from 1";
            return Err(Error::new_spanned(literal, message));
        }
    }
    Ok(())
}

fn check_receives(source: &Source, values: &[(Ident, Expr)]) -> Result<()> {
    match values.iter().find(|(name, _)| name == "max_receive_count") {
        Some((name, _)) if !source.is("sqs") => Err(Error::new_spanned(
            name,
            "`max_receive_count` is for `sqs`: the other sources do not count receives",
        )),
        _ => Ok(()),
    }
}

fn check_partial(source: &Source, flags: &[Ident]) -> Result<()> {
    let partial = flags.iter().find(|flag| *flag == "partial_response");
    match partial {
        Some(flag) if !source.is("kafka") => Err(Error::new_spanned(
            flag,
            "`partial_response` is for `kafka`: the other sources report single records anyway",
        )),
        Some(flag) if flags.iter().any(|flag| flag == "all_or_nothing") => Err(Error::new_spanned(
            flag,
            "`partial_response` and `all_or_nothing` contradict each other",
        )),
        _ => Ok(()),
    }
}
