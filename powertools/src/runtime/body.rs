//! The body of a streamed response, which goes on after its handler has returned.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{Stream, StreamExt};
use lambda_runtime::Error as BoxError;

use crate::deadline::Error;
use crate::invocation::budget::{Budget, Timer};

/// A body that ends with an error when its time is up.
pub(crate) struct Body<St> {
    /// Emptied when it ends or is stopped.
    stream: Option<St>,
    end: Option<End>,
}

struct End {
    budget: Budget,
    timer: Pin<Box<Timer>>,
}

impl<St> Body<St> {
    /// Without a budget the body is never stopped.
    pub(super) fn new(stream: St, budget: Option<Budget>) -> Self {
        let end = budget.map(|budget| End { budget, timer: Box::pin(Timer::default()) });
        Self { stream: Some(stream), end }
    }
}

impl<St, D, E> Stream for Body<St>
where
    St: Stream<Item = Result<D, E>> + Unpin,
    E: Into<BoxError>,
{
    type Item = Result<D, BodyError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Some(stream) = &mut this.stream else { return Poll::Ready(None) };
        // A body that always has something more is stopped, too.
        if let Some(End { budget, timer }) = &mut this.end
            && timer.as_mut().poll(budget, cx).is_ready()
            && let Some(invocation) = budget.scope()
        {
            this.stream = None;
            let error = Error::OutOfTime { remaining: invocation.remaining() };
            // Its handler went well: nobody else writes a line of this.
            tracing::warn!(
                request_id = invocation.request_id(),
                "the body of a streamed response is cut short: {error}"
            );
            return Poll::Ready(Some(Err(BodyError(error.into()))));
        }
        let item = ready!(stream.poll_next_unpin(cx));
        if item.is_none() {
            this.stream = None;
        }
        Poll::Ready(item.map(|item| item.map_err(|error| BodyError(error.into()))))
    }
}

/// Why a body ended early. It has a type of its own since a handler that is a closure cannot be sent
/// to other threads next to a boxed error: the compiler loses sight of the lifetime in the box.
#[derive(Debug)]
pub(crate) struct BodyError(BoxError);

impl From<BodyError> for BoxError {
    fn from(BodyError(error): BodyError) -> Self {
        error
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
    use crate::{Clock, Invocation};

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_body_that_ended_is_not_polled_again_and_no_error_follows() {
        let invocation = Invocation::new(&LambdaContext::default());
        let budget =
            Budget::until(Clock::system().now() + SECOND, Clock::system(), Some(invocation));
        let mut polls = 0;
        let stream = poll_fn(|_| {
            polls += 1;
            assert_eq!(polls, 1, "it has ended");
            Poll::Ready(None::<Result<&str, BoxError>>)
        });
        let mut body = Body::new(stream, Some(budget));
        assert!(body.next().await.is_none());
        assert!(body.next().await.is_none());
        tokio::time::sleep(2 * SECOND).await;
        assert!(body.next().await.is_none());
    }
}
