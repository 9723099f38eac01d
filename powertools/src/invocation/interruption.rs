use std::ops::BitOr;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
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
    pub(crate) const FELL_BACK: Self = Self(2);
    /// Work was not started for lack of time.
    pub(crate) const REFUSED: Self = Self(4);
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
            for scope in current.scopes_to_idempotent() {
                scope.marks.store(0, Ordering::Relaxed);
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

    /// Marks this scope.
    pub(crate) fn mark(&self, mark: Mark) {
        self.scope.marks.fetch_or(mark.0, Ordering::Relaxed);
        self.notify(mark);
    }

    /// Marks this scope and those around it, up to the nearest one of idempotent work.
    pub(crate) fn mark_out(&self, mark: Mark) {
        for scope in self.scopes_to_idempotent() {
            scope.marks.fetch_or(mark.0, Ordering::Relaxed);
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
        self.scope.has(marks)
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
        self.scopes().any(|scope| scope.has(Mark::STOPPED | Mark::REFUSED))
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

impl Scope {
    fn has(&self, marks: Mark) -> bool {
        self.marks.load(Ordering::Relaxed) & marks.0 != 0
    }
}
