use once_cell::sync::OnceCell;

use super::making::Making;
use super::{Error, function};
use crate::carries::Carries;
use crate::process::is_restored;

/// A value that is initialised once for each execution environment, without waiting.
///
/// In a static it returns `&'static T`. The table of the [module](super) lists its guarantees.
/// Callers that need it during its initialisation block their threads: use
/// [`InitOnce`](super::InitOnce) if that takes long.
///
/// ```
/// use std::num::ParseIntError;
/// use powertools::init::{self, SyncInitOnce};
///
/// #[derive(Debug, thiserror::Error)]
/// enum ConfigError {
///     #[error("LIMIT is not a number")]
///     Limit(#[from] ParseIntError),
///     #[error(transparent)]
///     Init(#[from] init::Error),
/// }
///
/// fn limit() -> Result<u32, ConfigError> {
///     static LIMIT: SyncInitOnce<u32> = SyncInitOnce::new();
///     LIMIT.get_or_try_init(|| Ok("100".parse()?)).copied()
/// }
///
/// assert_eq!(limit().unwrap(), 100);
/// ```
#[derive(Debug)]
pub struct SyncInitOnce<T> {
    /// One before a restore and one after it: there is at most one restore.
    cells: [OnceCell<T>; 2],
}

impl<T> SyncInitOnce<T> {
    /// Creates an empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self { cells: [const { OnceCell::new() }; 2] }
    }

    /// Returns the value, if it is initialised.
    #[must_use]
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.cell().get()
    }

    /// Returns the value. If it is not initialised, this calls `make`, or waits for the `make` of
    /// another thread.
    ///
    /// # Errors
    ///
    /// Returns the error of `make`, unchanged, and [`Error::Reentrant`] if `make` needs the same
    /// value. A thread that `make` starts and waits for is not detected: there, the call never
    /// returns.
    #[inline]
    pub fn get_or_try_init<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<&T, E>
    where
        E: Carries<Error>,
    {
        match self.get() {
            Some(value) => Ok(value),
            None => self.make(make),
        }
    }

    /// Returns the value, for a static in a function: see
    /// [`InitOnce::get_or_try_init_in`](super::InitOnce::get_or_try_init_in).
    #[doc(hidden)]
    #[inline]
    pub fn get_or_try_init_in<E>(
        &self,
        closure: &'static str,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<&T, E>
    where
        E: Carries<Error>,
    {
        self.get_or_try_init(|| {
            function::check(closure)?;
            make()
        })
    }

    #[cold]
    #[inline(never)]
    fn make<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<&T, E>
    where
        E: Carries<Error>,
    {
        let cell = self.cell();
        Making::with(cell)?.sync_scope(|| cell.get_or_try_init(make))
    }

    #[inline]
    fn cell(&self) -> &OnceCell<T> {
        &self.cells[usize::from(is_restored())]
    }
}

impl<T> Default for SyncInitOnce<T> {
    fn default() -> Self {
        Self::new()
    }
}
