//! `#[batch]`.

mod check;
mod expand;
mod parse;
mod record;

pub(crate) use self::check::Args;
pub(crate) use self::expand::{call, handler, stub};
pub(crate) use self::record::Record;
