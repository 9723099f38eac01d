use std::sync::atomic::{AtomicU64, Ordering};

static RESTORES: AtomicU64 = AtomicU64::new(0);

/// How often this process was restored from a SnapStart snapshot, as far as
/// [`Powertools`](crate::Powertools) ran it.
///
/// What is remembered from before a restore may be wrong after it: a cache that keeps this number
/// with its content knows when to start again.
#[must_use]
#[inline]
pub fn restores() -> u64 {
    RESTORES.load(Ordering::Relaxed)
}

/// Whether this process was restored. One that was is not restored again.
#[inline]
pub(crate) fn is_restored() -> bool {
    restores() > 0
}

/// Counts a restore.
pub(crate) fn count_restore() {
    RESTORES.fetch_add(1, Ordering::Relaxed);
}
