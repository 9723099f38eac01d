//! Functions of CloudFormation's custom resources.

use bytes::Bytes;
use lambda_runtime::FunctionResponse;
use serde_json::value::RawValue;

use super::Powertools;
use super::answer::{Answered, Failed};
use crate::custom_resource::{CustomResource, Request, Resource, Sent};
use crate::invocation::Invocation;

impl Powertools<()> {
    /// Creates the function of a custom resource from a handler of its changes: an async function from a
    /// [`Request`] to a `Result<Resource, E>`. See [`custom_resource`](mod@crate::custom_resource).
    ///
    /// CloudFormation receives a response however the handler ends, and to an event that is invalid but has
    /// the URL of the response. An error in that response is
    /// not also reported to Lambda, which would repeat the change. It is a failure for logs,
    /// metrics and the [lifecycle](super::lifecycle).
    pub fn custom_resource<F, Fut, T, E>(handler: F) -> Powertools<CustomResource<F, T>>
    where
        F: Fn(Request<T>) -> Fut,
        Fut: Future<Output = Result<Resource, E>>,
    {
        let mut function = Self::service(CustomResource::new(handler));
        function.answer = Some(answer);
        function
    }
}

/// Answers a failure that CloudFormation has received, so that it is not reported to Lambda.
fn answer(_: &Failed<'_>) -> Option<Answered> {
    let is_sent = Invocation::current()?.local::<Sent>().get();
    let reply = FunctionResponse::<_, Bytes>::BufferedResponse(RawValue::NULL.to_owned());
    is_sent.then_some(Answered { reply, is_failure: true })
}
