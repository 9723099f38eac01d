//! What a batch knows of idempotent records.

use std::error::Error as StdError;
use std::time::SystemTime;

use crate::error::causes::causes;
use crate::idempotency::Error;

pub(super) fn is_idempotency_error(error: &(dyn StdError + 'static)) -> bool {
    error.is::<Error>()
}

/// True if a record was refused since another run has its key.
pub(super) fn is_held(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|error| matches!(error.downcast_ref(), Some(Error::InProgress { .. })))
}

/// When the lease of the other run ends, if that is why a record was refused.
pub(super) fn lease_end(error: &(dyn StdError + 'static)) -> Option<SystemTime> {
    causes(error).find_map(|error| match error.downcast_ref()? {
        Error::InProgress { until: Some(until), .. } => Some(until.to_system_time()),
        _ => None,
    })
}
