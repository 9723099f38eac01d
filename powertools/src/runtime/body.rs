//! The body of a streamed response, which goes on after its handler has returned.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{Stream, StreamExt};
use lambda_runtime::Error as BoxError;
use tokio::task::coop::unconstrained;
use tokio::time::{Sleep, sleep};

use crate::Invocation;
use crate::deadline::Error;

/// A body that ends with an error when its time is up.
pub(crate) struct Body<St> {
    /// Emptied when it ends or is stopped.
    stream: Option<St>,
    end: Option<End>,
}

struct End {
    invocation: Invocation,
    sleep: Pin<Box<Sleep>>,
}

impl<St> Body<St> {
    /// The body may go on until the limit of `invocation`, and for ever without one.
    pub(super) fn new(stream: St, invocation: Option<Invocation>) -> Self {
        let end = invocation.map(|invocation| {
            let now = invocation.clock().now();
            let left = invocation.limit().duration_since(now).unwrap_or_default();
            End { invocation, sleep: Box::pin(sleep(left)) }
        });
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
        if let Some(End { invocation, sleep }) = &mut this.end
            && Pin::new(&mut unconstrained(sleep.as_mut())).poll(cx).is_ready()
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

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_body_that_ended_is_not_polled_again_and_no_error_follows() {
        let invocation = Invocation::new(&LambdaContext::default());
        let end = End { invocation, sleep: Box::pin(sleep(SECOND)) };
        let mut polls = 0;
        let stream = poll_fn(|_| {
            polls += 1;
            assert_eq!(polls, 1, "it has ended");
            Poll::Ready(None::<Result<&str, BoxError>>)
        });
        let mut body = Body { stream: Some(stream), end: Some(end) };
        assert!(body.next().await.is_none());
        assert!(body.next().await.is_none());
        tokio::time::sleep(2 * SECOND).await;
        assert!(body.next().await.is_none());
    }
}
