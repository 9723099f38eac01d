use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_util::Stream;
use http_body::Body;
use http_body_util::BodyExt;
use lambda_runtime::Error as BoxError;

/// Reads a body to its end.
pub(in crate::http) async fn collect<B>(body: B) -> Result<Bytes, BoxError>
where
    B: Body<Error: Into<BoxError>>,
{
    Ok(body.collect().await.map_err(Into::into)?.to_bytes())
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
