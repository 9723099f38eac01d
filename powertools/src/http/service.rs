//! The handler of HTTP requests as the handler of events.

use std::fmt;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header::HeaderValue;
use http::{HeaderMap, Response, StatusCode, response};
use lambda_http::{Request, RequestExt as _};
use lambda_runtime::{Error as BoxError, FunctionResponse, LambdaEvent, StreamResponse};
use tower::Service;

use super::request::Front;
use super::response::{BodyStream, Reply, collect, prelude};
use super::{Event, IntoResponse, Problem};
use crate::error::with_causes;
use crate::invocation::Invocation;
use crate::metrics::count_if_measured;

/// A handler of HTTP requests, as a handler of the events of front ends. Created by
/// [`Powertools::http`](crate::Powertools::http), or by [`new`](Self::new) for the plain runtime.
#[derive(Clone)]
pub struct HttpService<S> {
    inner: S,
    streams: bool,
    out_of_time: Option<Fallback>,
}

/// What replaces the answer of a request whose time ran out. It has at most so many bytes.
type Fallback = Arc<dyn Fn(usize) -> Response<Bytes> + Send + Sync>;

/// Counts a failure that is answered.
pub(crate) fn count_failure() {
    count_if_measured("RequestsFailed");
}

/// In the extensions of a response: it says that the work was stopped for lack of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutOfTime;

/// In the extensions of a response: it stands for a failure that was answered, not for what the handler returned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure;

/// In the extensions of a request: its response is sent when its body is complete, which can have at most so many
/// bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buffered(pub(crate) usize);

/// How the request of an invocation is answered. Empty until there is one.
#[derive(Default)]
pub(crate) struct Answers {
    answering: OnceLock<Answering>,
    /// The status of the last response; 0 if there is none.
    status: AtomicU16,
}

#[derive(Clone)]
pub(crate) struct Answering {
    front: Front,
    streams: bool,
    out_of_time: Option<Fallback>,
}

impl<S> HttpService<S> {
    /// Creates the handler of events from a service, such as a router.
    pub fn new(service: S) -> Self {
        Self { inner: service, streams: false, out_of_time: None }
    }

    pub(crate) fn set_streaming(&mut self) {
        self.streams = true;
    }

    pub(crate) fn set_out_of_time<R: IntoResponse>(
        &mut self,
        fallback: impl Fn() -> R + Send + Sync + 'static,
    ) {
        self.out_of_time = Some(Arc::new(move |limit| {
            let (parts, body) = fallback().into_response().into_parts();
            match collect(body, limit).now_or_never() {
                Some(Ok(body)) if body.len() <= limit => Response::from_parts(parts, body),
                // A body that is not there yet would need the time that has run out.
                _ => problem(out_of_time()),
            }
        }));
    }
}

impl Answers {
    pub(crate) fn get(&self) -> Option<&Answering> {
        self.answering.get()
    }

    /// Returns the status of the response, once there is one.
    #[cfg(feature = "__otel")]
    pub(crate) fn status(&self) -> Option<u16> {
        Some(self.status.load(Ordering::Relaxed)).filter(|status| *status > 0)
    }
}

/// Notes the status of the response of this invocation.
fn note_status(parts: &response::Parts) {
    Invocation::with_current(|invocation| {
        invocation.local::<Answers>().status.store(parts.status.as_u16(), Ordering::Relaxed);
    });
}

/// An answer in place of that of the handler.
pub(crate) type Answer = FunctionResponse<Reply, Bytes>;

impl Answering {
    /// Answers with a problem.
    pub(crate) fn problem(&self, told: Problem) -> Answer {
        self.answer(problem(told))
    }

    /// Answers a request whose time has run out.
    pub(crate) fn out_of_time(&self) -> Answer {
        self.answer(match &self.out_of_time {
            Some(fallback) => fallback(self.front.largest_body()),
            None => problem(out_of_time()),
        })
    }

    fn answer(&self, response: Response<Bytes>) -> Answer {
        let (parts, body) = response.into_parts();
        note_status(&parts);
        if self.streams {
            let metadata_prelude = prelude(parts);
            FunctionResponse::StreamingResponse(StreamResponse { metadata_prelude, stream: body })
        } else {
            FunctionResponse::BufferedResponse(self.reply(parts, body))
        }
    }

    /// Creates a reply, with its limit for what serializes it.
    fn reply(&self, parts: response::Parts, body: Bytes) -> Reply {
        let reply = Reply::new(self.front, parts, body);
        Invocation::with_current(|invocation| invocation.limit_reply(reply.limit()));
        reply
    }
}

fn out_of_time() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE)
        .detail("the request was not processed in time")
        .retry_after(Duration::from_secs(1))
}

fn problem(problem: Problem) -> Response<Bytes> {
    let body = problem.to_json().into();
    problem.into_response().map(|_| body)
}

impl<S, R> Service<LambdaEvent<Event>> for HttpService<S>
where
    S: Service<Request, Response = R>,
    S::Future: Send + 'static,
    R: IntoResponse + 'static,
{
    type Response = FunctionResponse<Reply, BodyStream<R::Body>>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, event: LambdaEvent<Event>) -> Self::Future {
        let LambdaEvent { payload: Event { front, request }, context } = event;
        let answering =
            Answering { front, streams: self.streams, out_of_time: self.out_of_time.clone() };
        if let Some(invocation) = Invocation::current() {
            let _ = invocation.local::<Answers>().answering.set(answering.clone());
        }
        let mut request = match request {
            Ok(request) => request,
            Err(invalid) => {
                tracing::warn!(error = with_causes(&invalid), "a request could not be read");
                let told = Problem::new(StatusCode::BAD_REQUEST).detail(invalid.to_string());
                return Box::pin(async move { Ok(own(answering.problem(told))) });
            }
        };
        if let Some(trace_id) = &context.xray_trace_id {
            trace(request.headers_mut(), trace_id);
        }
        if !self.streams {
            request.extensions_mut().insert(Buffered(front.largest_body()));
        }
        let handling = self.inner.call(request.with_lambda_context(context));
        Box::pin(async move {
            let (parts, body) = handling.await?.into_response().into_parts();
            Ok(answering.settle(parts, body).await)
        })
    }
}

impl Answering {
    /// Turns the handler's response into the reply.
    async fn settle<B>(
        &self,
        parts: response::Parts,
        body: B,
    ) -> FunctionResponse<Reply, BodyStream<B>>
    where
        B: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        if parts.extensions.get::<Failure>().is_some() {
            count_failure();
        }
        if self.out_of_time.is_some() && parts.extensions.get::<OutOfTime>().is_some() {
            return own(self.out_of_time());
        }
        note_status(&parts);
        if self.streams {
            let metadata_prelude = prelude(parts);
            let stream = BodyStream::new(body);
            return FunctionResponse::StreamingResponse(StreamResponse {
                metadata_prelude,
                stream,
            });
        }
        match collect(body, self.front.largest_body()).await {
            Ok(body) => FunctionResponse::BufferedResponse(self.reply(parts, body)),
            Err(error) => {
                let error = with_causes(&*error);
                tracing::error!(error, "the body of a response failed before it was sent");
                count_failure();
                own(self.problem(Problem::new(StatusCode::INTERNAL_SERVER_ERROR)))
            }
        }
    }
}

/// Returns an answer of the toolkit as the reply of a handler with other bodies.
fn own<B>(answer: Answer) -> FunctionResponse<Reply, BodyStream<B>> {
    match answer {
        FunctionResponse::BufferedResponse(reply) => FunctionResponse::BufferedResponse(reply),
        FunctionResponse::StreamingResponse(StreamResponse { metadata_prelude, stream }) => {
            let stream = BodyStream::of_bytes(stream);
            FunctionResponse::StreamingResponse(StreamResponse { metadata_prelude, stream })
        }
    }
}

/// Sets the header by which requests are traced: that of the event is the caller's.
fn trace(headers: &mut HeaderMap, trace_id: &str) {
    if let Ok(value) = HeaderValue::from_str(trace_id) {
        headers.insert("x-amzn-trace-id", value);
    }
}

impl<S: fmt::Debug> fmt::Debug for HttpService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpService")
            .field("inner", &self.inner)
            .field("streams", &self.streams)
            .field("out_of_time", &self.out_of_time.is_some())
            .finish()
    }
}
