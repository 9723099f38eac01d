//! `#[batch]`.

mod expand;
mod parse;
mod record;

pub(crate) use self::expand::{call, handler};
pub(crate) use self::parse::Args;
pub(crate) use self::record::Record;
