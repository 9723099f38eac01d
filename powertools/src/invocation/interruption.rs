use std::ops::BitOr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use super::{Invocation, Scope};
use crate::clock::Clock;

/// What a guard leaves on the scopes of work that it stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(u8);

impl Mark {
    /// Work was stopped, and its outcome is unknown.
    pub(crate) const STOPPED: Self = Self(1);
    /// A fallback took the place of the result.
    pub(crate) const FELL_BACK: Self = Self(1 << 1);
    /// Work was not started for lack of time.
    pub(crate) const REFUSED: Self = Self(1 << 2);
}

/// The marks that were left on a scope and not handled, each with its number.
///
/// Each scope has those of the scopes in it, too. Who handles its own marks removes the same ones from the scopes
/// around it, which keep the others. It is not enough to count them: a scope around may have handled a mark of this
/// one before, and have another one now.
#[derive(Debug, Default)]
pub(super) struct Marks(Mutex<Vec<(u64, Mark)>>);

/// The highest number of marks of a scope.
const MOST: usize = 1_000;
/// The number of all marks beyond that. Only who handles everything in the scope removes them.
const REST: u64 = 0;

static NEXT_NUMBER: AtomicU64 = AtomicU64::new(REST + 1);

fn next_number() -> u64 {
    NEXT_NUMBER.fetch_add(1, Relaxed)
}

impl Marks {
    fn has(&self, wanted: Mark) -> bool {
        self.lock().iter().any(|(_, mark)| mark.0 & wanted.0 != 0)
    }

    fn add(&self, number: u64, mark: Mark) {
        let mut marks = self.lock();
        match marks.get_mut(MOST - 1) {
            Some(last) => *last = (REST, last.1 | mark),
            None => marks.push((number, mark)),
        }
    }

    fn take_all(&self) -> Vec<(u64, Mark)> {
        std::mem::take(&mut *self.lock())
    }

    /// Removes those of another scope that are also here.
    fn remove(&self, handled: &[(u64, Mark)]) {
        let is_handled = |number| handled.iter().any(|(handled, _)| *handled == number);
        self.lock().retain(|(number, _)| *number == REST || !is_handled(*number));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, Mark)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
            for around in current.scopes_to_idempotent().skip(1) {
                around.marks.remove(&handled);
            }
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
        self.scope.marks.add(next_number(), Mark::STOPPED);
        self.notify(Mark::STOPPED);
    }

    /// Marks this scope and those around it, up to the nearest one of idempotent work.
    pub(crate) fn mark_out(&self, mark: Mark) {
        let number = next_number();
        for scope in self.scopes_to_idempotent() {
            scope.marks.add(number, mark);
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
    fn only_the_marks_that_were_handled_are_removed() {
        let (inner, outer) = (Marks::default(), Marks::default());
        for number in [1, 2] {
            inner.add(number, Mark::STOPPED | Mark::FELL_BACK);
            outer.add(number, Mark::STOPPED | Mark::FELL_BACK);
        }
        outer.take_all();
        outer.add(3, Mark::STOPPED);
        inner.add(4, Mark::REFUSED);
        outer.add(4, Mark::REFUSED);
        outer.remove(&inner.take_all());
        assert_eq!(outer.take_all(), [(3, Mark::STOPPED)]);
        assert!(!inner.has(Mark::STOPPED | Mark::FELL_BACK | Mark::REFUSED));
    }

    #[test]
    fn marks_beyond_the_limit_are_removed_with_all_others_only() {
        let marks = Marks::default();
        let numbers = 1..=MOST as u64 + 1;
        for number in numbers.clone() {
            marks.add(number, Mark::STOPPED);
        }
        let all: Vec<_> = numbers.map(|number| (number, Mark::STOPPED)).collect();
        marks.remove(&all);
        assert!(marks.has(Mark::STOPPED));
        assert_eq!(marks.take_all(), [(REST, Mark::STOPPED)]);
        assert!(!marks.has(Mark::STOPPED));
    }
}
