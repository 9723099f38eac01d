//! What a batch knows of idempotent records where there are none.

use std::error::Error as StdError;
use std::time::SystemTime;

pub(super) fn is_idempotency_error(_: &(dyn StdError + 'static)) -> bool {
    false
}

pub(super) fn lease_end(_: &(dyn StdError + 'static)) -> Option<SystemTime> {
    None
}

pub(super) fn is_held(_: &(dyn StdError + 'static)) -> bool {
    false
}
