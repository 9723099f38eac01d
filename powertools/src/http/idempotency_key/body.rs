use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use lambda_runtime::Error as BoxError;
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response of [`IdempotencyKeyService`](super::IdempotencyKeyService): that of the
    /// handler, or a stored one.
    pub struct ReplyBody<B> {
        // What was read ahead, and the whole of a stored body.
        first: Option<Bytes>,
        #[pin]
        rest: Option<B>,
    }
}

impl<B> ReplyBody<B> {
    /// Passes on a body that was not read.
    pub(super) fn of_handler(body: B) -> Self {
        Self { first: None, rest: Some(body) }
    }

    /// A body that is complete.
    pub(super) fn whole(body: Bytes) -> Self {
        Self { first: Some(body).filter(|body| !body.is_empty()), rest: None }
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
                return Ok(Self { first: Some(first.freeze()), rest: Some(body) });
            }
        }
        Ok(Self::whole(first.freeze()))
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
        let this = self.project();
        if let Some(first) = this.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let Some(rest) = this.rest.as_pin_mut() else { return Poll::Ready(None) };
        Poll::Ready(ready!(rest.poll_frame(cx)).map(|frame| {
            let frame = frame.map_err(Into::into)?;
            Ok(frame.map_data(|mut data| data.copy_to_bytes(data.remaining())))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.as_ref().is_none_or(Body::is_end_stream)
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

impl<B> fmt::Debug for ReplyBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyBody").field("is_whole", &self.rest.is_none()).finish_non_exhaustive()
    }
}
