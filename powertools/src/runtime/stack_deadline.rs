//! The time guard that [`Powertools`](crate::Powertools) has built in.

use lambda_runtime::{FunctionResponse, StreamResponse};
use tower::layer::util::Identity;
use tower::util::{Either, option_layer};

use super::body::Body;
use super::errors::Failure;
use crate::Invocation;
use crate::deadline::{DeadlineLayer, Error};

impl<E> From<Error> for Failure<E> {
    fn from(error: Error) -> Self {
        Self::Stack(error.into())
    }
}

/// The guard of a stack, unless it was taken out.
#[derive(Clone, Debug)]
pub(super) struct StackDeadline(pub(super) Option<DeadlineLayer>);

impl Default for StackDeadline {
    fn default() -> Self {
        Self(Some(DeadlineLayer::new()))
    }
}

impl StackDeadline {
    /// Ends the body of a streamed response when its handler would have been stopped.
    pub(super) fn bound<B, St>(
        &self,
        response: FunctionResponse<B, St>,
    ) -> FunctionResponse<B, Body<St>> {
        match response {
            FunctionResponse::BufferedResponse(body) => FunctionResponse::BufferedResponse(body),
            FunctionResponse::StreamingResponse(StreamResponse { metadata_prelude, stream }) => {
                let limited = self.0.as_ref().and_then(|layer| {
                    Invocation::with_current(|invocation| layer.budget(invocation))
                });
                let stream = Body::new(stream, limited);
                FunctionResponse::StreamingResponse(StreamResponse { metadata_prelude, stream })
            }
        }
    }

    pub(super) fn into_layer(self) -> Either<DeadlineLayer, Identity> {
        option_layer(self.0)
    }
}
