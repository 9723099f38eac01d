use std::any::Any;
use std::borrow::Cow;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode, request};
use http_body::Body;
use http_body_util::BodyExt;
use lambda_runtime::Error as BoxError;
use sha2::{Digest, Sha256};
use tower::Service;

use super::body::{Ended, OpenClaim, ReplyBody};
use super::key::key;
use super::stored::Stored;
use super::{EXPIRES_AFTER, IdempotencyKeyLayer, Options};
use crate::error::with_causes;
use crate::hex::hex;
use crate::http::response::IntoResponse;
use crate::http::service::{Buffered, Failure, OutOfTime};
use crate::http::{FrontEnd, Origin, Problem, is_final};
use crate::idempotency::{Call, Error, Lease, OnSaveFailure, Store};
use crate::invocation::Invocation;

/// A handler of requests that processes each once. Created by [`IdempotencyKeyLayer`].
#[derive(Debug)]
pub struct IdempotencyKeyService<H, S> {
    pub(super) inner: H,
    pub(super) config: IdempotencyKeyLayer<S>,
}

impl<H: Clone, S> Clone for IdempotencyKeyService<H, S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), config: self.config.clone() }
    }
}

type Reply<B> = Response<ReplyBody<Pin<Box<B>>>>;

impl<H, S, B, R> Service<Request<B>> for IdempotencyKeyService<H, S>
where
    H: Service<Request<B>, Response = R> + Clone + Send + 'static,
    H::Future: Send,
    H::Error: Send,
    R: IntoResponse,
    S: Store,
    B: Body<Data: Send, Error: Into<BoxError>> + From<Vec<u8>> + Send + 'static,
{
    type Response = Reply<R::Body>;
    type Error = H::Error;
    type Future = BoxFuture<'static, Result<Self::Response, H::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), H::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that is ready handles this request, and its clone the next.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let config = self.config.clone();
        Box::pin(async move { config.run(request, move |request| inner.call(request)).await })
    }
}

/// In the extensions of a request: the layer that protects it.
#[derive(Clone)]
struct Protected(Arc<Options>);

/// What becomes of a request.
enum Plan {
    /// The handler processes it, and nothing is stored.
    Pass,
    Once {
        key: String,
        caller: String,
    },
    Reject(Problem),
}

impl Options {
    fn plan(&self, request: &request::Parts) -> Plan {
        let method = &request.method;
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE) {
            return Plan::Pass;
        }
        // The same layer around the router and on a route of it would wait for itself.
        let outer = request.extensions.get::<Protected>();
        if outer.is_some_and(|Protected(outer)| outer.name == self.name) {
            return Plan::Pass;
        }
        let bad = |detail| Plan::Reject(Problem::new(StatusCode::BAD_REQUEST).detail(detail));
        let key = match key(&request.headers) {
            Ok(Some(key)) => key,
            // Other methods are idempotent by their definition.
            Ok(None) if self.is_optional || !matches!(*method, Method::POST | Method::PATCH) => {
                return Plan::Pass;
            }
            Ok(None) => return bad("the request needs the header Idempotency-Key"),
            Err(detail) => return bad(detail),
        };
        match self.caller_of(request) {
            Some(caller) => Plan::Once { key, caller },
            None => {
                tracing::error!(
                    "a request with an idempotency key was rejected, since its caller is not known: add an \
                     authorizer to the route, or set `IdempotencyKeyLayer::caller`, which also has to name \
                     the caller under `cargo lambda watch`, where no authorizer runs"
                );
                Plan::Reject(Problem::new(StatusCode::INTERNAL_SERVER_ERROR))
            }
        }
    }
}

fn rejected<B>(problem: Problem) -> Response<ReplyBody<B>> {
    let is_failure = problem.status().is_server_error();
    let mut response = problem.into_response().map(ReplyBody::from);
    if is_failure {
        response.extensions_mut().insert(Failure);
    }
    response
}

/// Why the work has no response to store.
enum Failed<E> {
    /// The handler returned an error.
    Handler(E),
    /// The body of the response ended with an error.
    Body(BoxError),
    Idempotency(Error),
}

impl<E> From<Error> for Failed<E> {
    fn from(error: Error) -> Self {
        Self::Idempotency(error)
    }
}

impl<S: Store> IdempotencyKeyLayer<S> {
    /// Processes one request with `work`, as the layer does with the handler inside of it.
    ///
    /// [`#[idempotent(http, ..)]`](macro@crate::idempotent) calls it.
    ///
    /// ```
    /// use powertools::http::{IdempotencyKeyLayer, IntoResponse, JsonError, Request};
    /// use powertools::idempotency::MemoryStore;
    ///
    /// async fn charge(
    ///     once: IdempotencyKeyLayer<MemoryStore>,
    ///     request: Request,
    /// ) -> Result<impl IntoResponse, JsonError> {
    ///     once.run(request, |_request| async { Ok("charged, once") }).await
    /// }
    /// # let _ = charge;
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the error of `work` alone. All others are responses.
    pub async fn run<B, W, R, E>(
        &self,
        request: Request<B>,
        work: impl FnOnce(Request<B>) -> W,
    ) -> Result<Response<ReplyBody<Pin<Box<R::Body>>>>, E>
    where
        W: Future<Output = Result<R, E>>,
        R: IntoResponse,
        B: Body<Error: Into<BoxError>> + From<Vec<u8>> + 'static,
    {
        let (parts, body) = request.into_parts();
        match self.options.plan(&parts) {
            Plan::Pass => {
                let response = work(Request::from_parts(parts, body)).await?.into_response();
                Ok(response.map(|body| ReplyBody::of_handler(Box::pin(body))))
            }
            Plan::Once { key, caller } => self.once(work, parts, body, (caller, key)).await,
            Plan::Reject(problem) => Ok(rejected(problem)),
        }
    }

    /// Lets the handler process a request, unless that has been done.
    async fn once<B, W, R, E>(
        &self,
        handler: impl FnOnce(Request<B>) -> W,
        parts: request::Parts,
        body: B,
        key: (String, String),
    ) -> Result<Reply<R::Body>, E>
    where
        W: Future<Output = Result<R, E>>,
        R: IntoResponse,
        B: Body<Error: Into<BoxError>> + From<Vec<u8>> + 'static,
    {
        let (hash, body) = match fingerprint(body).await {
            Ok(read) => read,
            Err(error) => {
                tracing::warn!(
                    error = with_causes(&*error),
                    "the body of a request cannot be read"
                );
                let problem = Problem::new(StatusCode::BAD_REQUEST);
                return Ok(rejected(problem.detail("the body of the request cannot be read")));
            }
        };
        let call = match self.call(&parts, &key, &hash) {
            Ok(call) => call,
            Err(error) => return Ok(failed(&error)),
        };

        // The response itself, which is returned as it is, beside what is stored of it.
        let mut answered = None;
        let Options { max_body_bytes, replayed, .. } = &*self.options;
        // A body that is not streamed is read as far as it can be sent: it may break off until there.
        let buffered = parts.extensions.get::<Buffered>();
        let is_buffered = buffered.is_some();
        let read_bytes = buffered.map_or(*max_body_bytes, |Buffered(limit)| *limit);
        let mut parts = parts;
        parts.extensions.insert(Protected(self.options.clone()));
        let work = async {
            let response = handler(Request::from_parts(parts, body)).await;
            let (parts, body) = response.map_err(Failed::Handler)?.into_response().into_parts();
            let body = ReplyBody::read(body, read_bytes).await.map_err(Failed::Body)?;
            let whole = body.as_whole().filter(|body| body.len() <= *max_body_bytes);
            let stored = Stored::new(&parts, whole.as_ref(), replayed, *max_body_bytes);
            answered = Some(Response::from_parts(parts, body));
            Ok(stored)
        };
        Ok(match call.run_with_lease(work).await {
            Ok((stored, lease)) => match (answered, lease) {
                (None, _) => replayed_response(stored),
                (Some(response), None) => response,
                (Some(response), Some((lease, scope))) => {
                    if is_buffered || response.body().as_whole().is_some() {
                        match lease.complete(&stored).await {
                            Ok(()) => response,
                            Err(error) => failed(&error),
                        }
                    } else {
                        response.map(|body| body.with_claim(claim(lease, scope, stored)))
                    }
                }
            },
            Err(Failed::Handler(error)) => return Err(error),
            Err(Failed::Body(error)) => {
                let error = with_causes(&*error);
                tracing::error!(error, "the body of a response failed before it was sent");
                rejected(Problem::new(StatusCode::INTERNAL_SERVER_ERROR))
            }
            Err(Failed::Idempotency(error)) => failed(&error),
        })
    }

    fn call(
        &self,
        request: &request::Parts,
        (caller, key): &(String, String),
        hash: &str,
    ) -> Result<Call<S>, Error> {
        let origin = request.extensions.get::<Origin>();
        let path = origin.map_or(request.uri.path(), Origin::path);
        let content_type = request.headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
        let keep = self.options.keep_if.clone();
        let call = self
            .idempotency
            .operation(&*self.options.name)
            .key(&(caller, request.method.as_str(), path, key))?
            .payload(&(query(request), content_type, hash))?;
        let call = call.expires_after_or(EXPIRES_AFTER);
        // The work is done. An error would have the client do it again.
        let call = call.on_save_failure_or(OnSaveFailure::ReturnResult);
        Ok(call.keep_if_or(move |stored| {
            match stored["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok()) {
                Some(status) => StatusCode::from_u16(status).is_ok_and(|status| keep(status)),
                None => is_final(stored),
            }
        }))
    }
}

/// Returns the query for the comparison with that of another attempt. In the events of most front ends it is an object,
/// whose members have no order: they are sorted by their names. The values of each keep theirs.
fn query(request: &request::Parts) -> Option<Cow<'_, str>> {
    let query = request.uri.query()?;
    let front_end = request.extensions.get::<Origin>().map(Origin::front_end);
    if matches!(front_end, None | Some(FrontEnd::HttpApi | FrontEnd::FunctionUrl)) {
        return Some(query.into());
    }
    let mut pairs: Vec<_> = query.split('&').collect();
    pairs.sort_by_key(|pair| pair.split('=').next());
    Some(pairs.join("&").into())
}

/// Leaves the claim of a request to the body of its response.
fn claim<S: Store>(lease: Lease<S>, scope: Option<Invocation>, stored: Stored) -> OpenClaim {
    OpenClaim {
        scope,
        expiry: Box::pin(lease.expiry()),
        end: Box::new(move |ended| {
            Box::pin(async move {
                match ended {
                    Ended::Whole => {
                        if let Err(error) = lease.complete(&stored).await {
                            let (error_type, message) = (error.error_type(), with_causes(&error));
                            tracing::error!(error_type, "a response cannot be replayed: {message}");
                        }
                    }
                    Ended::Failed => lease.failed().await,
                    Ended::Stopped => lease.interrupted().await,
                }
            })
        }),
    }
}

fn replayed_response<B>(stored: Stored) -> Response<ReplyBody<B>> {
    match stored.replay() {
        Some(response) => response.map(ReplyBody::from),
        None => {
            tracing::error!("the record of a request contains no response");
            rejected(Problem::new(StatusCode::INTERNAL_SERVER_ERROR))
        }
    }
}

/// Answers an error of the protection.
fn failed<B>(error: &Error) -> Response<ReplyBody<B>> {
    let problem = Problem::of(error);
    let (error_type, message) = (error.error_type(), with_causes(error));
    if problem.status().is_server_error() {
        tracing::error!(error_type, "a request is answered with an error: {message}");
    } else {
        tracing::info!(error_type, "a request was rejected: {message}");
    }
    let mut response = rejected(problem);
    if matches!(error, Error::NoTime { .. } | Error::OutOfTime { .. } | Error::LeaseExpired { .. })
    {
        response.extensions_mut().insert(OutOfTime);
    }
    response
}

/// Returns the hash of a body, and the body.
async fn fingerprint<B>(body: B) -> Result<(String, B), BoxError>
where
    B: Body<Error: Into<BoxError>> + From<Vec<u8>> + 'static,
{
    if let Some(hash) = hash_in_memory(&body) {
        return Ok((hash, body));
    }
    let bytes = body.collect().await.map_err(Into::into)?.to_bytes();
    Ok((hex(&Sha256::digest(&bytes)), B::from(bytes.into())))
}

/// Hashes a body that is in memory, so that it keeps its kind: text or bytes.
fn hash_in_memory(body: &dyn Any) -> Option<String> {
    let body = body.downcast_ref::<lambda_http::Body>()?;
    Some(hex(&Sha256::digest(body.as_ref())))
}
