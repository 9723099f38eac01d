use std::sync::atomic::{AtomicBool, Ordering};

/// Takes the cold start of this process: true for one caller.
pub(crate) fn take_cold_start() -> bool {
    static TAKEN: AtomicBool = AtomicBool::new(false);

    if TAKEN.load(Ordering::Relaxed) || TAKEN.swap(true, Ordering::Relaxed) {
        return false;
    }
    std::env::var("AWS_LAMBDA_INITIALIZATION_TYPE").as_deref() != Ok("provisioned-concurrency")
}
