//! Calls the handler with its event, and turns its result into a reply.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::{BoxFuture, Either, ready};
use futures_util::{FutureExt, Stream};
use lambda_runtime::{
    Diagnostic, Error as BoxError, FunctionResponse, IntoFunctionResponse, LambdaEvent,
    StreamResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use tower::Service;

use super::answer::{Answer, Answered, Failed};
use super::body::Body;
use super::lifecycle::{self, Ending, FlushTime, Kind, List, Outcome};
use super::stack_deadline::StackDeadline;
use crate::deadline;
use crate::error::causes::{Copied, backtrace, unbox};
use crate::error::diagnose::{UNNAMED, bounded, diagnose, diagnose_panic, known_error};
use crate::error::panic::{catch, caught};
use crate::invocation::Invocation;

tokio::task_local! {
    /// The bytes of the event, which bypass the runtime's own parser.
    pub(super) static EVENT: Cell<Option<Bytes>>;
}

/// The most bytes that Lambda takes as a reply that is not streamed: 6 MB, as its own message of an
/// error counts them.
pub(crate) const LARGEST_REPLY: usize = 6 * 1024 * 1024 + 100;

/// The document that the runtime parses in place of the event.
pub(super) const NO_EVENT: &[u8] = b"null";

/// Why an event has no response.
#[derive(Debug)]
pub(super) enum Failure<E> {
    /// The handler's error.
    Handler(E),
    /// The time guard of the stack stopped the handler.
    Stopped(Diagnostic),
    /// The handler panicked.
    Panicked(String),
    /// The event or the response does not fit the handler's types.
    Invalid(Diagnostic),
}

impl<E> From<deadline::Error> for Failure<E> {
    fn from(error: deadline::Error) -> Self {
        Self::Stopped(error.into())
    }
}

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
    T: for<'de> Deserialize<'de>,
    R: IntoFunctionResponse<B, St>,
    B: Serialize,
    St: Stream<Item = Result<D, DE>> + Unpin + Send + 'static,
    D: Into<Bytes>,
    DE: Into<BoxError>,
{
    type Response = FunctionResponse<Box<RawValue>, Body<St>>;
    type Error = Diagnostic;
    type Future = BoxFuture<'static, Result<Self::Response, Diagnostic>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(|failure| tell(failure, None, None).0)
    }

    fn call(&mut self, event: LambdaEvent<()>) -> Self::Future {
        let body = EVENT.try_with(Cell::take).ok().flatten();
        let body = body.unwrap_or_else(|| Bytes::from_static(NO_EVENT));
        let ending = Ending::begin(&self.list);
        // A handler can also panic before it returns its future.
        let called = catch(|| {
            let event = LambdaEvent::new(parse(&body)?, event.context);
            Ok(self.inner.call(event))
        });
        drop(body);
        let settling = Settling {
            ending,
            deadline: self.deadline.clone(),
            list: self.list.clone(),
            answer: self.answer,
        };
        let list = self.list.clone();
        let settled = match called {
            Ok(Ok(future)) => {
                Either::Left(AssertUnwindSafe(future).catch_unwind().map(move |ended| {
                    settling.settle(match ended {
                        Ok(result) => result.and_then(serialize),
                        Err(panic) => Err(Failure::Panicked(caught(panic))),
                    })
                }))
            }
            Ok(Err(diagnostic)) => {
                Either::Right(ready(settling.settle::<St, E>(Err(Failure::Invalid(diagnostic)))))
            }
            Err(panic) => {
                Either::Right(ready(settling.settle::<St, E>(Err(Failure::Panicked(panic)))))
            }
        };
        Box::pin(async move {
            let reply = settled.await;
            // A streamed body flushes when it ends.
            if list.flushes(FlushTime::BeforeReply)
                && !matches!(reply, Ok(FunctionResponse::StreamingResponse(_)))
                && let Some(invocation) = Invocation::current()
            {
                list.flush(FlushTime::BeforeReply, invocation).await;
            }
            reply
        })
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
    ) -> Result<FunctionResponse<Box<RawValue>, Body<St>>, Diagnostic>
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
            Err(failure) => match tell(failure, Some(ending), answer) {
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
fn parse<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, Diagnostic> {
    serde_json::from_slice(body).map_err(|error| {
        // Only after a failure, since tracking the path costs time for every member.
        let parser = &mut serde_json::Deserializer::from_slice(body);
        let path = match serde_path_to_error::deserialize::<_, T>(parser) {
            Err(error) if error.path().iter().next().is_some() => error.path().to_string(),
            _ => "its top level".to_owned(),
        };
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
    match serialized {
        // Lambda would refuse it, and the function would count as a success to itself.
        Ok(Ok(FunctionResponse::BufferedResponse(body))) if body.get().len() > LARGEST_REPLY => {
            let size = body.get().len();
            Err(named(
                "Powertools.ResponseTooLarge",
                format!("the response has {size} bytes, and Lambda takes {LARGEST_REPLY}"),
            ))
        }
        Ok(Ok(response)) => Ok(response),
        Ok(Err::<_, serde_json::Error>(error)) => {
            Err(invalid(format!("the response cannot be serialized: {error}")))
        }
        Err(panic) => Err(invalid(format!("serializing the response panicked: {panic}"))),
    }
}

/// The reply in place of a report to Lambda.
type Reply = FunctionResponse<Box<RawValue>, Bytes>;

/// Returns the diagnostic of a failure, which Lambda and the values of the lifecycle receive, and the
/// reply in its place.
fn tell<E>(
    failure: Failure<E>,
    ending: Option<Ending>,
    answer: Option<Answer>,
) -> (Diagnostic, Option<Reply>)
where
    E: Into<Diagnostic> + fmt::Debug + 'static,
{
    let (diagnostic, kind) = match failure {
        Failure::Handler(error) => {
            // The code of the function's own error can panic.
            return catch(|| tell_error(error, ending, answer)).unwrap_or_else(|panic| {
                let answered = answered(answer, Kind::Panicked, None);
                (diagnose_panic(&panic), answered.map(|answered| answered.reply))
            });
        }
        Failure::Stopped(diagnostic) => (diagnostic, Kind::Stopped),
        Failure::Panicked(message) => (diagnose_panic(&message), Kind::Panicked),
        Failure::Invalid(diagnostic) => (diagnostic, Kind::Error),
    };
    let answered = answered(answer, kind, None);
    if let Some(ending) = ending.filter(Ending::is_awaited) {
        let failure = lifecycle::Failure { diagnostic: &diagnostic, error: None, backtrace: None };
        ending.fail(kind, failure);
    }
    (diagnostic, answered.map(|answered| answered.reply))
}

fn tell_error<E>(
    error: E,
    ending: Option<Ending>,
    answer: Option<Answer>,
) -> (Diagnostic, Option<Reply>)
where
    E: Into<Diagnostic> + fmt::Debug + 'static,
{
    let ending = ending.filter(Ending::is_awaited);
    let any: &dyn Any = &error;
    let known = known_error(any);
    let answered = answered(answer, Kind::Error, known);
    let is_failure = answered.as_ref().is_none_or(|answered| answered.is_failure);
    let reply = answered.map(|answered| answered.reply);
    if let Some(boxed) = unbox(&error) {
        let diagnostic = diagnose(boxed);
        if let Some(ending) = ending {
            let backtrace = backtrace(&error);
            end(ending, is_failure, &diagnostic, Some(boxed), backtrace);
        }
        return (diagnostic, reply);
    }
    let Some(ending) = ending else { return (into_diagnostic(error), reply) };
    let copy = known.and_then(Copied::of);
    let diagnostic = into_diagnostic(error);
    let error = copy.as_ref().map(|copy| copy as _);
    end(ending, is_failure, &diagnostic, error, None);
    (diagnostic, reply)
}

fn answered(
    answer: Option<Answer>,
    kind: Kind,
    error: Option<&(dyn StdError + 'static)>,
) -> Option<Answered> {
    catch(|| answer?(&Failed { kind, error })).ok().flatten()
}

/// Notifies the values of an error of the handler. One that only tells the client what it did wrong is
/// an answer like any other.
fn end(
    ending: Ending,
    is_failure: bool,
    diagnostic: &Diagnostic,
    error: Option<&(dyn StdError + 'static)>,
    backtrace: Option<&Backtrace>,
) {
    if is_failure {
        ending.end(Outcome::Error(lifecycle::Failure { diagnostic, error, backtrace }));
        return;
    }
    tracing::info!(
        error_type = diagnostic.error_type,
        "the request was rejected: {}",
        diagnostic.error_message
    );
    ending.end(Outcome::Success);
}

/// Returns the diagnostic of an unboxed error: its own conversion. A string has no name, and
/// receives the one that it would have in a box.
fn into_diagnostic<E: Into<Diagnostic> + 'static>(error: E) -> Diagnostic {
    let any: &dyn Any = &error;
    let is_string = any.is::<String>() || any.is::<&'static str>();
    let mut diagnostic = error.into();
    if is_string {
        diagnostic.error_type = UNNAMED.to_owned();
    }
    bounded(diagnostic)
}
