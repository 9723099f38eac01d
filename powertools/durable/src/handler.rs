//! The user's handler, as the SDK calls it.

use std::future::pending;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use aws_durable_execution_sdk::{DurableContext, OperationError};
use lambda_runtime::Error as BoxError;
use powertools::{DurableExecution, Invocation};

/// How the handler of an event has failed.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The execution ends with this error.
    Execution(BoxError),
    /// The execution ends with the error of an operation, of which this is the name.
    Operation(Option<&'static str>),
    /// The invocation ends with this error, and is repeated.
    Invocation(BoxError),
}

/// What is kept of the error of a handler, which the SDK turns into text.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Option<Failed>>);

impl Kept {
    fn set(&self, failed: Failed) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(failed);
    }

    pub(crate) fn take(&self) -> Option<Failed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Takes the error that ends the invocation, if there is one.
    pub(crate) fn take_of_invocation(&self) -> Option<BoxError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.take() {
            Some(Failed::Invocation(error)) => Some(error),
            other => {
                *kept = other;
                None
            }
        }
    }
}

/// Runs the handler within its execution.
pub(crate) async fn run<E, Fut, O>(
    handler: Arc<impl Fn(E, DurableContext) -> Fut>,
    event: E,
    context: DurableContext,
) -> Result<O, BoxError>
where
    Fut: Future<Output = Result<O, BoxError>> + Send,
{
    let invocation = Invocation::current();
    let context = Arc::new(context);
    // The context has a span, whose part of the logs has the invocation: without `Weak` none of them would
    // ever be dropped.
    let of_replay = Arc::downgrade(&context);
    let execution = DurableExecution::replaying(context.execution_arn(), move || {
        of_replay.upgrade().is_some_and(|context| context.is_replaying())
    });
    if let Some(invocation) = &invocation {
        invocation.enter_execution(execution.clone());
    }
    let work = Some(Box::pin(handler(event, (*context).clone())));
    let error = match (Suspending { execution, work }).await {
        Ok(result) => return Ok(result),
        Err(error) => error,
    };
    let Some(invocation) = invocation else { return Err(error) };
    let kept = invocation.local::<Kept>();
    // The store of the idempotency failed, or the invocation was too short.
    if invocation.is_interrupted() {
        kept.set(Failed::Invocation(error));
        // The service returns the error, and drops this.
        return pending().await;
    }
    match error.downcast::<OperationError>() {
        Ok(of_sdk) => {
            let found = powertools::error::find(&*of_sdk);
            kept.set(Failed::Operation(found.map(|found| found.error_type)));
            Err(of_sdk)
        }
        Err(error) => {
            kept.set(Failed::Execution(error));
            Err("the error of the handler is kept".into())
        }
    }
}

/// The work of a handler, which the SDK drops when the execution suspends.
struct Suspending<F> {
    execution: DurableExecution,
    work: Option<Pin<Box<F>>>,
}

impl<F: Future> Future for Suspending<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let work = self.work.as_mut().expect("it is polled until it is ready");
        let result = work.as_mut().poll(cx);
        if result.is_ready() {
            self.work = None;
        }
        result
    }
}

impl<F> Drop for Suspending<F> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            self.execution.suspend(|| drop(work));
        }
    }
}
