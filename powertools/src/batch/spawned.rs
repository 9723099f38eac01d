use std::future::Future;
use std::panic::resume_unwind;

use tokio::task::JoinHandle;
use tracing::Instrument;
use tracing::instrument::WithSubscriber;

use super::RecordError;
use crate::invocation::Invocation;

/// Runs the work of a record in a task of its own, which is aborted when this is dropped.
pub(super) async fn spawned<F, V>(work: F) -> Result<V, RecordError>
where
    F: Future<Output = Result<V, RecordError>> + Send + 'static,
    V: Send + 'static,
{
    struct Aborted<T>(JoinHandle<T>);

    impl<T> Drop for Aborted<T> {
        fn drop(&mut self) {
            self.0.abort();
        }
    }

    let work = Invocation::carry(work).in_current_span().with_current_subscriber();
    let mut task = Aborted(tokio::spawn(work));
    match (&mut task.0).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(error) => Err(RecordError::retry(error)),
        },
    }
}
