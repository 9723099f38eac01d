use std::sync::atomic::{AtomicBool, Ordering};

use super::InitializationType;

/// Returns true for the first caller in this process, unless its concurrency is provisioned.
pub(crate) fn take_cold_start() -> bool {
    static TAKEN: AtomicBool = AtomicBool::new(false);

    if TAKEN.load(Ordering::Relaxed) || TAKEN.swap(true, Ordering::Relaxed) {
        return false;
    }
    InitializationType::current() != InitializationType::ProvisionedConcurrency
}
