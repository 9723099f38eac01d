//! The service around each event, from its arrival to the reply.

use std::cell::Cell;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use lambda_runtime::LambdaInvocation;
use pin_project_lite::pin_project;
use tokio::sync::watch;
use tokio::task::futures::TaskLocalFuture;
use tower::{Layer, Service};

use super::handler::{EVENT, NO_EVENT};
use super::lifecycle::{FlushTime, List};
use super::running::Running;
use crate::invocation::Invocation;

/// Creates the invocation of each event, and passes the event around the runtime's own parser,
/// which answers a failure itself before any of this code runs.
#[derive(Clone, Debug)]
pub(crate) struct AroundEvents {
    pub(super) list: List,
    /// Counts the running events, if shutdown waits for them.
    pub(super) running: Option<Running>,
}

#[derive(Clone, Debug)]
pub(crate) struct Events<S> {
    inner: S,
    around: AroundEvents,
}

impl<S> Layer<S> for AroundEvents {
    type Service = Events<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Events { inner, around: self.clone() }
    }
}

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for Events<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = EventFuture<S::Future, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut event: LambdaInvocation) -> Self::Future {
        let AroundEvents { list, running } = &self.around;
        let running = running.as_ref().map(Running::begin);
        let invocation = Invocation::new(&event.context);
        let future = invocation.clone().sync_scope(|| {
            list.event(&invocation, &event.body);
            let body = mem::replace(&mut event.body, Bytes::from_static(NO_EVENT));
            EVENT.sync_scope(Cell::new(Some(body)), || self.inner.call(event))
        });
        let after = list.flushes(FlushTime::AfterReply).then(|| (list.clone(), invocation.clone()));
        EventFuture { future: invocation.named_scope(future), after, flush: None, running }
    }
}

pin_project! {
    /// An event that is being handled, and the flush after its reply.
    pub(crate) struct EventFuture<F, R> {
        #[pin]
        future: TaskLocalFuture<Invocation, F>,
        after: Option<(List, Invocation)>,
        flush: Option<(BoxFuture<'static, ()>, R)>,
        // Held while the event is handled.
        running: Option<watch::Receiver<()>>,
    }
}

impl<F: Future> Future for EventFuture<F, F::Output> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if this.flush.is_none() {
            let result = ready!(this.future.poll(cx));
            let Some((list, invocation)) = this.after.take() else { return Poll::Ready(result) };
            let flush = list.flush(FlushTime::AfterReply, invocation.clone());
            *this.flush = Some((Box::pin(invocation.named_scope(flush)), result));
        }
        if let Some((flush, _)) = this.flush {
            ready!(flush.as_mut().poll(cx));
        }
        let (_, result) = this.flush.take().expect("it is polled until it is ready");
        Poll::Ready(result)
    }
}

#[cfg(test)]
mod tests {
    use allocation_counter::measure;
    use futures_util::FutureExt;
    use lambda_runtime::{Context, Error, LambdaEvent};
    use serde_json::value::to_raw_value;
    use tower::service_fn;

    use super::super::failure::Failure;
    use super::super::handler::Handler;
    use super::super::stack_deadline::StackDeadline;
    use super::*;

    const BODY: &[u8] = br#""order-1""#;

    #[test]
    fn without_values_a_whole_event_allocates_no_more_than_by_hand() {
        let handler = service_fn(|event: LambdaEvent<String>| async move {
            Ok::<_, Failure<Error>>(event.payload)
        });
        let handler = Handler::new(handler, StackDeadline(None), List::default());
        let inner = service_fn(move |event: LambdaInvocation| {
            handler.clone().call(LambdaEvent::new((), event.context))
        });
        let mut events = AroundEvents { list: List::default(), running: None }.layer(inner);
        let (parts, ()) = http::Response::new(()).into_parts();
        let event =
            LambdaInvocation { parts, body: Bytes::from_static(BODY), context: Context::default() };
        let ours = measure(|| drop(events.call(event).now_or_never().unwrap()));

        let context = Context::default();
        let by_hand = measure(|| {
            let future: BoxFuture<'static, _> = Box::pin(async {
                let payload: String = serde_json::from_slice(BODY).unwrap();
                to_raw_value(&payload).unwrap()
            });
            let invocation = Invocation::new(&context);
            drop(invocation.clone().named_scope(future).now_or_never().unwrap());
            drop(context);
        });
        assert_eq!(ours.count_total, by_hand.count_total);
    }
}
