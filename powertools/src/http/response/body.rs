use std::fmt;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::Stream;
use http_body::Body;
use http_body_util::BodyExt;
use lambda_runtime::Error as BoxError;

/// Reads a body to its end, or until it has more than `limit` bytes.
pub(in crate::http) async fn collect<B>(body: B, limit: usize) -> Result<Bytes, BoxError>
where
    B: Body<Error: Into<BoxError>>,
{
    let mut body = pin!(body);
    // Most bodies have one piece, which is not copied.
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    while first.len().max(joined.len()) <= limit
        && let Some(frame) = body.frame().await
    {
        let Ok(mut data) = frame.map_err(Into::into)?.into_data() else { continue };
        if first.is_empty() {
            first = data.copy_to_bytes(data.remaining());
            continue;
        }
        if joined.is_empty() {
            joined.extend_from_slice(&first);
        }
        joined.put(data);
    }
    Ok(if joined.is_empty() { first } else { joined.freeze() })
}

/// The body of a response as the runtime streams it.
pub struct BodyStream<B>(Kind<B>);

enum Kind<B> {
    Body(Pin<Box<B>>),
    /// Of an answer of the toolkit.
    Bytes(Option<Bytes>),
}

impl<B> BodyStream<B> {
    pub(in crate::http) fn new(body: B) -> Self {
        Self(Kind::Body(Box::pin(body)))
    }

    pub(in crate::http) fn of_bytes(bytes: Bytes) -> Self {
        Self(Kind::Bytes(Some(bytes)))
    }
}

impl<B: Body<Error: Into<BoxError>>> Stream for BodyStream<B> {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let body = match &mut self.0 {
            Kind::Body(body) => body,
            Kind::Bytes(bytes) => return Poll::Ready(bytes.take().map(Ok)),
        };
        loop {
            let frame = match ready!(body.as_mut().poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                Some(Ok(frame)) => frame,
            };
            // Lambda has no trailers, and an empty piece is nothing.
            if let Ok(mut data) = frame.into_data()
                && data.has_remaining()
            {
                let length = data.remaining();
                return Poll::Ready(Some(Ok(data.copy_to_bytes(length))));
            }
        }
    }
}

impl<B> fmt::Debug for BodyStream<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyStream").finish_non_exhaustive()
    }
}
