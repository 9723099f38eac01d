//! `#[logged]`.

mod check;
mod expand;
mod parse;

pub(crate) use self::expand::wrap;
pub(crate) use self::parse::Args;
