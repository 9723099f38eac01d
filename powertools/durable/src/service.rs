use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_durable_execution_sdk::{
    DurableContext, InvocationPayload, InvocationResponse, Options, wrap,
};
use lambda_runtime::{Error as BoxError, LambdaEvent};
use powertools::Invocation;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tower::Service;

use crate::handler::{self, Kept};
use crate::reply::conclude;

/// Creates the service of a durable function from its handler: an async function from the event and a
/// [`DurableContext`] to a `Result`. See the [crate](crate).
///
/// The client of the SDK is created with the first event, from the environment;
/// [`service_with`] takes another one.
pub fn service<F, E, Fut, O>(handler: F) -> DurableService
where
    F: Fn(E, DurableContext) -> Fut + Send + Sync + 'static,
    E: for<'de> Deserialize<'de> + Send + 'static,
    Fut: Future<Output = Result<O, BoxError>> + Send + 'static,
    O: Serialize + Send + 'static,
{
    service_with(handler, Options::default())
}

/// Creates the service of a durable function like [`service`], with options of the SDK.
pub fn service_with<F, E, Fut, O>(handler: F, options: Options) -> DurableService
where
    F: Fn(E, DurableContext) -> Fut + Send + Sync + 'static,
    E: for<'de> Deserialize<'de> + Send + 'static,
    Fut: Future<Output = Result<O, BoxError>> + Send + 'static,
    O: Serialize + Send + 'static,
{
    let handler = Arc::new(handler);
    let handler = move |event, context| handler::run(handler.clone(), event, context);
    DurableService(Arc::new(wrap(handler, options)))
}

/// The service of a durable function, for [`Powertools::service`](powertools::Powertools::service).
/// Created by [`service`].
#[derive(Clone)]
pub struct DurableService(Arc<Sdk>);

type Sdk =
    dyn Fn(LambdaEvent<InvocationPayload>) -> ServiceFuture<InvocationResponse> + Send + Sync;
type ServiceFuture<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

impl Service<LambdaEvent<InvocationPayload>> for DurableService {
    type Response = Box<RawValue>;
    type Error = BoxError;
    type Future = ServiceFuture<Box<RawValue>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, event: LambdaEvent<InvocationPayload>) -> Self::Future {
        let called = Invocation::current_or(Some(&event.context));
        let sdk = self.0.clone();
        let kept = called.clone();
        let run = async move {
            let mut run = pin!(sdk(event));
            let response = poll_fn(|cx| {
                let polled = run.as_mut().poll(cx);
                match kept.as_ref().and_then(|it| it.local::<Kept>().take_of_invocation()) {
                    Some(error) => Poll::Ready(Err(error)),
                    None => polled,
                }
            });
            conclude(&response.await?)
        };
        // Other work can have begun around it since the call.
        Box::pin(async move { Invocation::enter(Invocation::current().or(called), run).await })
    }
}

impl fmt::Debug for DurableService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DurableService")
    }
}
