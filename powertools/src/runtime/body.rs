//! The body of a streamed response, which continues after its handler has returned.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{Stream, StreamExt};
use lambda_runtime::{Diagnostic, Error as BoxError};

use super::lifecycle::{Ending, Failure, FlushTime, Kind, List, Outcome};
use crate::deadline::Error;
use crate::error::diagnose::{diagnose, diagnose_panic};
use crate::error::panic::catch;
use crate::invocation::budget::{Budget, OUT_OF_TIME, Timer};
use crate::invocation::{Invocation, stopping};

/// A body that runs inside its invocation, and ends with an error at its limit.
///
/// The client's connection polls it, in a task that has no invocation.
pub(crate) struct Body<St> {
    /// `None` once it has ended or was stopped.
    stream: Option<St>,
    invocation: Option<Invocation>,
    limit: Option<Limit>,
    ending: Option<Ending>,
    list: List,
    /// The flush that runs before the client receives the end of the body.
    flush: Option<BoxFuture<'static, ()>>,
    /// The error with which the body ends, for the client.
    error: Option<BodyError>,
    /// The whole body of an answer to a failure.
    answer: Option<Bytes>,
}

struct Limit {
    budget: Budget,
    timer: Pin<Box<Timer>>,
}

/// How a body failed.
enum Broken {
    Failed(BoxError),
    Panicked(String),
    Stopped(Error),
}

impl<St> Body<St> {
    /// Without a budget the body is never stopped.
    pub(super) fn new(stream: St, budget: Option<Budget>, ending: Ending, list: List) -> Self {
        let invocation = Invocation::current();
        // The claim of the handler's work can end with the body.
        let budget = budget.map(|budget| budget.around(invocation.clone()));
        let limit = budget.map(|budget| Limit { budget, timer: Box::pin(Timer::default()) });
        Self {
            stream: Some(stream),
            invocation,
            limit,
            ending: Some(ending),
            list,
            flush: None,
            error: None,
            answer: None,
        }
    }

    /// Creates the body of an answer to a failure, after the end of the handler.
    pub(super) fn answer(answer: Bytes, list: List) -> Self {
        let mut body = Self {
            stream: None,
            invocation: Invocation::current(),
            limit: None,
            ending: None,
            list,
            flush: None,
            error: None,
            answer: Some(answer),
        };
        body.start_flush();
        body
    }

    fn inside<T>(invocation: Option<&Invocation>, f: impl FnOnce() -> T) -> T {
        match invocation {
            Some(invocation) => invocation.clone().sync_scope(f),
            None => f(),
        }
    }

    /// Ends the body, and starts the flush of its event. Runs inside the invocation.
    fn end(&mut self, broken: Option<Broken>) {
        // The stream is dropped first: what its destructor does is still part of the work.
        let stream = self.stream.take();
        let _ = catch(|| match broken {
            Some(Broken::Stopped(_)) => stopping(OUT_OF_TIME, || drop(stream)),
            _ => drop(stream),
        });
        if let Some(ending) = self.ending.take() {
            match broken {
                None => {
                    ending.end(Outcome::Success);
                }
                Some(broken) => self.error = Some(broken.end(ending)),
            }
        }
        self.start_flush();
    }

    fn start_flush(&mut self) {
        if self.list.flushes(FlushTime::BeforeReply)
            && let Some(invocation) = self.invocation.clone()
        {
            let flush = self.list.clone().flush(FlushTime::BeforeReply, invocation.clone());
            self.flush = Some(Box::pin(invocation.named_scope(flush)));
        }
    }
}

impl<St, D, E> Body<St>
where
    St: Stream<Item = Result<D, E>> + Unpin,
    D: Into<Bytes>,
    E: Into<BoxError>,
{
    /// Returns the next piece, or how the body ended.
    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, Option<Broken>>> {
        // First, so that a body that is always ready is stopped, too.
        if let Some(Limit { budget, timer }) = &mut self.limit
            && timer.as_mut().poll(budget, cx).is_ready()
            && let Some(invocation) = budget.scope()
        {
            let error = Error::OutOfTime { remaining: invocation.remaining() };
            return Poll::Ready(Err(Some(Broken::Stopped(error))));
        }
        let Some(stream) = &mut self.stream else { return Poll::Ready(Err(None)) };
        Poll::Ready(match catch(|| stream.poll_next_unpin(cx)) {
            Ok(item) => match ready!(item) {
                Some(Ok(data)) => Ok(data.into()),
                Some(Err(error)) => Err(Some(Broken::Failed(error.into()))),
                None => Err(None),
            },
            Err(panic) => Err(Some(Broken::Panicked(panic))),
        })
    }
}

impl<St, D, E> Stream for Body<St>
where
    St: Stream<Item = Result<D, E>> + Unpin,
    D: Into<Bytes>,
    E: Into<BoxError>,
{
    type Item = Result<Bytes, BodyError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(answer) = this.answer.take() {
            return Poll::Ready(Some(Ok(answer)));
        }
        if this.stream.is_some() {
            let invocation = this.invocation.clone();
            let piece = Self::inside(invocation.as_ref(), || {
                let piece = ready!(this.poll_stream(cx));
                Poll::Ready(piece.map_err(|broken| this.end(broken)))
            });
            if let Ok(data) = ready!(piece) {
                return Poll::Ready(Some(Ok(data)));
            }
        }
        if let Some(flush) = &mut this.flush {
            ready!(flush.as_mut().poll(cx));
            this.flush = None;
        }
        Poll::Ready(this.error.take().map(Err))
    }
}

/// A body that is dropped early, for example when the client disconnects, ends inside its
/// invocation.
impl<St> Drop for Body<St> {
    fn drop(&mut self) {
        if self.stream.is_some() {
            let invocation = self.invocation.clone();
            Self::inside(invocation.as_ref(), || {
                let stream = self.stream.take();
                let _ = catch(|| drop(stream));
                drop(self.ending.take());
            });
        }
    }
}

impl Broken {
    /// Notifies the values of the lifecycle, and writes the log line if none of them did: the
    /// handler succeeded, so nothing else writes one.
    fn end(self, ending: Ending) -> BodyError {
        let (kind, diagnostic, error): (_, _, BoxError) = match self {
            Self::Failed(error) => {
                // The error's own code can panic.
                let diagnostic = catch(|| diagnose(&*error));
                (Kind::Error, diagnostic.unwrap_or_else(|panic| diagnose_panic(&panic)), error)
            }
            Self::Panicked(message) => {
                let error = format!("the body of a streamed response panicked: {message}").into();
                (Kind::Panicked, diagnose_panic(&message), error)
            }
            Self::Stopped(error) => (Kind::Stopped, diagnose(&error), error.into()),
        };
        let failure = Failure { diagnostic: &diagnostic, error: Some(&*error), backtrace: None };
        if !ending.fail(kind, failure) {
            warn(&diagnostic);
        }
        BodyError { request_id: request_id() }
    }
}

fn warn(diagnostic: &Diagnostic) {
    tracing::warn!(
        request_id = request_id(),
        error_type = diagnostic.error_type,
        "the body of a streamed response was truncated: {}",
        diagnostic.error_message
    );
}

fn request_id() -> Option<String> {
    Invocation::current().map(|invocation| invocation.request_id().to_owned())
}

/// The end of a body that broke off. The runtime writes its message into the body, where the client reads
/// it: why the body broke off is for the logs alone.
#[derive(Debug)]
pub(crate) struct BodyError {
    request_id: Option<String>,
}

impl From<BodyError> for BoxError {
    fn from(BodyError { request_id }: BodyError) -> Self {
        let request_id = request_id.unwrap_or_default();
        format!("the response was truncated: the log lines of request {request_id} say why").into()
    }
}

impl<St> fmt::Debug for Body<St> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("ended", &self.stream.is_none()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::stream::poll_fn;
    use lambda_runtime::Context as LambdaContext;

    use super::*;
    use crate::clock::Clock;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_finished_body_is_not_polled_again_and_returns_no_error() {
        let invocation = Invocation::new(&LambdaContext::default());
        let budget =
            Budget::until(Clock::system().now() + SECOND, Clock::system(), Some(invocation));
        let mut polls = 0;
        let stream = poll_fn(|_| {
            polls += 1;
            assert_eq!(polls, 1, "it has ended");
            Poll::Ready(None::<Result<&str, BoxError>>)
        });
        let list = List::default();
        let mut body = Body::new(stream, Some(budget), Ending::begin(&list), list);
        assert!(body.next().await.is_none());
        assert!(body.next().await.is_none());
        tokio::time::sleep(2 * SECOND).await;
        assert!(body.next().await.is_none());
    }
}
