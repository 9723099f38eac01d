use std::ops::BitOr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::SystemTime;

use super::{Invocation, Scope};
use crate::clock::Clock;

/// What a guard leaves on the scopes of work that it stopped: the bits of [`Marks`] that show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(u64);

impl Mark {
    /// Work was stopped, and its outcome is unknown.
    pub(crate) const STOPPED: Self = Self(MOST | LATE);
    /// A fallback took the place of the result.
    pub(crate) const FELL_BACK: Self = Self(MOST << 16);
    /// Work was not started for lack of time.
    pub(crate) const REFUSED: Self = Self(MOST << 32);
}

/// The marks of a scope: how many of each kind were left there and not handled.
///
/// They are counted because each scope has those of the scopes in it, too. Who handles its own marks removes as
/// many from the scopes around it, which keep the others.
#[derive(Debug, Default)]
pub(super) struct Marks(AtomicU64);

/// Where the count of each kind begins.
const COUNTS: [u32; 3] = [0, 16, 32];
/// The highest count; it is not exceeded.
const MOST: u64 = u16::MAX as u64;
/// The limit of the scope has passed. Not counted, since the scopes around it do not know of that.
const LATE: u64 = 1 << 63;

impl Marks {
    fn has(&self, marks: Mark) -> bool {
        self.0.load(Relaxed) & marks.0 != 0
    }

    fn add(&self, added: Mark) {
        let add = |marks: u64| {
            let grows = |at: &u32| added.0 >> at & 1 == 1 && marks >> at & MOST < MOST;
            COUNTS.into_iter().filter(grows).fold(marks, |marks, at| marks + (1 << at))
        };
        self.change(add);
    }

    fn take_all(&self) -> u64 {
        self.0.swap(0, Relaxed)
    }

    /// Removes as many marks as `most` has, and returns what was removed.
    fn take(&self, most: u64) -> u64 {
        let taken = |marks: u64| -> u64 {
            let count = |at: u32| (marks >> at & MOST).min(most >> at & MOST) << at;
            COUNTS.into_iter().map(count).sum()
        };
        taken(self.change(|marks| marks - taken(marks)))
    }

    /// Returns the marks before the change.
    fn change(&self, change: impl Fn(u64) -> u64) -> u64 {
        let changed = self.0.fetch_update(Relaxed, Relaxed, |marks| Some(change(marks)));
        changed.unwrap_or_else(|marks| marks)
    }
}

/// The name of the error for which work is being dropped, and since when.
pub(crate) type Stopping = (&'static str, SystemTime);

tokio::task_local! {
    static STOPPING: Stopping;
}

/// Drops work before its end. Its result is the error of this name.
pub(crate) fn stopping<T>(error_type: &'static str, drop: impl FnOnce() -> T) -> T {
    stopping_for((error_type, Clock::system().now()), drop)
}

/// Drops the part of such work that another task has.
pub(crate) fn stopping_for<T>(reason: Stopping, drop: impl FnOnce() -> T) -> T {
    STOPPING.sync_scope(reason, drop)
}

/// What is called when a guard stops work of the event.
#[derive(Default)]
struct OnStop(OnceLock<Box<dyn Fn() + Send + Sync>>);

impl BitOr for Mark {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Invocation {
    /// Declares that the current work has handled an interruption inside of it.
    ///
    /// If a time guard stops a part of idempotent work, the outcome of that part is unknown. An error
    /// that the work returns afterwards counts as an interruption too: the claim is released or held
    /// by [`OnInterrupt`], and an outer guard returns its fallback in place of the error. After the
    /// fallback of an inner guard, the value that the work returns is not stored.
    ///
    /// Call this after the interruption was handled, for example when the outcome was looked up or is
    /// of no importance. From then on the work returns its own result again.
    ///
    /// The current work is the innermost guarded or idempotent work that the caller is a part of, or else the
    /// handler or the batch. The call counts for all that was stopped or not begun in it so far, also in
    /// other branches of a `join!` or other records of the batch, except for a record that has already returned
    /// its error. It does not count for other parts of the work around it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use powertools::{Deadline, Invocation, deadline};
    ///
    /// # async fn price() -> Result<u32, deadline::Error> { Ok(7) }
    /// # async fn handle() {
    /// let price = Deadline::current().run(Duration::from_secs(2), price()).await.unwrap_or(10);
    /// Invocation::interruption_handled();
    /// # let _ = price;
    /// # }
    /// # let _ = handle;
    /// ```
    ///
    /// [`OnInterrupt`]: crate::idempotency::OnInterrupt
    pub fn interruption_handled() {
        Self::with_current(|current| {
            let handled = current.scope.marks.take_all();
            let around = current.scopes_to_idempotent().skip(1);
            around.fold(handled, |handled, scope| scope.marks.take(handled));
        });
    }

    /// Returns the name of the error for which the current work is being dropped, and since when. Not for
    /// users: powertools-otel asks for it.
    #[doc(hidden)]
    #[must_use]
    pub fn stopping() -> Option<(&'static str, SystemTime)> {
        STOPPING.try_get().ok()
    }

    /// Calls `f` whenever a guard stops work of this event. The first call counts.
    pub(crate) fn on_stop(&self, f: impl Fn() + Send + Sync + 'static) {
        let _ = self.local::<OnStop>().0.set(Box::new(f));
    }

    /// Marks this scope as stopped, and none around it: what the work returns decides about those.
    pub(crate) fn mark_late(&self) {
        self.scope.marks.0.fetch_or(LATE, Relaxed);
        self.notify(Mark::STOPPED);
    }

    /// Marks this scope and those around it, up to the nearest one of idempotent work.
    pub(crate) fn mark_out(&self, mark: Mark) {
        for scope in self.scopes_to_idempotent() {
            scope.marks.add(mark);
        }
        self.notify(mark);
    }

    fn notify(&self, mark: Mark) {
        if mark.0 & Mark::STOPPED.0 != 0
            && let Some(OnStop(f)) = self.event().locals.get()
        {
            f.get().into_iter().for_each(|f| f());
        }
    }

    /// Returns true if this scope has any of these marks.
    pub(crate) fn has(&self, marks: Mark) -> bool {
        self.scope.marks.has(marks)
    }

    /// Returns true if a part of the current work was stopped or not begun, or if its protection failed: an
    /// error that it returns now is no outcome. Not for users: powertools-durable asks for it.
    #[doc(hidden)]
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.has(Mark::STOPPED | Mark::REFUSED)
    }

    /// Returns true if a part of the work in this scope or one around it was stopped or not begun.
    pub(crate) fn is_interrupted_around(&self) -> bool {
        self.scopes().any(|scope| scope.marks.has(Mark::STOPPED | Mark::REFUSED))
    }

    fn scopes_to_idempotent(&self) -> impl Iterator<Item = &Scope> {
        let mut is_inside = true;
        self.scopes().take_while(move |scope| {
            let is_part = is_inside;
            is_inside = !scope.is_idempotent;
            is_part
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_removed_one_by_one_and_never_more_than_there_are() {
        let (marks, others) = (Marks::default(), Marks::default());
        marks.add(Mark::STOPPED | Mark::FELL_BACK);
        marks.add(Mark::STOPPED);
        others.add(Mark::STOPPED | Mark::REFUSED);
        let handled = others.take_all();
        for (removed, rest) in [(1, true), (1, false), (0, false)] {
            assert_eq!(marks.take(handled), removed);
            assert_eq!(marks.has(Mark::STOPPED), rest);
        }
        assert!(marks.has(Mark::FELL_BACK) && !marks.has(Mark::REFUSED));
    }

    #[test]
    fn marks_are_counted_up_to_a_limit() {
        let marks = Marks::default();
        for _ in 0..=MOST {
            marks.add(Mark::STOPPED);
        }
        assert_eq!(marks.take_all(), MOST);
    }
}
