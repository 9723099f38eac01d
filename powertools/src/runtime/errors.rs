use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lambda_runtime::{Diagnostic, LambdaEvent};
use tower::Service;

use super::observer::{Observer, Outcome};
use crate::error::causes::stack_trace;
use crate::error::diagnose::{diagnose, diagnose_panic, known_messages};

/// What becomes of an event that is not handled.
#[derive(Debug)]
pub(crate) enum Failure<E> {
    /// The handler's error.
    Handler(E),
    /// The error of something that stands around the handler.
    Stack(Diagnostic),
}

/// Turns a handler's errors and panics into what Lambda is told about them.
#[derive(Clone, Debug)]
pub(super) struct MapErrors<S> {
    inner: S,
    observer: Option<Arc<dyn Observer>>,
}

impl<S> MapErrors<S> {
    pub(super) fn new(inner: S, observer: Option<Arc<dyn Observer>>) -> Self {
        Self { inner, observer }
    }
}

impl<S, T, E> Service<LambdaEvent<T>> for MapErrors<S>
where
    S: Service<LambdaEvent<T>, Error = Failure<E>>,
    S::Response: Send + 'static,
    S::Future: Send + 'static,
    E: Into<Diagnostic> + fmt::Debug + 'static,
{
    type Response = S::Response;
    type Error = Diagnostic;
    type Future = BoxFuture<'static, Result<S::Response, Diagnostic>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(told_of)
    }

    fn call(&mut self, event: LambdaEvent<T>) -> Self::Future {
        let observer = self.observer.as_ref();
        // A handler can panic before it makes its future, too.
        let future = catch_unwind(AssertUnwindSafe(|| {
            let outcome = observer.map(|observer| observer.begin());
            (outcome, self.inner.call(event))
        }));
        match future {
            Ok((outcome, future)) => {
                let handled = async move {
                    // In here, so that a panic and a drop find it.
                    let outcome = outcome;
                    told(future.await, outcome)
                };
                AssertUnwindSafe(handled)
                    .catch_unwind()
                    .map(|result| result.unwrap_or_else(|panic| Err(diagnose_panic(&*panic))))
                    .boxed()
            }
            Err(panic) => {
                let error = Err(diagnose_panic(&*panic));
                std::future::ready(error).boxed()
            }
        }
    }
}

/// What Lambda is told of a handler's result, which its observer sees with it.
fn told<R, E: Into<Diagnostic> + fmt::Debug + 'static>(
    result: Result<R, Failure<E>>,
    outcome: Option<Box<dyn Outcome>>,
) -> Result<R, Diagnostic> {
    match (result, outcome) {
        (Ok(response), outcome) => {
            outcome.into_iter().for_each(|outcome| outcome.succeeded());
            Ok(response)
        }
        (Err(failure), outcome) => {
            let Some(outcome) = outcome else { return Err(told_of(failure)) };
            let (messages, stack_trace) = match &failure {
                Failure::Handler(error) => (known_messages(error), stack_trace(error)),
                Failure::Stack(_) => (Vec::new(), None),
            };
            let diagnostic = told_of(failure);
            outcome.failed(&diagnostic, messages, stack_trace);
            Err(diagnostic)
        }
    }
}

/// What Lambda is told of a failure.
fn told_of<E: Into<Diagnostic> + 'static>(failure: Failure<E>) -> Diagnostic {
    match failure {
        Failure::Handler(error) => diagnose(error),
        Failure::Stack(diagnostic) => diagnostic,
    }
}
