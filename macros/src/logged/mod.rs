//! `#[logged]`.

mod expand;
mod parse;

pub(crate) use self::expand::wrap;
pub(crate) use self::parse::Args;

/// Why the event of a batch is not looked at.
pub(crate) const NO_BATCH: &str = "above `#[batch]` there is no event to look at: of a batch only the records are read, and each has \
     an id of its own. Use `#[logged]` without options here";
