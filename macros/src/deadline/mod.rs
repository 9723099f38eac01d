//! `#[deadline]`.

mod expand;
mod parse;

pub(crate) use self::expand::wrap;
pub(crate) use self::parse::Args;

/// Why there is no fallback inside `#[idempotent]`.
pub(crate) const STORED_FALLBACK: &str = "below `#[idempotent]` the fallback would be stored as the result, and the work never be done: \
     leave `or` out, and answer in a function around this one that has the `or`";

/// Why there is no fallback inside `#[batch]`.
pub(crate) const DONE_FALLBACK: &str = "below `#[batch]` a record with a fallback would count as done, and not come again: leave `or` \
     out, and the record is delivered again";
