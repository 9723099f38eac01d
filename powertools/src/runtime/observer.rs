//! Who sees what becomes of events.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use lambda_runtime::{Diagnostic, Error, LambdaInvocation};
use tower::{Layer, Service};

/// Sees the events of a function and what becomes of them, each inside of its invocation.
pub(super) trait Observer: fmt::Debug + Send + Sync {
    /// The function starts.
    fn start(&self) -> Result<(), Error>;

    /// An event has come, and is not parsed yet.
    fn event(&self, event: &[u8]);

    /// The handler begins with it.
    fn begin(&self) -> Box<dyn Outcome>;
}

/// Sees the end of a handler. A panic drops it, and so does whoever drops the handler.
pub(super) trait Outcome: Send {
    /// The handler has returned a response.
    fn succeeded(self: Box<Self>);

    /// The handler has returned an error, which Lambda is `told` of. Of an error that is known to
    /// be one `messages` has its own and those of its causes, from the outside in; of another one
    /// nothing. `stack_trace` is there if it was captured.
    fn failed(
        self: Box<Self>,
        told: &Diagnostic,
        messages: Vec<String>,
        stack_trace: Option<String>,
    );
}

/// Shows each event to an observer before it is parsed.
#[derive(Clone, Debug)]
pub(super) struct SeeEvents(pub(super) Option<Arc<dyn Observer>>);

#[derive(Clone, Debug)]
pub(super) struct EventsSeen<S> {
    inner: S,
    observer: Option<Arc<dyn Observer>>,
}

impl<S> Layer<S> for SeeEvents {
    type Service = EventsSeen<S>;

    fn layer(&self, inner: S) -> Self::Service {
        EventsSeen { inner, observer: self.0.clone() }
    }
}

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for EventsSeen<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, event: LambdaInvocation) -> Self::Future {
        if let Some(observer) = &self.observer {
            observer.event(&event.body);
        }
        self.inner.call(event)
    }
}
