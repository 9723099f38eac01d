use std::sync::atomic::Ordering;

use super::Invocation;

/// Asks that work which has run out of time may clean up before it is dropped.
///
/// A time guard drops work that is still there at its [`limit`](Invocation::limit). While one of
/// these exists it waits with that, for half of its reserve at most, so that the work can end by
/// itself. Idempotent work holds one, and gives its claim back in that time.
#[derive(Debug)]
#[must_use = "the request ends when this is dropped"]
pub struct CleanupGuard(Invocation);

impl Invocation {
    /// Announces work that stops by itself at the [`limit`](Self::limit) and then cleans up.
    pub fn cleanup_guard(&self) -> CleanupGuard {
        self.event.cleanups.fetch_add(1, Ordering::Relaxed);
        CleanupGuard(self.clone())
    }

    /// True while there is a [`CleanupGuard`] of this event.
    #[must_use]
    pub fn has_cleanup(&self) -> bool {
        self.event.cleanups.load(Ordering::Relaxed) > 0
    }
}

impl Drop for CleanupGuard {
    fn drop(&mut self) {
        self.0.event.cleanups.fetch_sub(1, Ordering::Relaxed);
    }
}
