use once_cell::sync::OnceCell;

use super::Error;
use super::making::Making;
use crate::Carries;
use crate::process::is_restored;

/// A value that is made once for each execution environment, without waiting for anything.
///
/// It can stand in a static, and then hands out `&'static T`. The table of the [module](super) says
/// what it guarantees. Those who ask while it is made block their threads: for what takes long,
/// [`InitOnce`](super::InitOnce) is the right one.
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
    /// One for the time before a restore, one for after: there is at most one restore.
    cells: [OnceCell<T>; 2],
}

impl<T> SyncInitOnce<T> {
    /// Makes one that is empty.
    #[must_use]
    pub const fn new() -> Self {
        Self { cells: [const { OnceCell::new() }; 2] }
    }

    /// The value, if it was made.
    #[must_use]
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.cell().get()
    }

    /// The value. If it is not there, `make` is called, or another thread's `make` waited for.
    ///
    /// # Errors
    ///
    /// Returns the error of `make`, unchanged, and [`Error::Reentrant`] if `make` asks for the same
    /// value. A thread that `make` starts and waits for is not seen: there, asking for the value
    /// never ends.
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
