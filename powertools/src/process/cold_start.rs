use std::sync::atomic::{AtomicBool, Ordering};

use super::InitializationType;

/// Takes the cold start of this process: true for one caller.
pub(crate) fn take_cold_start() -> bool {
    static TAKEN: AtomicBool = AtomicBool::new(false);

    if TAKEN.load(Ordering::Relaxed) || TAKEN.swap(true, Ordering::Relaxed) {
        return false;
    }
    InitializationType::current() != InitializationType::ProvisionedConcurrency
}
