//! Functions whose events are HTTP requests.

use lambda_runtime::{FunctionResponse, StreamResponse};
use serde_json::value::{RawValue, to_raw_value};

use super::Powertools;
use super::answer::{Answered, Failed};
use super::lifecycle::Kind;
use crate::error::with_causes;
use crate::http::service::{Answers, count_failure};
use crate::http::{Handler, HttpService, IntoResponse, Problem, Reply, StatusCode};
use crate::invocation::{Invocation, ReplyLimit};

impl Powertools<()> {
    /// Creates a function from a handler of HTTP requests: an async function from
    /// [`Request`](crate::http::Request) to a `Result`, or any `tower::Service`, such as a router of axum.
    /// See [`http`](mod@crate::http).
    ///
    /// The handler has the whole stack around it. An error and a panic are answered as a
    /// [`Problem`], and so is a request whose time runs out, with 503. Those with a status from 500 on are
    /// failures for the logs, and are counted by the metric `RequestsFailed`, since Lambda's own metric
    /// does not count them. The same holds for what [`IdempotencyKeyLayer`](crate::http::IdempotencyKeyLayer)
    /// answers when it fails, and for a body that breaks off before it is sent. An error with another status, as by `#[http(status = 409)]`, is an answer like
    /// any other, and leaves a log line with the level INFO.
    /// [`report_errors`](Powertools::report_errors) reports all of them to Lambda.
    ///
    /// ```no_run
    /// use lambda_runtime::Error;
    /// use powertools::Powertools;
    /// use powertools::http::{IntoResponse, Request};
    ///
    /// async fn hello(request: Request) -> Result<impl IntoResponse, Error> {
    ///     Ok(format!("hello from {}", request.uri().path()))
    /// }
    ///
    /// #[tokio::main]
    /// async fn main() -> Result<(), Error> {
    ///     Powertools::http(hello).run().await
    /// }
    /// ```
    pub fn http<H, M>(handler: H) -> Powertools<HttpService<H::Service>>
    where
        H: Handler<M>,
    {
        let mut function = Self::service(HttpService::new(handler.into_service()));
        function.answer = Some(answer);
        function
    }
}

impl<S> Powertools<HttpService<S>> {
    /// Streams the responses: the client receives each piece of a body when it is there, and a body can
    /// have up to 200 MB instead of [6 MB](mod@crate::http#responses).
    ///
    /// Only for function URLs with the invoke mode `RESPONSE_STREAM` and REST APIs with the response
    /// transfer mode `STREAM`: another front end would pass on what precedes the body as a part of it.
    /// Values of one header are joined by commas. Characters beyond ASCII in a value are percent-encoded, since
    /// the runtime would leave the value out: `José` becomes `Jos%C3%A9`.
    ///
    /// A body that fails or panics after it has begun is truncated: the runtime ends it with two lines, of which
    /// the client learns nothing but that. The log line has the error.
    pub fn streaming(mut self) -> Self {
        self.handler.set_streaming();
        self
    }

    /// Sets the answer to a request whose time runs out, instead of 503: 202 for work that continues
    /// elsewhere, for example.
    ///
    /// The handler is stopped at this point, and its failure is logged. The body has to be there at
    /// once.
    ///
    /// ```
    /// use powertools::Powertools;
    /// use powertools::http::{Request, StatusCode};
    /// use lambda_runtime::Error;
    ///
    /// async fn start(_: Request) -> Result<StatusCode, Error> {
    ///     Ok(StatusCode::CREATED)
    /// }
    ///
    /// let function = Powertools::http(start)
    ///     .when_out_of_time(|| (StatusCode::ACCEPTED, "it takes longer: look again later"));
    /// # let _ = function;
    /// ```
    pub fn when_out_of_time<R: IntoResponse>(
        mut self,
        answer: impl Fn() -> R + Send + Sync + 'static,
    ) -> Self {
        self.handler.set_out_of_time(answer);
        self
    }

    /// Reports errors, panics and a timeout of the handler to Lambda, instead of answering them. Front ends
    /// answer with 502 or 500, without details, and Lambda counts the error. Failures that the layer of the
    /// `Idempotency-Key` answers are still answered, and counted by `RequestsFailed`.
    pub fn report_errors(mut self) -> Self {
        self.answer = None;
        self
    }
}

/// Answers a failure of the handler. Without a request there is nobody to answer.
fn answer(failed: &Failed<'_>) -> Option<Answered> {
    let invocation = Invocation::current()?;
    let answering = invocation.local::<Answers>().get()?;
    let (reply, status) = match (failed.kind, failed.error) {
        (Kind::Stopped, _) => (answering.out_of_time(), StatusCode::SERVICE_UNAVAILABLE),
        (_, Some(error)) => {
            let problem = Problem::of(error);
            let status = problem.status();
            (answering.problem(problem), status)
        }
        (_, None) => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            (answering.problem(Problem::new(status)), status)
        }
    };
    let is_failure = status.is_server_error();
    if is_failure {
        count_failure();
    }
    let reply = match reply {
        FunctionResponse::BufferedResponse(reply) => {
            let ReplyLimit { bytes, of } = reply.limit();
            FunctionResponse::BufferedResponse(match written(&reply)? {
                reply if reply.get().len() <= bytes => reply,
                too_large => {
                    let size = too_large.get().len();
                    tracing::error!(
                        size,
                        "an answer is larger than the {bytes} bytes that {of} takes, and is sent without details"
                    );
                    match answering.problem(Problem::new(status)) {
                        FunctionResponse::BufferedResponse(reply) => written(&reply)?,
                        FunctionResponse::StreamingResponse(_) => return None,
                    }
                }
            })
        }
        FunctionResponse::StreamingResponse(StreamResponse { metadata_prelude, stream }) => {
            FunctionResponse::StreamingResponse(StreamResponse { metadata_prelude, stream })
        }
    };
    Some(Answered { reply, is_failure })
}

fn written(reply: &Reply) -> Option<Box<RawValue>> {
    match to_raw_value(reply) {
        Ok(reply) => Some(reply),
        Err(error) => {
            tracing::error!(error = with_causes(&error), "an answer cannot be written");
            None
        }
    }
}
