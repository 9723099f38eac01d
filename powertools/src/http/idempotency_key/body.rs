use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use lambda_runtime::Error as BoxError;
use pin_project_lite::pin_project;

use crate::idempotency::Error;
use crate::invocation::{Invocation, Mark, stopping};

pin_project! {
    /// The body of a response of [`IdempotencyKeyService`](super::IdempotencyKeyService): that of the
    /// handler, or a stored one.
    pub struct ReplyBody<B> {
        // What was read ahead, and the whole of a stored body.
        first: Option<Bytes>,
        #[pin]
        rest: Option<B>,
        claim: Option<OpenClaim>,
        // The end of the claim, which precedes the end of the body.
        ending: Option<(BoxFuture<'static, ()>, End)>,
    }
}

/// The claim of a request whose response is still being sent. Dropped, it is released or held as after an
/// interruption.
pub(super) struct OpenClaim {
    /// That of the work, whose rest the body is.
    pub(super) scope: Option<Invocation>,
    /// Is ready when its time is over.
    pub(super) expiry: BoxFuture<'static, Error>,
    pub(super) end: EndClaim,
}

pub(super) type EndClaim = Box<dyn FnOnce(Ended) -> BoxFuture<'static, ()> + Send>;

/// How a body ended, for its claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Whole,
    Failed,
    Stopped,
}

impl OpenClaim {
    /// Runs a part of the work in its scope.
    fn inside<T>(&self, f: impl FnOnce() -> T) -> T {
        match &self.scope {
            Some(scope) => scope.clone().sync_scope(f),
            None => f(),
        }
    }

    /// Judges an end by what the time guards inside the body did: the outcome of what they stopped is unknown,
    /// and a fallback is not the result of the work.
    fn judge(&self, ended: Ended) -> Ended {
        let has = |mark| self.scope.as_ref().is_some_and(|scope| scope.has(mark));
        match ended {
            Ended::Whole if has(Mark::FELL_BACK) => Ended::Stopped,
            Ended::Failed if has(Mark::STOPPED) => Ended::Stopped,
            ended => ended,
        }
    }
}

/// How a body ended, for who reads it.
enum End {
    Whole,
    Failed(BoxError),
    Stopped(Error),
    Panicked(Box<dyn Any + Send>),
}

type Piece = Option<Result<Frame<Bytes>, BoxError>>;

impl End {
    fn tell(self) -> Piece {
        match self {
            Self::Whole => None,
            Self::Failed(error) => Some(Err(error)),
            Self::Stopped(error) => Some(Err(error.into())),
            Self::Panicked(panic) => resume_unwind(panic),
        }
    }
}

impl<B> ReplyBody<B> {
    fn new(first: Option<Bytes>, rest: Option<B>) -> Self {
        Self { first, rest, claim: None, ending: None }
    }

    /// Passes on a body that was not read.
    pub(super) fn of_handler(body: B) -> Self {
        Self::new(None, Some(body))
    }

    /// A body that is complete.
    pub(super) fn whole(body: Bytes) -> Self {
        Self::new(Some(body).filter(|body| !body.is_empty()), None)
    }

    /// Ends the claim of the request at the end of the body.
    pub(super) fn with_claim(self, claim: OpenClaim) -> Self {
        Self { claim: Some(claim), ..self }
    }

    /// Returns the body if it was read to its end.
    pub(super) fn as_whole(&self) -> Option<Bytes> {
        self.rest.is_none().then(|| self.first.clone().unwrap_or_default())
    }
}

impl<B: Body<Error: Into<BoxError>>> ReplyBody<Pin<Box<B>>> {
    /// Reads a body up to `limit`. The rest of a longer one is not read.
    pub(super) async fn read(body: B, limit: usize) -> Result<Self, BoxError> {
        let mut body = Box::pin(body);
        let mut first = BytesMut::new();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame.map_err(Into::into)?.into_data() {
                let mut data = data;
                while data.has_remaining() {
                    let chunk = data.chunk();
                    let length = chunk.len();
                    first.extend_from_slice(chunk);
                    data.advance(length);
                }
            }
            if first.len() > limit {
                return Ok(Self::new(Some(first.freeze()), Some(body)));
            }
        }
        Ok(Self::whole(first.freeze()))
    }
}

/// Is empty.
impl<B> Default for ReplyBody<B> {
    fn default() -> Self {
        Self::whole(Bytes::new())
    }
}

impl<B> From<Full<Bytes>> for ReplyBody<B> {
    fn from(body: Full<Bytes>) -> Self {
        use futures_util::FutureExt;

        // A `Full` is always there.
        let bytes = body.collect().now_or_never().and_then(Result::ok);
        Self::whole(bytes.map(|bytes| bytes.to_bytes()).unwrap_or_default())
    }
}

impl<B: Body<Error: Into<BoxError>>> Body for ReplyBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        if let Some(first) = this.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if this.ending.is_none() {
            let (ended, end) = match poll_rest(this.rest.as_mut(), this.claim.as_mut(), cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(frame)) => return Poll::Ready(Some(Ok(frame))),
                Poll::Ready(Err(end)) => end,
            };
            let Some(claim) = this.claim.take() else { return Poll::Ready(end.tell()) };
            // It is dropped first: the next run may start when the claim ends. A panic of its destructor
            // changes nothing about the work.
            let mut drop_rest = || claim.inside(|| this.rest.set(None));
            let dropped = catch_unwind(AssertUnwindSafe(|| match &end {
                End::Stopped(error) => stopping(error.error_type(), drop_rest),
                _ => drop_rest(),
            }));
            let end = match (end, dropped) {
                (End::Whole, Err(panic)) => End::Panicked(panic),
                (end, _) => end,
            };
            let ended = claim.judge(ended);
            *this.ending = Some(((claim.end)(ended), end));
        }
        if let Some((ending, _)) = this.ending {
            ready!(ending.as_mut().poll(cx));
        }
        Poll::Ready(this.ending.take().and_then(|(_, end)| end.tell()))
    }

    fn is_end_stream(&self) -> bool {
        // Who is told so would not poll it to its end.
        let is_settled = self.claim.is_none() && self.ending.is_none();
        is_settled && self.first.is_none() && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let first = self.first.as_ref().map_or(0, |first| first.len() as u64);
        match &self.rest {
            None => SizeHint::with_exact(first),
            Some(_) => {
                let mut hint = SizeHint::new();
                hint.set_lower(first);
                hint
            }
        }
    }
}

/// Polls the body of the handler, and returns a frame or how it ended.
fn poll_rest<B: Body<Error: Into<BoxError>>>(
    rest: Pin<&mut Option<B>>,
    claim: Option<&mut OpenClaim>,
    cx: &mut Context<'_>,
) -> Poll<Result<Frame<Bytes>, (Ended, End)>> {
    let mut claim = claim;
    if let Some(claim) = &mut claim
        && let Poll::Ready(error) = claim.expiry.as_mut().poll(cx)
    {
        return Poll::Ready(Err((Ended::Stopped, End::Stopped(error))));
    }
    let Some(rest) = rest.as_pin_mut() else { return Poll::Ready(Err((Ended::Whole, End::Whole))) };
    let poll = || match claim {
        Some(claim) => claim.inside(|| rest.poll_frame(cx)),
        None => rest.poll_frame(cx),
    };
    Poll::Ready(match catch_unwind(AssertUnwindSafe(poll)) {
        Ok(Poll::Pending) => return Poll::Pending,
        Ok(Poll::Ready(Some(Ok(frame)))) => {
            Ok(frame.map_data(|mut data| data.copy_to_bytes(data.remaining())))
        }
        Ok(Poll::Ready(Some(Err(error)))) => Err((Ended::Failed, End::Failed(error.into()))),
        Ok(Poll::Ready(None)) => Err((Ended::Whole, End::Whole)),
        Err(panic) => Err((Ended::Failed, End::Panicked(panic))),
    })
}

impl<B> fmt::Debug for ReplyBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyBody").field("is_whole", &self.rest.is_none()).finish_non_exhaustive()
    }
}
