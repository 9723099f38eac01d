//! `#[idempotent]`.

mod check;
mod expand;
mod parse;

pub(crate) use self::check::{Args, check, check_name};
pub(crate) use self::expand::wrap;
