use std::task::{Context as Poller, Poll};

use futures_util::future::Either;
use lambda_runtime::{LambdaEvent, LambdaInvocation};
use tokio::task::futures::TaskLocalFuture;
use tower::{Layer, Service};

use super::Invocation;
use super::current::CURRENT;

/// Creates the [`Invocation`] of each event and sets it while the event is handled.
///
/// [`Powertools`](crate::Powertools) has it built in. On its own it can be used in two places: in
/// `Runtime::layer`, where the event is parsed and the reply is sent inside of it, and around a
/// handler, in a `ServiceBuilder`.
///
/// ```
/// use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
/// use powertools::invocation::InvocationLayer;
/// use powertools::Invocation;
///
/// async fn handle(_: LambdaEvent<String>) -> Result<String, Error> {
///     Ok(Invocation::current().expect("set by the layer").request_id().to_owned())
/// }
///
/// # async fn run() -> Result<(), Error> {
/// Runtime::new(service_fn(handle)).layer(InvocationLayer::new()).run().await
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct InvocationLayer(());

impl InvocationLayer {
    /// Creates the layer.
    pub fn new() -> Self {
        Self::default()
    }
}

/// Sets the [`Invocation`] around an inner service. Created by [`InvocationLayer`].
#[derive(Clone, Debug)]
pub struct InvocationService<S> {
    inner: S,
}

impl<S> Layer<S> for InvocationLayer {
    type Service = InvocationService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        InvocationService { inner }
    }
}

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for InvocationService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = TaskLocalFuture<Invocation, S::Future>;

    fn poll_ready(&mut self, cx: &mut Poller<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, event: LambdaInvocation) -> Self::Future {
        let invocation = Invocation::new(&event.context);
        // The event is parsed, and the inner services are called, before any future is polled.
        let future = invocation.clone().sync_scope(|| self.inner.call(event));
        CURRENT.scope(invocation, future)
    }
}

impl<S: Service<LambdaEvent<T>>, T> Service<LambdaEvent<T>> for InvocationService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = Either<TaskLocalFuture<Invocation, S::Future>, S::Future>;

    fn poll_ready(&mut self, cx: &mut Poller<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, event: LambdaEvent<T>) -> Self::Future {
        // An outer one is of the same event, and knows its cold start.
        if Invocation::current().is_some() {
            return Either::Right(self.inner.call(event));
        }
        let invocation = Invocation::new(&event.context);
        let future = invocation.clone().sync_scope(|| self.inner.call(event));
        Either::Left(CURRENT.scope(invocation, future))
    }
}
