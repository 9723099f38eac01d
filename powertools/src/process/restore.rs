use std::sync::atomic::{AtomicU64, Ordering};

static RESTORES: AtomicU64 = AtomicU64::new(0);

/// Returns how often this process was restored from a SnapStart snapshot, if
/// [`Powertools`](crate::Powertools) runs it, otherwise 0.
///
/// What a process stored before a restore may be wrong after it. A cache that keeps this number
/// with its content can detect that.
#[must_use]
#[inline]
pub fn restores() -> u64 {
    RESTORES.load(Ordering::Relaxed)
}

/// Returns true if this process was restored. A restored process is not restored again.
#[inline]
pub(crate) fn is_restored() -> bool {
    restores() > 0
}

/// Counts a restore.
pub(crate) fn count_restore() {
    RESTORES.fetch_add(1, Ordering::Relaxed);
}
