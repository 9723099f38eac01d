use syn::parse::{Parse, ParseStream};
use syn::{Path, Result};

use crate::args;

/// The options of `#[init_once]`.
pub(super) struct Args {
    pub(super) krate: Path,
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut krate = None;
        args::each(input, &["crate"], |option| match option.to_string().as_str() {
            "crate" => args::set(&mut krate, option, input),
            _ => Ok(false),
        })?;
        Ok(Self { krate: args::krate(krate) })
    }
}
