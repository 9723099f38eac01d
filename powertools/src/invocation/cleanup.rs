use std::iter::successors;
use std::sync::atomic::Ordering;

use super::{Invocation, Scope};

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
        for scope in self.scopes() {
            scope.cleanups.fetch_add(1, Ordering::Relaxed);
        }
        CleanupGuard(self.clone())
    }

    /// True while there is a [`CleanupGuard`] of work for this invocation, or for one that was made
    /// from it by [`reserving`](Self::reserving).
    ///
    /// A guard asks the one that it made: what goes on around it, or beside it, does not count.
    #[must_use]
    pub fn has_cleanup(&self) -> bool {
        self.scope.cleanups.load(Ordering::Relaxed) > 0
    }

    /// This scope and those around it.
    fn scopes(&self) -> impl Iterator<Item = &Scope> {
        successors(Some(&*self.scope), |scope| scope.outer.as_deref())
    }
}

impl Drop for CleanupGuard {
    fn drop(&mut self) {
        for scope in self.0.scopes() {
            scope.cleanups.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
