use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lambda_runtime::{Diagnostic, LambdaEvent};
use tower::Service;

use super::diagnostic::{diagnose, diagnose_panic};

/// Turns a handler's errors and panics into what Lambda is told about them.
#[derive(Clone, Debug)]
pub(super) struct MapErrors<S> {
    inner: S,
}

impl<S> MapErrors<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S, T> Service<LambdaEvent<T>> for MapErrors<S>
where
    S: Service<LambdaEvent<T>>,
    S::Response: Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Diagnostic> + fmt::Debug + 'static,
{
    type Response = S::Response;
    type Error = Diagnostic;
    type Future = BoxFuture<'static, Result<S::Response, Diagnostic>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(diagnose)
    }

    fn call(&mut self, event: LambdaEvent<T>) -> Self::Future {
        // A handler can panic before it makes its future, too.
        let future = catch_unwind(AssertUnwindSafe(|| self.inner.call(event)));
        match future {
            Ok(future) => AssertUnwindSafe(future)
                .catch_unwind()
                .map(|outcome| match outcome {
                    Ok(result) => result.map_err(diagnose),
                    Err(panic) => Err(diagnose_panic(&*panic)),
                })
                .boxed(),
            Err(panic) => {
                let error = Err(diagnose_panic(&*panic));
                std::future::ready(error).boxed()
            }
        }
    }
}
