use syn::{Error, Result};

use super::Args;
use crate::kind::Kind;

/// Rejects a fallback below an attribute that would treat it as a success.
pub(crate) fn check_fallback(above: &[Kind], args: &Args) -> Result<()> {
    let reason = above.iter().rev().find_map(|kind| match kind {
        Kind::Idempotent => Some(STORED_FALLBACK),
        Kind::Batch => Some(DONE_FALLBACK),
        Kind::Logged | Kind::Deadline | Kind::InitOnce => None,
    });
    match reason.zip(args.fallback()) {
        Some((reason, or)) => Err(Error::new_spanned(or, reason)),
        None => Ok(()),
    }
}

const STORED_FALLBACK: &str = "below `#[idempotent]` the fallback would be stored as the result, \
                               and the work would never be done: leave `or` out, and answer in a \
                               function around this one that has the `or`";

const DONE_FALLBACK: &str = "below `#[batch]` a record with a fallback would count as done, and \
                             not come again: leave `or` out, and the record is delivered again";
