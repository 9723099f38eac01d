use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::Guard;

use super::cell::Entry;

/// A value as it was when it was read. It does not change while it is held.
///
/// It dereferences to the declared type. Its own `Debug` form contains no value, whatever the type.
pub struct Value<T>(Guard<Option<Arc<Entry<T>>>>);

impl<T> Value<T> {
    /// Returns the guard as a value, if there is an entry behind it.
    #[inline]
    pub(super) fn of(guard: Guard<Option<Arc<Entry<T>>>>) -> Option<Self> {
        guard.is_some().then_some(Self(guard))
    }

    pub(super) fn new(entry: Arc<Entry<T>>) -> Self {
        Self(Guard::from_inner(Some(entry)))
    }

    #[inline]
    pub(super) fn entry(&self) -> &Arc<Entry<T>> {
        self.0.as_ref().expect("only made with an entry")
    }

    /// Returns the version that the source has for the value, if it has any.
    #[must_use]
    pub fn version(this: &Self) -> Option<&str> {
        this.entry().version.as_deref()
    }
}

impl<T> Deref for Value<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.entry().value
    }
}

impl<T> Clone for Value<T> {
    fn clone(&self) -> Self {
        Self::new(self.entry().clone())
    }
}

impl<T> fmt::Debug for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value").field("version", &self.entry().version).finish_non_exhaustive()
    }
}
