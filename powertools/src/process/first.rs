use std::sync::atomic::{AtomicBool, Ordering};

/// Finds the first caller in this process, for what is done once.
///
/// Unlike with a [`Once`](std::sync::Once), what the first caller then does may come back here, and may
/// panic: a warning calls the subscriber, which is code of the user.
pub(crate) struct First(AtomicBool);

impl First {
    pub(crate) const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Returns true if there was a caller.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns true for the first caller.
    #[inline]
    pub(crate) fn is_first(&self) -> bool {
        !self.is_over() && !self.0.swap(true, Ordering::Relaxed)
    }
}
