use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::task::JoinHandle;
use tracing::Instrument;
use tracing::instrument::WithSubscriber;

use super::RecordError;
use crate::invocation::{Invocation, Stopping, stopping_for};

/// Runs the work of a record in a task of its own, which is aborted when this is dropped.
pub(super) async fn spawned<F, V>(work: F) -> Result<V, RecordError>
where
    F: Future<Output = Result<V, RecordError>> + Send + 'static,
    V: Send + 'static,
{
    let stopped = Arc::default();
    let work = Invocation::carry(work).in_current_span();
    let work = Work { work: Some(work), stopped: Arc::clone(&stopped) }.with_current_subscriber();
    let mut task = Task { handle: tokio::spawn(work), stopped };
    match (&mut task.handle).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(error) => Err(RecordError::retry(error)),
        },
    }
}

struct Task<T> {
    handle: JoinHandle<T>,
    stopped: Arc<OnceLock<Stopping>>,
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if let Some(stopping) = Invocation::stopping() {
            let _ = self.stopped.set(stopping);
        }
        self.handle.abort();
    }
}

pin_project! {
    /// Work that an abort drops as what stops the record would: the task is dropped later, and on its own.
    struct Work<F> {
        #[pin]
        work: Option<F>,
        stopped: Arc<OnceLock<Stopping>>,
    }

    impl<F> PinnedDrop for Work<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(reason) = this.stopped.get() {
                stopping_for(*reason, || this.work.set(None));
            }
        }
    }
}

impl<F: Future> Future for Work<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let work = self.project().work.as_pin_mut();
        work.expect("it is emptied when it is dropped").poll(cx)
    }
}
