//! Calls the handler with its event, and turns its result into a reply.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::BoxFuture;
use lambda_runtime::{
    Diagnostic, Error as BoxError, FunctionResponse, IntoFunctionResponse, LambdaEvent,
    StreamResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use tower::Service;

use super::answer::Answer;
use super::body::Body;
use super::failure::{Failure, conclude};
use super::lifecycle::{Ending, FlushTime, List, Outcome};
use super::stack_deadline::StackDeadline;
use crate::error::diagnose::bounded;
use crate::error::panic::{catch, caught};
use crate::events::from_slice;
use crate::invocation::{Invocation, ReplyLimit};
use crate::json::without_values;

tokio::task_local! {
    /// The bytes of the event, which bypass the runtime's own parser.
    pub(super) static EVENT: Cell<Option<Bytes>>;
}

/// The document that the runtime parses in place of the event.
pub(super) const NO_EVENT: &[u8] = b"null";

/// The handler as the runtime calls it: without its event, which is in [`EVENT`].
pub(super) struct Handler<S, T, B, St> {
    inner: S,
    deadline: StackDeadline,
    list: List,
    answer: Option<Answer>,
    types: PhantomData<fn(T) -> (B, St)>,
}

impl<S, T, B, St> Handler<S, T, B, St> {
    pub(super) fn new(inner: S, deadline: StackDeadline, list: List) -> Self {
        Self { inner, deadline, list, answer: None, types: PhantomData }
    }

    /// Sets how failures are answered, instead of being reported to Lambda.
    pub(super) fn answering(mut self, answer: Option<Answer>) -> Self {
        self.answer = answer;
        self
    }
}

impl<S: Clone, T, B, St> Clone for Handler<S, T, B, St> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.deadline.clone(), self.list.clone())
            .answering(self.answer)
    }
}

impl<S, T, R, B, St, D, DE, E> Service<LambdaEvent<()>> for Handler<S, T, B, St>
where
    S: Service<LambdaEvent<T>, Response = R, Error = Failure<E>>,
    S::Future: Send + 'static,
    E: Into<Diagnostic> + fmt::Debug + 'static,
    T: for<'de> Deserialize<'de> + 'static,
    R: IntoFunctionResponse<B, St>,
    B: Serialize,
    St: Stream<Item = Result<D, DE>> + Unpin + Send + 'static,
    D: Into<Bytes>,
    DE: Into<BoxError>,
{
    type Response = FunctionResponse<Box<RawValue>, Body<St>>;
    type Error = Diagnostic;
    type Future = Running<S::Future, B, St>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(|failure| conclude(failure, None, None).0)
    }

    fn call(&mut self, event: LambdaEvent<()>) -> Self::Future {
        let body = EVENT.try_with(Cell::take).ok().flatten();
        let body = body.unwrap_or_else(|| Bytes::from_static(NO_EVENT));
        let ending = Ending::begin(&self.list);
        // A handler can also panic before it returns its future.
        let called = catch(|| {
            let event = LambdaEvent::new(parse(&body)?, event.context);
            Ok(Box::pin(self.inner.call(event)))
        });
        drop(body);
        let settling = Settling {
            ending,
            deadline: self.deadline.clone(),
            list: self.list.clone(),
            answer: self.answer,
        };
        let state = match called {
            Ok(Ok(handler)) => State::Handling(handler, settling),
            Ok(Err(diagnostic)) => {
                State::settled(settling.settle::<St, E>(Err(Failure::Invalid(diagnostic))))
            }
            Err(panic) => State::settled(settling.settle::<St, E>(Err(Failure::Panicked(panic)))),
        };
        Running { state, list: self.list.clone(), body: PhantomData }
    }
}

type Reply<St> = Result<FunctionResponse<Box<RawValue>, Body<St>>, Diagnostic>;

/// A handler and what follows it until its reply is ready.
pub(super) struct Running<F, B, St> {
    state: State<F, St>,
    list: List,
    body: PhantomData<fn() -> B>,
}

/// Replies are in boxes, since a future that is small is moved cheaply.
enum State<F, St> {
    Handling(Pin<Box<F>>, Settling),
    Settled(Box<Reply<St>>),
    Flushing(BoxFuture<'static, ()>, Box<Reply<St>>),
    Ended,
}

impl<F, St> State<F, St> {
    fn settled(reply: Reply<St>) -> Self {
        Self::Settled(Box::new(reply))
    }
}

impl<F, R, B, St, E> Future for Running<F, B, St>
where
    F: Future<Output = Result<R, Failure<E>>>,
    E: Into<Diagnostic> + fmt::Debug + 'static,
    R: IntoFunctionResponse<B, St>,
    B: Serialize,
{
    type Output = Reply<St>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply<St>> {
        let Self { state, list, .. } = self.get_mut();
        if let State::Handling(handler, _) = state {
            let polled = catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(cx)));
            let ended = match polled {
                Ok(poll) => Ok(ready!(poll)),
                Err(panic) => Err(panic),
            };
            let State::Handling(handler, settling) = mem::replace(state, State::Ended) else {
                unreachable!("it was handling above");
            };
            drop(handler);
            let reply = settling.settle(match ended {
                Ok(result) => result.and_then(serialize),
                Err(panic) => Err(Failure::Panicked(caught(panic))),
            });
            if !list.flushes(FlushTime::BeforeReply) {
                return Poll::Ready(reply);
            }
            *state = State::settled(reply);
        }
        // A streamed body flushes when it ends.
        if list.flushes(FlushTime::BeforeReply)
            && let State::Settled(reply) = state
            && !matches!(**reply, Ok(FunctionResponse::StreamingResponse(_)))
            && let Some(invocation) = Invocation::current()
            && let State::Settled(reply) = mem::replace(state, State::Ended)
        {
            let flush = list.clone().flush(FlushTime::BeforeReply, invocation);
            *state = State::Flushing(Box::pin(flush), reply);
        }
        if let State::Flushing(flush, _) = state {
            ready!(flush.as_mut().poll(cx));
        }
        match mem::replace(state, State::Ended) {
            State::Settled(reply) | State::Flushing(_, reply) => Poll::Ready(*reply),
            State::Handling(..) | State::Ended => panic!("it is polled until it is ready"),
        }
    }
}

/// What a reply is built from. Dropping it ends the handler, too.
struct Settling {
    ending: Ending,
    deadline: StackDeadline,
    list: List,
    answer: Option<Answer>,
}

impl Settling {
    fn settle<St, E>(
        self,
        result: Result<FunctionResponse<Box<RawValue>, St>, Failure<E>>,
    ) -> Reply<St>
    where
        E: Into<Diagnostic> + fmt::Debug + 'static,
    {
        let Self { ending, deadline, list, answer } = self;
        match result {
            Ok(FunctionResponse::BufferedResponse(body)) => {
                ending.end(Outcome::Success);
                Ok(FunctionResponse::BufferedResponse(body))
            }
            Ok(FunctionResponse::StreamingResponse(response)) => {
                let StreamResponse { metadata_prelude, stream } = response;
                let stream = Body::new(stream, deadline.budget(), ending.streams(), list);
                Ok(FunctionResponse::StreamingResponse(StreamResponse { metadata_prelude, stream }))
            }
            Err(failure) => match conclude(failure, Some(ending), answer) {
                (diagnostic, None) => Err(diagnostic),
                (_, Some(FunctionResponse::BufferedResponse(reply))) => {
                    Ok(FunctionResponse::BufferedResponse(reply))
                }
                (_, Some(FunctionResponse::StreamingResponse(response))) => {
                    let StreamResponse { metadata_prelude, stream } = response;
                    let stream = Body::answer(stream, list);
                    let response = StreamResponse { metadata_prelude, stream };
                    Ok(FunctionResponse::StreamingResponse(response))
                }
            },
        }
    }
}

/// Parses the event. The error contains the path of the value.
fn parse<T: for<'de> Deserialize<'de> + 'static>(body: &[u8]) -> Result<T, Diagnostic> {
    from_slice(body).map_err(|error| {
        // Only after a failure, since tracking the path costs time for every member.
        let parser = &mut serde_json::Deserializer::from_slice(body);
        let path = match serde_path_to_error::deserialize::<_, T>(parser) {
            Err(error) if error.path().iter().next().is_some() => error.path().to_string(),
            _ => "its top level".to_owned(),
        };
        let error = without_values(error);
        bounded(Diagnostic {
            error_type: "Powertools.EventInvalid".to_owned(),
            error_message: format!(
                "the event does not have the type that the handler takes, at {path}: {error}"
            ),
        })
    })
}

/// Serializes the response, unless it is streamed.
fn serialize<R, B, St, E>(response: R) -> Result<FunctionResponse<Box<RawValue>, St>, Failure<E>>
where
    R: IntoFunctionResponse<B, St>,
    B: Serialize,
{
    let named = |name: &str, problem: String| {
        Failure::Invalid(bounded(Diagnostic {
            error_type: name.to_owned(),
            error_message: problem,
        }))
    };
    let invalid = |problem| named("Powertools.ResponseInvalid", problem);
    let serialized = catch(|| match response.into_response() {
        FunctionResponse::BufferedResponse(body) => {
            Ok(FunctionResponse::BufferedResponse(to_raw_value(&body)?))
        }
        FunctionResponse::StreamingResponse(response) => {
            Ok(FunctionResponse::StreamingResponse(response))
        }
    });
    let limit = Invocation::with_current(Invocation::reply_limit).unwrap_or(ReplyLimit::LAMBDA);
    match serialized {
        // It would be rejected, while the function's own logs and metrics would show a success.
        Ok(Ok(FunctionResponse::BufferedResponse(body))) if body.get().len() > limit.bytes => {
            let size = body.get().len();
            let ReplyLimit { bytes, of } = limit;
            Err(named(
                "Powertools.ResponseTooLarge",
                format!("the response has at least {size} bytes, and {of} takes {bytes}"),
            ))
        }
        Ok(Ok(response)) => Ok(response),
        Ok(Err::<_, serde_json::Error>(error)) => {
            Err(invalid(format!("the response cannot be serialized: {error}")))
        }
        Err(panic) => Err(invalid(format!("serializing the response panicked: {panic}"))),
    }
}
