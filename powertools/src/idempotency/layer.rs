use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use lambda_runtime::LambdaEvent;
use tower::{Layer, Service};

use super::{Call, Error, Idempotency, Operation, Replay, Store};
use crate::invocation::Invocation;

/// Makes a handler idempotent.
///
/// `key` derives the key of an event; its arguments are the operation and the event.
///
/// ```
/// use lambda_runtime::{Error, LambdaEvent, service_fn};
/// use powertools::idempotency::{Idempotency, IdempotencyLayer, MemoryStore};
/// use serde::{Deserialize, Serialize};
/// use tower::ServiceBuilder;
///
/// #[derive(Deserialize, Serialize)]
/// struct Order {
///     id: String,
///     amount: u64,
/// }
///
/// async fn charge(event: LambdaEvent<Order>) -> Result<String, Error> {
///     Ok(format!("charged {}", event.payload.amount))
/// }
///
/// let idempotency = Idempotency::new(MemoryStore::new())?;
/// let layer = IdempotencyLayer::new(idempotency, "charge", |work, event: &LambdaEvent<Order>| {
///     work.key(&event.payload.id)?.payload(&event.payload.amount)
/// });
/// let service = ServiceBuilder::new().layer(layer).service(service_fn(charge));
/// # let _ = service;
/// # Ok::<(), powertools::idempotency::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct IdempotencyLayer<S, K> {
    idempotency: Idempotency<S>,
    name: String,
    key: K,
}

impl<S: Store, K> IdempotencyLayer<S, K> {
    /// Creates the layer. `name` is the name of the operation and part of every key.
    pub fn new<T>(idempotency: Idempotency<S>, name: impl Into<String>, key: K) -> Self
    where
        K: Fn(Operation<'_, S>, &LambdaEvent<T>) -> Result<Call<S>, Error>,
    {
        Self { idempotency, name: name.into(), key }
    }
}

impl<S, K: Clone> Clone for IdempotencyLayer<S, K> {
    // By hand, since a derive would require `S: Clone`.
    fn clone(&self) -> Self {
        let Self { idempotency, name, key } = self;
        Self { idempotency: idempotency.clone(), name: name.clone(), key: key.clone() }
    }
}

impl<H, S, K: Clone> Layer<H> for IdempotencyLayer<S, K> {
    type Service = IdempotencyService<H, S, K>;

    fn layer(&self, inner: H) -> Self::Service {
        IdempotencyService { inner, config: self.clone() }
    }
}

/// An idempotent handler. Created by [`IdempotencyLayer`].
#[derive(Debug)]
pub struct IdempotencyService<H, S, K> {
    inner: H,
    config: IdempotencyLayer<S, K>,
}

impl<H: Clone, S, K: Clone> Clone for IdempotencyService<H, S, K> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), config: self.config.clone() }
    }
}

impl<H, S, K, T> Service<LambdaEvent<T>> for IdempotencyService<H, S, K>
where
    H: Service<LambdaEvent<T>> + Clone + Send + 'static,
    H::Future: Send,
    H::Response: Replay + Send,
    H::Error: From<Error> + Send,
    S: Store,
    K: Fn(Operation<'_, S>, &LambdaEvent<T>) -> Result<Call<S>, Error>,
    T: Send + 'static,
{
    type Response = H::Response;
    type Error = H::Error;
    type Future = Pin<Box<dyn Future<Output = Result<H::Response, H::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, event: LambdaEvent<T>) -> Self::Future {
        let invocation = Invocation::current_or(Some(&event.context));
        let operation = self.config.idempotency.operation(&self.config.name);
        let key = || (self.config.key)(operation, &event);
        let call = match &invocation {
            Some(invocation) => invocation.clone().sync_scope(key),
            None => key(),
        };

        // The service that is ready handles this event, and its clone the next.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        Box::pin(Invocation::enter_called(invocation, async move {
            call?.run(async move { inner.call(event).await }).await
        }))
    }
}
