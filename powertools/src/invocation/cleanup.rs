use std::iter::successors;
use std::sync::atomic::Ordering;

use super::{Invocation, Scope};

/// One clean-up, as it is counted in a scope.
const CLEANUP: u64 = 1;
/// One save, which is counted beside its clean-up.
const SAVE: u64 = 1 << 32;

/// Requests that work which runs out of time may clean up before it is dropped.
///
/// A time guard drops work that is still pending at its [`limit`](Invocation::limit). While one of
/// these exists, the guard waits, for half of its reserve at most, so that the work can end by
/// itself. Idempotent work holds one and releases its claim in that time.
#[derive(Debug)]
#[must_use = "the request ends when this is dropped"]
pub struct CleanupGuard {
    invocation: Invocation,
    counted: u64,
}

impl Invocation {
    /// Announces work that stops by itself at the [`limit`](Self::limit) and then cleans up.
    pub fn cleanup_guard(&self) -> CleanupGuard {
        let mut guard = CleanupGuard { invocation: self.clone(), counted: 0 };
        guard.count(CLEANUP);
        guard
    }

    /// Returns true while there is a [`CleanupGuard`] of work for this invocation, or for one that
    /// was created from it by [`reserving`](Self::reserving).
    ///
    /// A guard checks the invocation that it created: work around it, or concurrent with it, does
    /// not count.
    #[must_use]
    pub fn has_cleanup(&self) -> bool {
        self.scope.cleanups.load(Ordering::Relaxed) > 0
    }

    /// Returns true while work in this scope saves a result.
    pub(crate) fn has_save(&self) -> bool {
        self.scope.cleanups.load(Ordering::Relaxed) >= SAVE
    }

    /// This scope and those around it, from the inside out.
    pub(super) fn scopes(&self) -> impl Iterator<Item = &Scope> {
        successors(Some(&*self.scope), |scope| scope.outer.as_deref())
    }
}

impl CleanupGuard {
    /// Announces that the work is done and its result is being saved, for which guards wait until
    /// shortly before the deadline.
    pub(crate) fn save(&mut self) {
        self.count(SAVE);
    }

    fn count(&mut self, what: u64) {
        self.counted += what;
        for scope in self.invocation.scopes() {
            scope.cleanups.fetch_add(what, Ordering::Relaxed);
        }
    }
}

impl Drop for CleanupGuard {
    fn drop(&mut self) {
        for scope in self.invocation.scopes() {
            scope.cleanups.fetch_sub(self.counted, Ordering::Relaxed);
        }
    }
}
