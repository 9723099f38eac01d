//! The handler of changes as the handler of events.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lambda_runtime::{Error as BoxError, LambdaEvent};
use serde::de::DeserializeOwned;
use tower::Service;

use super::callback::Callback;
use super::event::Announced;
use super::reply::Addressee;
use super::{Event, Request, Resource};
use crate::deadline::ResponseFuture;
use crate::error::diagnose::{diagnose, diagnose_panic};
use crate::error::panic::message_of;
use crate::invocation::Invocation;
use crate::invocation::budget::{Budget, Guarded};

/// What is kept for the response of the invocation's time, and of that for which CloudFormation waits.
const RESERVE: Duration = Duration::from_secs(3);

/// How long CloudFormation waits without a `ServiceTimeout`.
const SERVICE_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// A handler of changes, as a handler of CloudFormation's events. Created by
/// [`Powertools::custom_resource`](crate::Powertools::custom_resource).
pub struct CustomResource<F, T> {
    provision: F,
    callback: Arc<Callback>,
    properties: PhantomData<fn(T)>,
}

/// Whether CloudFormation has received the response of an invocation.
#[derive(Debug, Default)]
pub(crate) struct Sent(AtomicBool);

impl Sent {
    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl<F, T> CustomResource<F, T> {
    pub(crate) fn new(provision: F) -> Self {
        Self { provision, callback: Arc::default(), properties: PhantomData }
    }
}

/// How a handler ended.
enum Ended {
    Done(Resource),
    Failed(BoxError),
    Panicked(Box<dyn Any + Send>),
}

impl<F, Fut, T, E> Service<LambdaEvent<Event>> for CustomResource<F, T>
where
    F: Fn(Request<T>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Resource, E>> + Send + 'static,
    T: DeserializeOwned + Send + 'static,
    E: Into<BoxError> + 'static,
{
    type Response = ();
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<(), BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, event: LambdaEvent<Event>) -> Self::Future {
        let (provision, callback) = (self.provision.clone(), self.callback.clone());
        Box::pin(respond(provision, callback, event.payload))
    }
}

/// Handles a change and sends the response. Then the failure is that of the invocation, too.
async fn respond<F, Fut, T, E>(
    provision: F,
    callback: Arc<Callback>,
    event: Event,
) -> Result<(), BoxError>
where
    F: Fn(Request<T>) -> Fut,
    Fut: Future<Output = Result<Resource, E>>,
    T: DeserializeOwned,
    E: Into<BoxError>,
{
    // The guards around the function wait for the response until shortly before the deadline.
    let mut guard = Invocation::current().map(|invocation| invocation.cleanup_guard());
    let (to, announced) = (Addressee::of(&event), Announced::default());
    let response_url = event.response_url.clone();
    let ended = match to.is_of_nothing() {
        true => Ended::Done(Resource::new()),
        false => handle(provision, event, &announced).await,
    };
    let (response, ended) = answer(ended, &to, &announced);
    if let Some(guard) = &mut guard {
        guard.save();
    }
    callback.send(&response_url, response).await?;
    if let Some(invocation) = Invocation::current() {
        invocation.local::<Sent>().0.store(true, Ordering::Relaxed);
    }
    match ended {
        Ended::Done(_) => Ok(()),
        Ended::Failed(error) => Err(error),
        Ended::Panicked(panic) => resume_unwind(panic),
    }
}

/// Runs the handler within its time.
async fn handle<F, Fut, T, E>(provision: F, event: Event, announced: &Announced) -> Ended
where
    F: Fn(Request<T>) -> Fut,
    Fut: Future<Output = Result<Resource, E>>,
    T: DeserializeOwned,
    E: Into<BoxError>,
{
    let service_timeout = event.service_timeout().unwrap_or(SERVICE_TIMEOUT);
    let work = async {
        let request = event.request(announced)?;
        provision(request).await.map_err(Into::into)
    };
    let budget = Invocation::current().map(|current| {
        Budget::reserving(&current, RESERVE, "a custom resource")
            .within(service_timeout, &current, RESERVE)
            .with_something_after_it()
    });
    let work = ResponseFuture::new(Guarded::new(budget, work));
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Ok(resource)) => Ended::Done(resource),
        Ok(Err(error)) => Ended::Failed(error),
        Err(panic) => Ended::Panicked(panic),
    }
}

/// Returns the response, and how the invocation ends.
fn answer(ended: Ended, to: &Addressee, announced: &Announced) -> (Bytes, Ended) {
    match ended {
        Ended::Done(resource) => match to.success(&resource, announced) {
            Ok(response) => (response, Ended::Done(resource)),
            Err(error) => {
                let response = to.failure(&diagnose(&error), Some(&resource), announced);
                (response, Ended::Failed(error.into()))
            }
        },
        Ended::Failed(error) => {
            let response = to.failure(&diagnose(&*error), None, announced);
            (response, Ended::Failed(error))
        }
        Ended::Panicked(panic) => {
            let failure = diagnose_panic(message_of(&*panic));
            (to.failure(&failure, None, announced), Ended::Panicked(panic))
        }
    }
}

impl<F: Clone, T> Clone for CustomResource<F, T> {
    fn clone(&self) -> Self {
        let Self { provision, callback, properties } = self;
        Self { provision: provision.clone(), callback: callback.clone(), properties: *properties }
    }
}

impl<F, T> fmt::Debug for CustomResource<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomResource").finish_non_exhaustive()
    }
}
