use std::future::ready;

use futures_util::future::Either;
use tokio::sync::OnceCell;

use super::making::Making;
use super::{Error, function};
use crate::carries::Carries;
use crate::process::is_restored;

/// A value that is initialised once for each execution environment, by an async function.
///
/// In a static it returns `&'static T`. The table of the [module](super) lists its guarantees.
/// Reading an initialised value costs about as much as reading a static.
///
/// ```
/// use lambda_runtime::Error;
/// use powertools::InitOnce;
///
/// async fn table() -> Result<&'static String, Error> {
///     static TABLE: InitOnce<String> = InitOnce::new();
///     TABLE.get_or_try_init(async || Ok("orders".to_owned())).await
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
/// assert_eq!(table().await?, "orders");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct InitOnce<T> {
    /// One before a restore and one after it: there is at most one restore.
    cells: [OnceCell<T>; 2],
}

impl<T> InitOnce<T> {
    /// Creates an empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self { cells: [const { OnceCell::const_new() }; 2] }
    }

    /// Returns the value, if it is initialised.
    #[must_use]
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.cell().get()
    }

    /// Returns the value. If it is not initialised, this calls `make`, or waits for the `make` of
    /// another caller.
    ///
    /// # Errors
    ///
    /// Returns the error of `make`, unchanged, and [`Error::Reentrant`] if `make` needs the same
    /// value. A task that `make` spawns and waits for is not detected: there, the call waits until
    /// the invocation times out. So do two tasks that initialise two values which need each other.
    ///
    /// The first caller initialises the value while it is polled. If it is kept without being
    /// polled, as behind a `select!`, it blocks all others until it is dropped.
    #[inline]
    pub fn get_or_try_init<F, Fut, E>(&self, make: F) -> impl Future<Output = Result<&T, E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Carries<Error>,
    {
        match self.get() {
            Some(value) => Either::Left(ready(Ok(value))),
            // In a box, so that a read does not carry the initialiser's size around.
            None => Either::Right(Box::pin(self.make(make))),
        }
    }

    /// Returns the value, for a static in a function: `closure` is what
    /// [`type_name_of_val`](std::any::type_name_of_val) returns for a closure in there. Not for users:
    /// `#[init_once]` calls it.
    #[doc(hidden)]
    #[inline]
    pub fn get_or_try_init_in<F, Fut, E>(
        &self,
        closure: &'static str,
        make: F,
    ) -> impl Future<Output = Result<&T, E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Carries<Error>,
    {
        self.get_or_try_init(move || async move {
            function::check(closure)?;
            make().await
        })
    }

    async fn make<F, Fut, E>(&self, make: F) -> Result<&T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Carries<Error>,
    {
        let cell = self.cell();
        Making::with(cell)?.scope(cell.get_or_try_init(make)).await
    }

    #[inline]
    fn cell(&self) -> &OnceCell<T> {
        &self.cells[usize::from(is_restored())]
    }
}

impl<T> Default for InitOnce<T> {
    fn default() -> Self {
        Self::new()
    }
}
