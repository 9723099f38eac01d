//! The time guard that [`Powertools`] has built in.

use std::time::Duration;

use lambda_runtime::{FunctionResponse, StreamResponse};
use tower::layer::util::Identity;
use tower::util::{Either, option_layer};

use super::body::Body;
use super::guard::reserving;
use super::{DeadlineLayer, Error};
use crate::runtime::Failure;
use crate::{Invocation, Powertools};

impl<E> From<Error> for Failure<E> {
    fn from(error: Error) -> Self {
        Self::Stack(error.into())
    }
}

/// The guard of a stack, unless it was taken out.
#[derive(Clone, Debug)]
pub(crate) struct StackDeadline(Option<DeadlineLayer>);

impl Default for StackDeadline {
    fn default() -> Self {
        Self(Some(DeadlineLayer::new()))
    }
}

impl StackDeadline {
    /// Ends the body of a streamed response when its handler would have been stopped.
    pub(crate) fn bound<B, St>(
        &self,
        response: FunctionResponse<B, St>,
    ) -> FunctionResponse<B, Body<St>> {
        match response {
            FunctionResponse::BufferedResponse(body) => FunctionResponse::BufferedResponse(body),
            FunctionResponse::StreamingResponse(StreamResponse { metadata_prelude, stream }) => {
                let limited = self.0.as_ref().and_then(|layer| {
                    Invocation::with_current(|invocation| reserving(invocation, layer.reserve))
                });
                let stream = Body::new(stream, limited);
                FunctionResponse::StreamingResponse(StreamResponse { metadata_prelude, stream })
            }
        }
    }

    pub(crate) fn into_layer(self) -> Either<DeadlineLayer, Identity> {
        option_layer(self.0)
    }
}

impl<S> Powertools<S> {
    /// Stops the handler so long before the Lambda timeout: 500 ms unless this says otherwise.
    ///
    /// That is the time in which the error reaches Lambda, an idempotent handler gives its claim
    /// back, and logs are written. See [`deadline`](mod@crate::deadline) for what stopping means and
    /// what becomes of a reserve that is too long.
    pub fn deadline_reserve(mut self, reserve: Duration) -> Self {
        self.deadline = StackDeadline(Some(DeadlineLayer::new().reserve(reserve)));
        self
    }

    /// Lets the handler run until Lambda stops it; on Lambda Managed Instances nobody does.
    pub fn without_deadline(mut self) -> Self {
        self.deadline = StackDeadline(None);
        self
    }
}
