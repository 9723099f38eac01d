//! `#[idempotent]`.

mod check;
mod expand;
mod parse;

pub(crate) use self::check::{Args, check};
pub(crate) use self::expand::{is_unnamed, wrap};
