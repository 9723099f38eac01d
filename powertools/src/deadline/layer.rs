use std::task::{Context, Poll};
use std::time::Duration;

use lambda_runtime::LambdaEvent;
use tower::{Layer, Service};

use super::guard::{Guard, ResponseFuture, budget};
use super::{Deadline, Error};
use crate::invocation::Invocation;
use crate::invocation::budget::Budget;

/// Stops a handler shortly before the Lambda timeout.
///
/// [`Powertools`](crate::Powertools) has a guard built in, for handlers with any error type. This
/// layer is for a handler on the plain runtime, or for a longer reserve around a part of a stack.
///
/// ```
/// use std::time::Duration;
/// use lambda_runtime::{Error, LambdaEvent};
/// use powertools::deadline::DeadlineLayer;
/// use tower::ServiceBuilder;
///
/// async fn handle(event: LambdaEvent<String>) -> Result<usize, Error> {
///     Ok(event.payload.len())
/// }
///
/// let service = ServiceBuilder::new()
///     .layer(DeadlineLayer::new().reserve(Duration::from_secs(1)))
///     .service_fn(handle);
/// # let _ = service;
/// ```
///
/// # Order
///
/// Put idempotency around it: the claim of a stopped handler then has the whole reserve to be
/// released. In the other order, idempotent work stops itself at this layer's limit and has half of
/// the reserve to release its claim.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct DeadlineLayer {
    reserve: Duration,
}

/// The time that is kept for the reply to reach Lambda, and for what follows the handler.
const RESERVE: Duration = Duration::from_millis(500);

impl DeadlineLayer {
    /// Creates a layer that stops the handler 500 ms before the timeout.
    pub fn new() -> Self {
        Self { reserve: RESERVE }
    }

    /// Sets how long before the timeout the handler is stopped.
    ///
    /// The table of the [module](super) has the effect of a reserve that is too long.
    pub fn reserve(mut self, reserve: Duration) -> Self {
        self.reserve = reserve;
        self
    }

    /// Returns the budget of a handler in this layer.
    pub(crate) fn budget(&self, invocation: &Invocation) -> Budget {
        budget(invocation, self.reserve)
    }
}

impl Default for DeadlineLayer {
    fn default() -> Self {
        Self::new()
    }
}

/// A handler that is stopped shortly before the Lambda timeout. Created by [`DeadlineLayer`].
///
/// The response and error types are those of the inner service.
#[derive(Clone, Debug)]
pub struct DeadlineService<S> {
    inner: S,
    config: DeadlineLayer,
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineService { inner, config: self.clone() }
    }
}

impl<S, T> Service<LambdaEvent<T>> for DeadlineService<S>
where
    S: Service<LambdaEvent<T>>,
    S::Error: From<Error>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, event: LambdaEvent<T>) -> Self::Future {
        let deadline = Deadline::of(Invocation::current_or(Some(&event.context)));
        let reserve = self.config.reserve;
        let budget = deadline.budget(reserve);
        // The inner services see the limit too before their futures are polled.
        let work = match budget.as_ref().and_then(Budget::scope) {
            Some(scope) => scope.clone().sync_scope(|| self.inner.call(event)),
            None => self.inner.call(event),
        };
        ResponseFuture::of(Guard::new(deadline, reserve, work))
    }
}
