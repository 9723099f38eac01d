use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use lambda_runtime::LambdaInvocation;
use pin_project_lite::pin_project;
use tokio::sync::watch;
use tower::{Layer, Service};

/// Knows whether invocations are running, from the event that came to the reply that was sent.
///
/// Each of them holds a receiver, and the sender sees when there is none.
#[derive(Clone, Debug)]
pub(crate) struct Running(Arc<watch::Sender<()>>);

impl Default for Running {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(())))
    }
}

impl Running {
    /// Counts as one that is running.
    pub(super) fn begin(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }

    /// Waits until none is running, but not longer than `bound`. True if there is none.
    pub(super) async fn finished(&self, bound: Duration) -> bool {
        tokio::time::timeout(bound, self.0.closed()).await.is_ok()
    }
}

impl<S> Layer<S> for Running {
    type Service = RunningService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RunningService { inner, running: self.clone() }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct RunningService<S> {
    inner: S,
    running: Running,
}

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for RunningService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = Counted<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, event: LambdaInvocation) -> Self::Future {
        let own = self.running.begin();
        Counted { future: self.inner.call(event), own }
    }
}

pin_project! {
    /// An invocation that counts as running for as long as it is there.
    pub(crate) struct Counted<F> {
        #[pin]
        future: F,
        own: watch::Receiver<()>,
    }
}

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}
