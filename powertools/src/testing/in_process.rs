//! Functions without the Runtime API, for benches: from the bytes of an event to those of its reply.

use std::fmt;
use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt, Stream};
use lambda_runtime::{
    Diagnostic, Error, FunctionResponse, IntoFunctionResponse, LambdaEvent, LambdaInvocation,
};
use serde::{Deserialize, Serialize};
use tower::{Layer, Service, service_fn};

use crate::error::Reported;
use crate::error::panic::caught;
use crate::runtime::Powertools;

/// Not for users: the service that the runtime calls for each event of `function`.
#[doc(hidden)]
pub fn function<S, T, R, B, St, D, E>(
    function: Powertools<S>,
) -> impl Service<LambdaInvocation, Response = Vec<u8>, Error = Diagnostic>
where
    S: Service<LambdaEvent<T>, Response = R> + Clone + Send + 'static,
    S::Future: Future<Output = Result<R, S::Error>> + Send + 'static,
    S::Error: Reported + fmt::Debug + 'static,
    T: for<'de> Deserialize<'de> + Send + 'static,
    R: IntoFunctionResponse<B, St> + Send + 'static,
    B: Serialize + Send + 'static,
    St: Stream<Item = Result<D, E>> + Unpin + Send + 'static,
    D: Into<bytes::Bytes> + Send + 'static,
    E: Into<Error> + Send + fmt::Debug + 'static,
{
    let (handler, around) = function.services::<T, R, B, St, D, E>();
    around.layer(handler_alone(handler))
}

/// Not for users: the service that the runtime calls for each event of a handler without [`Powertools`].
///
/// It does what the services of `lambda_runtime` do with the event, the panics and the reply, which are not
/// public and send the reply, too.
#[doc(hidden)]
pub fn handler_alone<S, T, R, B, St>(
    mut handler: S,
) -> impl Service<LambdaInvocation, Response = Vec<u8>, Error = Diagnostic>
where
    S: Service<LambdaEvent<T>, Response = R, Error: Into<Diagnostic>>,
    T: for<'de> Deserialize<'de>,
    R: IntoFunctionResponse<B, St>,
    B: Serialize,
{
    service_fn(move |event: LambdaInvocation| {
        let LambdaInvocation { body, context, .. } = event;
        let request_id = context.request_id.clone();
        let parser = &mut serde_json::Deserializer::from_slice(&body);
        let called = serde_path_to_error::deserialize(parser).map(|payload| {
            AssertUnwindSafe(handler.call(LambdaEvent::new(payload, context))).catch_unwind()
        });
        async move {
            let ended = called.map_err(|error| failed(error.to_string()))?.await;
            let reply = ended.map_err(|panic| failed(caught(panic)))?.map_err(Into::into)?;
            drop(request_id);
            match reply.into_response() {
                FunctionResponse::BufferedResponse(body) => {
                    serde_json::to_vec(&body).map_err(|error| failed(error.to_string()))
                }
                FunctionResponse::StreamingResponse(_) => Err(failed("a streamed reply".into())),
            }
        }
    })
}

fn failed(error_message: String) -> Diagnostic {
    Diagnostic { error_type: "Bench".to_owned(), error_message }
}
