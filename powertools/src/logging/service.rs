use std::fmt;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use lambda_runtime::LambdaEvent;
use tower::{Layer, Service};

use super::handler::observe;
use crate::invocation::Invocation;

/// Runs [`observe`] for each event of a handler without [`Powertools`](crate::Powertools), and shows
/// the event to a hook before the handler runs.
///
/// ```
/// use lambda_runtime::{Error, LambdaEvent, Runtime};
/// use powertools::logging::{self, LoggingLayer};
/// use tower::ServiceBuilder;
///
/// async fn handle(event: LambdaEvent<String>) -> Result<usize, Error> {
///     Ok(event.payload.len())
/// }
///
/// # async fn run() -> Result<(), Error> {
/// logging::init()?;
/// let layer = LoggingLayer::new().on_event(|event: &LambdaEvent<String>| {
///     logging::set_correlation_id(event.payload.as_str());
///     logging::log_event(&event.payload);
/// });
/// Runtime::new(ServiceBuilder::new().layer(layer).service_fn(handle)).run().await
/// # }
/// ```
///
/// Make it the outermost layer: an error of a layer outside it has no line.
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct LoggingLayer<H = ()> {
    hook: H,
}

impl LoggingLayer {
    /// Creates the layer.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<H> LoggingLayer<H> {
    /// Calls `hook` with each event, inside its invocation.
    pub fn on_event<F>(self, hook: F) -> LoggingLayer<F> {
        LoggingLayer { hook }
    }
}

/// What a [`LoggingLayer`] does with an event: a function, or `()` for nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot look at the events of this handler",
    note = "name the type of the event: `|event: &LambdaEvent<Order>| …`"
)]
pub trait OnEvent<T> {
    /// Looks at the event.
    fn on_event(&self, event: &LambdaEvent<T>);
}

impl<T> OnEvent<T> for () {
    fn on_event(&self, _: &LambdaEvent<T>) {}
}

impl<T, F: Fn(&LambdaEvent<T>)> OnEvent<T> for F {
    fn on_event(&self, event: &LambdaEvent<T>) {
        self(event);
    }
}

/// Logs the errors of a handler. Created by [`LoggingLayer`].
#[derive(Clone, Debug)]
pub struct LoggingService<S, H = ()> {
    inner: S,
    hook: H,
}

impl<S, H: Clone> Layer<S> for LoggingLayer<H> {
    type Service = LoggingService<S, H>;

    fn layer(&self, inner: S) -> Self::Service {
        LoggingService { inner, hook: self.hook.clone() }
    }
}

impl<S, H, T> Service<LambdaEvent<T>> for LoggingService<S, H>
where
    S: Service<LambdaEvent<T>>,
    S::Response: Send + 'static,
    S::Error: fmt::Debug + Send + 'static,
    S::Future: Send + 'static,
    H: OnEvent<T>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, event: LambdaEvent<T>) -> Self::Future {
        let invocation = Invocation::current_or(Some(&event.context));
        let call = || {
            self.hook.on_event(&event);
            self.inner.call(event)
        };
        // The inner services are called before any future is polled.
        let future = match &invocation {
            Some(invocation) => invocation.clone().sync_scope(call),
            None => call(),
        };
        Box::pin(Invocation::enter_called(invocation, observe(future)))
    }
}
