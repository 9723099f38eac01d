use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

use super::spawn;
use crate::error::causes::with_causes;
use crate::idempotency::Error;

/// Work that continues in a task of its own if its caller is dropped.
pub(super) struct Detached<T: Send + 'static>(Option<BoxFuture<'static, Result<T, Error>>>);

impl<T: Send + 'static> Detached<T> {
    pub(super) fn new(work: impl Future<Output = Result<T, Error>> + Send + 'static) -> Self {
        Self(Some(work.boxed()))
    }
}

impl<T: Send + 'static> Future for Detached<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let work = self.0.as_mut().expect("it is polled until it is ready");
        let output = work.poll_unpin(cx);
        if output.is_ready() {
            self.0 = None;
        }
        output
    }
}

impl<T: Send + 'static> Drop for Detached<T> {
    fn drop(&mut self) {
        let Some(work) = self.0.take() else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        spawn(&runtime, async move {
            if let Err(error) = work.await {
                tracing::warn!(
                    error = with_causes(&error),
                    "a commit failed after its caller left"
                );
            }
        });
    }
}
