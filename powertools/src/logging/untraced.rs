//! There are no spans without powertools-otel.

use tracing_subscriber::layer::Identity;

pub(super) fn is_on() -> bool {
    false
}

pub(super) fn current_ids() -> Option<([u8; 16], [u8; 8])> {
    None
}

pub(super) fn take_beside() -> Option<Identity> {
    None
}
