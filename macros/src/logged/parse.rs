use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Path, Result};

use crate::args;

/// The options of `#[logged]`.
pub(crate) struct Args {
    pub(super) correlation_id: Option<Expr>,
    pub(super) correlation_name: Option<Ident>,
    pub(super) event: Option<Ident>,
    pub(crate) context: Option<Expr>,
    pub(crate) krate: Path,
}

const OPTIONS: &[&str] = &["correlation_id", "event", "context", "crate"];

impl Args {
    pub(crate) fn reads_event(&self) -> bool {
        self.option_about_event().is_some()
    }

    /// Returns the name of an option about the event, if there is one.
    pub(crate) fn option_about_event(&self) -> Option<&Ident> {
        self.event.as_ref().or(self.correlation_name.as_ref())
    }
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut correlation_id, mut correlation_name, mut event) = (None, None, None);
        let (mut context, mut krate) = (None, None);
        args::each(input, OPTIONS, |option| match option.to_string().as_str() {
            "correlation_id" => {
                correlation_name = Some(option.clone());
                args::set(&mut correlation_id, option, input)
            }
            "event" => args::flag(&mut event, option, input),
            "context" => args::set(&mut context, option, input),
            "crate" => args::set(&mut krate, option, input),
            _ => Ok(false),
        })?;
        Ok(Self { correlation_id, correlation_name, event, context, krate: args::krate(krate) })
    }
}
